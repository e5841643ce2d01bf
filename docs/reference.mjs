// Writes the API reference from the docstrings of the declarations that the compiler has emitted: `npm run docs`. There is
// a page in docs/api for each noun, and docs/api.md is their index. With --check it writes nothing, and fails if a file
// differs from what it would write, or is one too many.
//
// It reads the emitter's own layout (one member per line, four spaces deep, its docstring above it), and needs nothing but
// Node. Whatever it does not understand makes it fail; it leaves nothing out in silence.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const INDEX = new URL('../dist/src/index.d.ts', import.meta.url)
/** The entry for clients. */
const CLIENT = new URL('../dist/src/client.d.ts', import.meta.url)
/** The entry of the target. */
const TARGET = new URL('../dist/src/target.d.ts', import.meta.url)
/** What `millrace/redis` and `millrace/nats` export: modules that declare it. */
const BROKERS = ['redisBroker', 'redisSharded', 'redisStreams', 'natsBroker'].map(
  (name) => new URL(`../dist/src/brokers/${name}.d.ts`, import.meta.url),
)
/** The entry for Prometheus. */
const METRICS = new URL('../dist/src/metrics.d.ts', import.meta.url)
const OUTPUT = new URL('./', import.meta.url)

/** The pages, in the order of reading: file, title, first paragraph, names. Every export must be on one of them. */
const PAGES = [
  [
    'server',
    'Server',
    'How to make a server, and what it can do.',
    [
      'createServer',
      'Server',
      'ServerOptions',
      'CommonOptions',
      'RouteOptions',
      'DeflateOptions',
      'EachDirection',
      'route',
      'Route',
      'CloseOptions',
    ],
  ],
  ['handlers', 'Handlers', 'The functions that your application gives a server or a route.', ['Handlers']],
  [
    'listen',
    'Listening and acceptors',
    'Where a server listens, and in how many processes.',
    ['ListenOptions', 'ClusterOptions', 'ProcessStatistics'],
  ],
  [
    'metrics',
    'Metrics',
    'What a server has counted. The guide on metrics has the names for Prometheus.',
    ['ServerMetrics', 'Metrics', 'ByTier', 'Tier', 'Opcode', 'DurationHistogram'],
  ],
  [
    'upgrade',
    'Opening handshake',
    'The request that opens a connection, and how to accept or refuse it.',
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
    ],
  ],
  [
    'connection',
    'Connection',
    'One client, as your handlers see it.',
    [
      'Connection',
      'Sendable',
      'SendOptions',
      'SendResult',
      'SubscribeOptions',
      'Resumption',
      'Gap',
      'GapReason',
      'SendStreamOptions',
      'StreamSource',
      'StreamChunk',
      'OutputPolicy',
      'DeflateStatistics',
      'DeflatedBytes',
    ],
  ],
  [
    'message',
    'Message',
    'What a client sends, and messages that you prepare once for many connections.',
    ['Message', 'MessageStream', 'Messages', 'OwnBytes', 'prepare', 'PreparedMessage', 'serveTopics'],
  ],
  [
    'large',
    'Large messages',
    'The option `large`: a module of yours handles large messages in a pool of threads. See also [the guide](../large-messages.md).',
    ['LargeRouteOptions', 'LargeOptions', 'LargeHandler', 'LargeMessage', 'LargeContext', 'LargeReply'],
  ],
  [
    'broker',
    'Broker',
    'What carries publications between processes. See also [the guide](../brokers.md).',
    ['Broker', 'BrokerStatistics', 'Interrupted', 'Receive'],
  ],
  [
    'listeners',
    'Listening to topics',
    'What a process hears of its topics. See also [the guide](../topics.md#listening-in-the-process).',
    ['TopicListener', 'TopicMessage'],
  ],
  [
    'presence',
    'Presence',
    'Who is in a topic, over all processes. See also [the guide](../topics.md#presence).',
    ['createPresence', 'Presence', 'PresenceOptions', 'Member', 'PresenceEvent', 'PresenceServer', 'PresentConnection'],
  ],
  [
    'prometheus',
    '`millrace/metrics`',
    "What `import { prometheus } from 'millrace/metrics'` offers. It needs the package `prom-client`: `npm install prom-client`.",
    ['prometheus', 'PrometheusOptions', 'Prometheus', 'MeasuredServer', 'MetricsRegistry'],
  ],
  [
    'redis',
    '`millrace/redis`',
    "What `import { redisBroker, redisShardedBroker, redisStreamsBroker } from 'millrace/redis'` offers. It needs the package `@redis/client`: `npm install @redis/client`.",
    [
      'redisBroker',
      'RedisBrokerOptions',
      'RedisBroker',
      'RedisBrokerStatistics',
      'redisShardedBroker',
      'redisStreamsBroker',
      'RedisStreamsBrokerOptions',
      'RedisStreamsBroker',
      'RedisStreamsBrokerStatistics',
    ],
  ],
  [
    'nats',
    '`millrace/nats`',
    "What `import { natsBroker } from 'millrace/nats'` offers. It needs the package `@nats-io/transport-node`: `npm install @nats-io/transport-node`.",
    ['natsBroker', 'NatsBrokerOptions', 'NatsBroker', 'NatsBrokerStatistics'],
  ],
  [
    'client',
    '`millrace/client`',
    "What `import { connect } from 'millrace/client'` offers. See also [the guide](../client.md).",
    [
      'connect',
      'ClientOptions',
      'Reach',
      'RequestHeaders',
      'ClientLimits',
      'UpgradeResponse',
      'ReconnectOptions',
      'ReconnectPause',
      'KeptMessages',
      'ConnectError',
      'connectTopics',
      'TopicClientOptions',
      'TopicClient',
      'ReceivedPublication',
      'TopicGap',
      'TopicAnswer',
      'WebSocket',
      'WebSocketOptions',
      'WebSocketData',
      'EventHandler',
      'CloseEvent',
      'CloseEventFacts',
    ],
  ],
  [
    'load',
    'Scripts of `millrace bench`',
    'The hooks of `millrace bench --script`, whose types are those of `millrace/client`. See also [the guide](../load.md#scripts).',
    ['LoadScript', 'LoadMeter', 'LoadPart'],
  ],
  [
    'target',
    '`millrace/target`',
    "What `import { startTarget } from 'millrace/target'` offers. See also [the guide](../target.md).",
    ['startTarget', 'TargetOptions', 'ServedOptions', 'Bounds', 'Target', 'TargetStatistics', 'TargetCloseOptions'],
  ],
  [
    'limits',
    'Limits',
    'Every limit is an option of `createServer`. See also [the guide](../limits.md).',
    ['ConnectionLimits', 'ServerLimits', 'TopicsOptions', 'HistoryOptions'],
  ],
  [
    'errors',
    'Errors and close codes',
    'What a caller and a client can do wrong, and how a connection ends. See also [the guide](../errors.md).',
    ['ErrorCode', 'ProtocolViolation', 'ViolationName', 'CloseCode'],
  ],
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

