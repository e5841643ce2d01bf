// Writes docs/api.md from the docstrings of the declarations that the compiler has emitted: `npm run docs`.
// With --check it writes nothing, and fails if the file is not what it would write.
//
// It reads the emitter's own layout (one member a line, four spaces deep, its docstring above it), and needs nothing but
// Node. Whatever it does not understand makes it fail; nothing is left out in silence.
import { readFileSync, writeFileSync } from 'node:fs'

const INDEX = new URL('../dist/src/index.d.ts', import.meta.url)
/** The other entry: a module that declares what it exports. */
const REDIS = new URL('../dist/src/brokers/redisBroker.d.ts', import.meta.url)
const OUTPUT = new URL('api.md', import.meta.url)

/** The order of reading. Exports that are not named here come last. */
const ORDER = [
  [
    'Making a server',
    [
      'createServer',
      'ServerOptions',
      'CommonOptions',
      'RouteOptions',
      'Handlers',
      'Server',
      'ListenOptions',
      'CloseOptions',
      'ClusterOptions',
      'ProcessStatistics',
    ],
  ],
  [
    'Opening handshake',
    [
      'Upgrade',
      'Acceptance',
      'Rejection',
      'ResponseHeaders',
      'UpgradeRequest',
      'TlsFacts',
      'TlsCipher',
      'ClientCertificate',
      'CertificateName',
      'route',
      'Route',
    ],
  ],
  [
    'Connections',
    ['Connection', 'Sendable', 'SendResult', 'SendStreamOptions', 'StreamSource', 'StreamChunk', 'OutputPolicy'],
  ],
  ['Messages', ['Message', 'MessageStream', 'Messages', 'OwnBytes', 'prepare', 'PreparedMessage']],
  [
    'Large messages',
    ['LargeRouteOptions', 'LargeOptions', 'LargeHandler', 'LargeMessage', 'LargeContext', 'LargeReply'],
  ],
  ['Brokers', ['Broker', 'BrokerStatistics', 'Receive']],
  ['`millrace/redis`', ['redisBroker', 'RedisBrokerOptions', 'RedisBroker', 'RedisBrokerStatistics']],
  ['Limits', ['ConnectionLimits', 'ServerLimits', 'HttpLimits']],
  ['Errors and close codes', ['ErrorCode', 'ProtocolViolation', 'ViolationName', 'CloseCode']],
]

const DECLARATION = /^(export )?(?:declare )?(interface|class|type|function|const) (\w+)/

/** The top-level declarations of a file: docstring, head, and the lines between its braces. */
function declarationsIn(url) {
  const found = []
  let doc = []
  let current
  for (const line of readFileSync(url, 'utf8').split('\n')) {
    const starts = DECLARATION.exec(line)
    if (starts !== null) {
      const [, exported, kind, name] = starts
      current = { name, kind, exported: exported !== undefined, doc: textOf(doc), lines: [line], url }
      found.push(current)
      doc = []
    } else if (/^ ?(?:\/\*\*|\*)/.test(line)) doc.push(line)
    else if (/^[ }]/.test(line) && current !== undefined) current.lines.push(line)
    else if (/^(?:import|export) /.test(line) || line === '') doc = []
    else throw new Error(`${url}: not understood: ${line}`)
  }
  return found
}

/** What a comment says, without its stars. */
function textOf(comment) {
  return comment
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*(?!\/))? ?/, '').replace(/ ?\*\/$/, ''))
    .join('\n')
    .trim()
}

/** The members of an interface, a class or an object type, one level deep; internal and private ones left out. */
function membersOf(lines) {
  const members = []
  let doc = []
  let member
  for (const line of lines) {
    const text = line.slice(4)
    if (member !== undefined) {
      member.text += `\n${text}`
      if (isWhole(member.text)) member = undefined
    } else if (/^(?:\/\*\*| \*)/.test(text)) doc.push(text)
    else {
      member = { text, doc: textOf(doc) }
      if (!member.doc.includes('@internal') && !/^(?:#|private |static \[)/.test(text)) members.push(member)
      if (isWhole(text)) member = undefined
      doc = []
    }
  }
  if (member !== undefined) throw new Error(`not understood, it has no end: ${member.text}`)
  return members.map((one) => ({ ...one, text: one.text.replace(/;$/, '').replace(/^readonly /, '') }))
}

/** Whether a member has ended: behind a semicolon, outside of all braces. */
function isWhole(text) {
  return text.endsWith(';') && text.split(/[{(]/).length === text.split(/[})]/).length
}

/** The name of a member; a method of a symbol's name goes by that. */
function nameOf({ text }) {
  const [, name] = /^(?:get |static )*(\w+|\[[^\]]+\])/.exec(text) ?? []
  if (name === undefined) throw new Error(`not understood, it has no name: ${text}`)
  return name
}

/** Exported names and where they are declared. */
function exportsOf(index) {
  const names = new Map()
  for (const [, list, from] of index.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)) {
    const url = new URL(from.replace(/\.js$/, '.d.ts'), INDEX)
    for (const [, name, alias = name] of list.replaceAll(/\btype /g, '').matchAll(/(\w+)(?: as (\w+))?/g)) {
      names.set(
        alias,
        declarationsIn(url).map((one) => renamed(one, name, alias)),
      )
    }
  }
  const others = declarationsIn(REDIS).filter(({ exported }) => exported)
  for (const { name } of others) names.set(name, others)
  return names
}

