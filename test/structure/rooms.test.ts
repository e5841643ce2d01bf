// The shape of the source: which room may import which, who may say what, and how long a file may be.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, sep } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** From the top of the house to the bottom: a room imports from those above it, and from itself. */
const ROOMS = [
  'protocol',
  'codec',
  'internals',
  'transport',
  'payload',
  'compression',
  'connection',
  'pubsub',
  'server',
  'cluster',
  'load',
  'target',
  'index.ts',
  'cli.ts',
]

interface Source {
  /** Path below the repository, with slashes. */
  readonly path: string
  readonly text: string
  /** The text without comments, so that a word in prose is no use of it. */
  readonly code: string
}

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.generated.ts') && !name.endsWith('.d.ts'))
    .map((name) => {
      const text = readFileSync(join(root, folder, name), 'utf8')
      const path = relative(root, join(root, folder, name))
        .split(sep)
        .join('/')
      return { path, text, code: text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '$1') }
    })
}

/** Every module that a file names in an import or export, static or dynamic. */
function imports({ code }: Source): string[] {
  const specifiers = /\b(?:from|import)\s*\(?\s*(['"])([^'"]+)\1/g
  return [...code.matchAll(specifiers)].map((match) => match[2] ?? '')
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}

const src = sources('src')
const assembly = sources('assembly')

test('there is source to look at', () => {
  assert.ok(src.length > 25 && assembly.length >= 6)
  assert.ok(src.flatMap(imports).length > 80)
})

test('every file is in a known room', () => {
  for (const { path } of src) assert.ok(ROOMS.includes(roomOf(path)), path)
})

test('a room imports only from rooms above it', () => {
  for (const source of src) {
    const here = ROOMS.indexOf(roomOf(source.path))
    for (const specifier of imports(source).filter((name) => name.startsWith('.'))) {
      const target = posix.join(dirname(source.path), specifier).replace(/\.js$/, '.ts')
      const there = ROOMS.indexOf(roomOf(target))
      assert.ok(there >= 0 && there <= here, `${source.path} imports ${specifier}`)
    }
  }
})

test('the protocol imports nothing but itself, node:crypto and node:buffer', () => {
  for (const source of src.filter(({ path }) => roomOf(path) === 'protocol')) {
    for (const specifier of imports(source)) {
      assert.ok(
        /^\.\//.test(specifier) || ['node:crypto', 'node:buffer'].includes(specifier),
        `${source.path}: ${specifier}`,
      )
    }
  }
})

test('the assembly imports nothing but itself', () => {
  for (const source of assembly) {
    for (const specifier of imports(source)) assert.match(specifier, /^\.\//, source.path)
  }
})

for (const [word, room] of [
  [/\bWebAssembly\b/, 'codec'],
  [/\bbinding['"]?\)?\s*[(.]|process, 'binding'|process\.binding/, 'internals'],
  [/\._handle\b|'_handle'/, 'internals'],
  [/\.(writeBuffer|useUserBuffer|onread|onconnection)\b/, 'internals'],
] as const) {
  test(`only src/${room} says ${word.source}`, () => {
    const users = new Set(src.filter(({ code }) => word.test(code)).map(({ path }) => roomOf(path)))
    assert.deepEqual([...users], [room])
  })
}

test('a file has at most 400 lines, and says first why it exists', () => {
  for (const { path, text } of [...src, ...assembly]) {
    assert.ok(text.split('\n').length <= 400, `${path} has ${text.split('\n').length} lines`)
    assert.match(text.replace(/^#!.*\n/, ''), /^\/\/ \S/, path)
  }
})

test('no any, no silenced compiler', () => {
  for (const { path, code, text } of src) {
    assert.doesNotMatch(code, /[:<,|&]\s*any\b|\bas any\b/, path)
    assert.doesNotMatch(text, /@ts-(ignore|nocheck|expect-error)/, path)
  }
})

test('the public API is this and no more', async () => {
  const api = await import('../../src/index.js')
  assert.deepEqual(Object.keys(api).sort(), ['CloseCode', 'Message', 'ProtocolViolation', 'Server', 'createServer'])
})

test('a user installs few packages, each on purpose', () => {
  const manifest: { dependencies?: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  )
  const allowed = ['piscina']
  for (const name of Object.keys(manifest.dependencies ?? {})) assert.ok(allowed.includes(name), name)
})