/** What a comment says, without its stars; an example follows in a paragraph of its own. */
function textOf(comment) {
  return comment
    .map((line) => line.replace(/^\s*(?:\/\*\*|\*(?!\/))? ?/, '').replace(/ ?\*\/$/, ''))
    .join('\n')
    .trim()
    .replaceAll(/\n@example\n/g, '\n\n')
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
      // What is set is described where it is read.
      if (!member.doc.includes('@internal') && !/^(?:#|private |static \[|set )/.test(text)) members.push(member)
      if (isWhole(text)) member = undefined
      doc = []
    }
  }
  if (member !== undefined) throw new Error(`not understood, it has no end: ${member.text}`)
  return members.map((one) => ({ ...one, text: one.text.replace(/;$/, '').replace(/^readonly /, '') }))
}

/** Whether a member has ended: after a semicolon, outside of all braces. */
function isWhole(text) {
  return text.endsWith(';') && text.split(/[{(]/).length === text.split(/[})]/).length
}

/** The name of a member; a method of a symbol's name goes by that. */
function nameOf({ text }) {
  const [, name] = /^(?:get |static |readonly )*(\w+|\[[^\]]+\])/.exec(text) ?? []
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
  for (const module of BROKERS) {
    const others = declarationsIn(module).filter(({ exported }) => exported)
    for (const { name } of others) names.set(name, others)
  }
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
    .map((member, at) => {
      const { text, doc } = member
      const name = nameOf(member)
      if (doc === '') throw new Error(`${owner}.${name} has no docstring`)
      const id = idOf(owner, member)
      const isLong = text.includes('\n')
      // Several signatures of one name have one anchor, at the first of them.
      const isFirst = members.findIndex((one) => nameOf(one) === name) === at
      const line = `- \`${isLong ? name : text}\`${isFirst ? `<a id="${id}"></a>` : ''}`
      const block = isLong ? `${line}\n${indent(code(text).trimEnd())}` : line
      return `${block}${isLong ? '\n\n' : '<br>\n'}${indent(doc)}`
    })
    .join('\n')
}