/** A declaration under the name that it is exported by. */
function renamed(declaration, name, alias) {
  const lines = declaration.lines.map((line) => line.replaceAll(new RegExp(`\\b${name}\\b`, 'g'), alias))
  return { ...declaration, name: declaration.name === name ? alias : declaration.name, lines }
}

const code = (text) => `\`\`\`ts\n${text}\n\`\`\`\n`
const bodyOf = ({ lines }) => lines.slice(1).filter((line) => line.startsWith('    '))

/** What it extends, as written, and the name of the declaration meant: `Partial<A>` is about `A`. */
function basesOf({ lines }) {
  const clause = / extends (.*) \{$/.exec(lines[0].replace(/^[^<{]*<[^>]*>/, ''))?.[1] ?? ''
  // A comma inside of angle brackets parts no two names.
  const texts = clause.split(/,(?![^<]*>)/).map((text) => text.trim())
  return texts.filter(Boolean).map((text) => ({ text, name: /^(?:Partial<)?(\w+)/.exec(text)?.[1] }))
}

/** The declaration of a name that a file uses: its own, or imported from another of ours. */
function lookUp(name, url) {
  const own = declarationsIn(url).find((one) => one.name === name)
  if (own !== undefined) return own
  for (const [, list, from] of readFileSync(url, 'utf8').matchAll(/import (?:type )?\{([^}]*)\} from '(\..*)\.js'/g)) {
    const names = list.split(',').map((one) => one.replace('type ', '').trim().split(' as '))
    const [imported] = names.find((one) => one.at(-1) === name) ?? []
    if (imported !== undefined) return lookUp(imported, new URL(`${from}.d.ts`, url))
  }
  return undefined
}

/** The members of `owner`, each with an anchor: `#server-listen`. */
function listOf(members, owner) {
  return members
    .map((member) => {
      const { text, doc } = member
      const name = nameOf(member)
      const id = `${owner}-${name}`.toLowerCase().replaceAll(/[^\w-]/g, '')
      const isLong = text.includes('\n')
      const line = `- \`${isLong ? name : text}\`<a id="${id}"></a>`
      const block = isLong ? `${line}\n${indent(code(text).trimEnd())}` : line
      return doc === '' ? block : `${block}${isLong ? '\n\n' : '<br>\n'}${indent(doc)}`
    })
    .join('\n')
}

/** A link to a name's heading. GitHub numbers headings that differ only in case. */
function linkTo(name, order) {
  const before = order.slice(0, order.indexOf(name)).filter((one) => one.toLowerCase() === name.toLowerCase()).length
  return `[\`${name}\`](#${name.toLowerCase()}${before === 0 ? '' : `-${before}`})`
}

const indent = (text) => text.replace(/^(?=.)/gm, '  ')

/** Interfaces and classes: what they inherit, and their members. */
function describeMembers(declaration, names) {
  const { inherited, members } = membersWithBases(declaration, names)
  return [...inherited, ...(members.length === 0 ? [] : [listOf(members, declaration.name)])].join('\n\n')
}

/** The members of a declaration and of those that it extends and that have no entry of their own. */
function membersWithBases(declaration, names) {
  const own = membersOf(bodyOf(declaration))
  const inherited = []
  let members = own
  for (const { text, name } of basesOf(declaration)) {
    const base = lookUp(name, declaration.url)
    if (names.has(name) && name !== declaration.name)
      inherited.push(`Has all of [\`${text}\`](#${name.toLowerCase()}), and:`)
    else if (base === undefined) inherited.push(`Extends \`${text}\` with:`)
    else members = overridden(membersWithBases(base, new Map()).members, members)
  }
  return { inherited, members }
}

/** The members of a base, those in their places that are declared anew, and behind them those that are new. */
function overridden(base, own) {
  const before = new Set(base.map(nameOf))
  const anew = (member) => own.find((one) => nameOf(one) === nameOf(member)) ?? member
  return [...base.map(anew), ...own.filter((one) => !before.has(nameOf(one)))]
}

/** Type aliases: the type as it is written, with the names of its file that only it uses; its members, if it has some. */
function describeType(declaration) {
  const keys = /= keyof typeof (\w+);$/.exec(declaration.lines[0])?.[1]
  if (keys === 'callerErrors') return 'See [the table of errors](errors.md).'
  if (keys !== undefined) return tableOf(lookUp(keys, declaration.url))
  const members = declaration.lines.filter((line) => line.startsWith('    '))
  const text = declaration.lines.filter((line) => !/^ +(?:\/\*\*|\*)/.test(line)).join('\n')
  const helpers = declarationsIn(declaration.url).filter(
    ({ name, kind, exported }) => kind === 'type' && !exported && new RegExp(`\\b${name}\\b`).test(text),
  )
  const all = [text, ...helpers.map(({ lines }) => lines.join('\n'))]
  return `${code(all.map((one) => one.replace('export ', '')).join('\n'))}\n${listOf(once(membersOf(members)), declaration.name)}`
}

/** The members that say something; of those that stand in both branches of a condition, the first. */
function once(members) {
  const names = new Set()
  return members.filter(({ text, doc }) => {
    const name = /^\w+/.exec(text)?.[0]
    return doc !== '' && !names.has(name) && names.add(name)
  })
}

/** A constant whose members are `name: readonly [code, 'text']`. */
function tableOf(declaration) {
  const rows = membersOf(bodyOf(declaration)).map(({ text }) => {
    const [, name, number, meaning] = /^(\w+): readonly \[(\d+), ['"](.*)['"]\]$/.exec(text) ?? []
    if (name === undefined) throw new Error(`not understood: ${text}`)
    return `| \`${name}\` | ${number} | ${meaning} |`
  })
  return ['| name | close code | meaning |', '|---|---|---|', ...rows].join('\n')
}

function describe(name, names) {
  const all = (names.get(name) ?? []).filter((one) => one.name === name)
  const [first] = all
  if (first === undefined) throw new Error(`${name} is exported, but not declared where it is said to be`)
  // A class that is exported under the name of the one that it extends is, for its users, that one.
  const head = first.lines[0]
    .replace(/^export (?:declare )?/, '')
    .replace(/ \{$/, '')
    .replace(/ extends \w+<Data>$/, name === 'Server' ? '' : '$&')
  const doc = all
    .map((one) => one.doc)
    .filter((text) => text !== '')
    .join('\n\n')
  const parts = [`### \`${name}\`\n`, doc === '' ? undefined : `${doc}\n`]
  if (first.kind === 'function') {
    parts.push(code(all.map(({ lines }) => lines.join('\n').replace(/^export declare |;$/g, '')).join('\n')))
  } else if (first.kind === 'type') parts.push(describeType(first))
  else if (first.kind === 'const') parts.push(listOf(membersOf(bodyOf(first)), name))
  else parts.push(code(head), describeMembers(first, names))
  return parts
    .filter((part) => part !== undefined && part !== '')
    .join('\n')
    .trimEnd()
}

function reference() {
  const names = exportsOf(readFileSync(INDEX, 'utf8'))
  const placed = ORDER.flatMap(([, group]) => group)
  const others = [...names.keys()].filter((name) => !placed.includes(name))
  const groups = [...ORDER, ['Other', others]]
    .map(([title, group]) => [title, group.filter((name) => names.has(name))])
    .filter(([, group]) => group.length > 0)
  const order = groups.flatMap(([, group]) => group)
  const contents = groups.map(([title, group]) => `- ${title}: ${group.map((name) => linkTo(name, order)).join(' · ')}`)
  const sections = groups.map(([title, group]) =>
    [`## ${title}`, ...group.map((name) => describe(name, names))].join('\n\n'),
  )
  return [
    '<!-- Written by `npm run docs` from the docstrings in src. Change those. -->',
    '# API reference',
    "Everything that `import ... from 'millrace'` offers, and at the end what `millrace/redis` does. Lengths are in bytes, times in milliseconds. Every property is read-only, except `connection.data`.",
    contents.join('\n'),
    ...sections,
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/, '\n')
}

const text = reference()
if (!process.argv.includes('--check')) writeFileSync(OUTPUT, text)
else if (readFileSync(OUTPUT, 'utf8') !== text) {
  console.error('docs/api.md is not what the docstrings say: run npm run docs')
  process.exitCode = 1
}