/** The anchor of a member. */
const idOf = (owner, member) => `${owner}-${nameOf(member)}`.toLowerCase().replaceAll(/[^\w-]/g, '')

/** A link to a name's heading, from a page or, by `folder`, from elsewhere. GitHub numbers headings that differ only in case. */
function linkTo(name, text = name, folder = '') {
  const page = PAGES.find(([, , , names]) => names.includes(name))
  if (page === undefined) throw new Error(`${name} is exported, but stands on no page: add it to PAGES`)
  const [file, , , names] = page
  const before = names.slice(0, names.indexOf(name)).filter((one) => one.toLowerCase() === name.toLowerCase()).length
  return `[\`${text}\`](${folder}${file}.md#${name.toLowerCase()}${before === 0 ? '' : `-${before}`})`
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
    if (names.has(name) && name !== declaration.name) inherited.push(`Has all members of ${linkTo(name, text)}, and:`)
    else if (base === undefined) inherited.push(`Extends \`${text}\`, and adds:`)
    else members = overridden(membersWithBases(base, new Map()).members, members)
  }
  return { inherited, members }
}

/** The members of a base, with those that are declared anew in their places, and then those that are new. */
function overridden(base, own) {
  const before = new Set(base.map(nameOf))
  const anew = (member) => own.find((one) => nameOf(one) === nameOf(member)) ?? member
  return [...base.map(anew), ...own.filter((one) => !before.has(nameOf(one)))]
}

/** Type aliases: the type as it is written, with the unexported types of its file that it uses, and its members, if any. */
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

/** The members that have a docstring. Of a member that stands in both branches of a condition, the first counts. */
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
  // What a name looks like stands between what is said of it and the example.
  const [words, ...examples] = doc.split(/\n\n(?=```)/)
  const parts = [`## \`${name}\`\n`, `${words}\n`]
  if (first.kind === 'function') {
    parts.push(code(all.map(({ lines }) => lines.join('\n').replace(/^export declare |;$/g, '')).join('\n')))
  } else if (first.kind === 'type') parts.push(describeType(first))
  else if (first.kind === 'const') parts.push(listOf(membersOf(bodyOf(first)), name))
  else parts.push(code(head))
  for (const example of examples) parts.push(`${example}\n`)
  if (first.kind === 'interface' || first.kind === 'class') parts.push(describeMembers(first, names))
  return parts
    .filter((part) => part !== undefined && part !== '')
    .join('\n')
    .trimEnd()
}

const GENERATED = '<!-- Written by `npm run docs` from the docstrings in src. Change those. -->'

/** The files of the reference by their paths in docs. */
function reference() {
  const names = exportsOf([INDEX, CLIENT, TARGET, METRICS].map((entry) => readFileSync(entry, 'utf8')).join(''))
  for (const name of names.keys()) linkTo(name)
  const files = new Map()
  for (const [file, title, introduction, group] of PAGES) {
    const sections = group.map((name) => describe(name, names))
    const contents = group.map((name) => linkTo(name)).join(' · ')
    files.set(`api/${file}.md`, pageOf(`# ${title}`, introduction, '[API reference](../api.md)', contents, ...sections))
  }
  files.set('api.md', indexOf(names))
  return files
}

const pageOf = (...parts) => `${[GENERATED, ...parts].join('\n\n').trimEnd()}\n`

/** All names and their members, with the first sentence of what is said of each. */
function indexOf(names) {
  const sections = PAGES.flatMap(([, title, , group]) => [
    `## ${title}`,
    ...group.map((name) => {
      const members = membersIn(names.get(name), name, names).map((member) => {
        const id = idOf(name, member)
        return `- \`${nameOf(member)}\`: ${firstSentence(member.doc)} [More](${pathTo(name)}#${id})`
      })
      const text = `${firstSentence(docOf(names.get(name), name))} ${linkTo(name, 'More', 'api/').replaceAll('`', '')}`
      return [`### \`${name}\``, text, ...(members.length === 0 ? [] : [members.join('\n')])].join('\n\n')
    }),
  ])
  const contents = PAGES.map(([file, title, introduction]) => `| [${title}](api/${file}.md) | ${introduction} |`)
  return pageOf(
    '# API reference',
    "Everything that `import ... from 'millrace'`, `'millrace/client'`, `'millrace/target'`, `'millrace/metrics'`, `'millrace/redis'` and `'millrace/nats'` offer. Lengths are in bytes, and times in milliseconds. Every property is read-only, except `connection.data`. There is a page for each subject:",
    ['| page | what it describes |', '|---|---|', ...contents].join('\n').replaceAll('(../', '('),
    'Below is an index of all names and their members.',
    ...sections,
  )
}

const pathTo = (name) => `api/${PAGES.find(([, , , names]) => names.includes(name))[0]}.md`

function docOf(declarations, name) {
  const { doc } = declarations.find((one) => one.name === name && one.doc !== '') ?? { doc: '' }
  if (doc === '') throw new Error(`${name} has no docstring`)
  return doc
}

/** The members that have an entry on the page of a name. */
function membersIn(declarations, name, names) {
  const declaration = declarations.find((one) => one.name === name)
  if (declaration.kind === 'interface' || declaration.kind === 'class')
    return membersWithBases(declaration, names).members
  if (declaration.kind === 'const') return membersOf(bodyOf(declaration))
  if (declaration.kind !== 'type' || declaration.lines[0].includes('= keyof typeof')) return []
  return once(membersOf(declaration.lines.filter((line) => line.startsWith('    '))))
}

function firstSentence(doc) {
  const [paragraph] = doc.split(/\n\n|\n```/)
  return /^.*?[.:](?=\s|$)/s.exec(paragraph)[0].replace(/:$/, '.').replaceAll('\n', ' ')
}

/** The files of the reference that are there. */
function present() {
  const folder = new URL('api/', OUTPUT)
  const pages = existsSync(folder) ? readdirSync(folder).map((name) => `api/${name}`) : []
  return [...pages, ...(existsSync(new URL('api.md', OUTPUT)) ? ['api.md'] : [])]
}

const files = reference()
const others = present().filter((path) => !files.has(path))
if (process.argv.includes('--check')) {
  const read = (path) => (existsSync(new URL(path, OUTPUT)) ? readFileSync(new URL(path, OUTPUT), 'utf8') : undefined)
  const stale = [...files].filter(([path, text]) => read(path) !== text).map(([path]) => path)
  for (const path of [...stale, ...others]) {
    console.error(`docs/${path} is not what the docstrings say: run npm run docs`)
    process.exitCode = 1
  }
} else {
  mkdirSync(new URL('api/', OUTPUT), { recursive: true })
  for (const path of others) rmSync(new URL(path, OUTPUT))
  for (const [path, text] of files) writeFileSync(new URL(path, OUTPUT), text)
}
