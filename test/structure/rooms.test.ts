// The rooms of ARCHITECTURE.md: what may import what, and who alone may touch WebAssembly and Node's private API. The rule
// keeps the core pure, and the private API in one place for the day when Node changes it.
import assert from 'node:assert/strict'
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { describe, test } from 'node:test'
import { ROOMS } from './architecture.js'
import { codeOf, importsOf, LOADERS, read, sourcesIn } from './source.js'

/** Files that need a package which only their users install. */
const OPTIONAL: Readonly<Record<string, string>> = {
  'src/brokers/redisConnection.ts': '@redis/client',
  'src/brokers/natsConnection.ts': '@nats-io/transport-node',
  'src/metrics/prometheus.ts': 'prom-client',
  'src/command/pinoLog.ts': 'pino',
  'src/command/prettyStream.ts': 'pino-pretty',
}

/** Which room a path below src/ lies in. */
function roomOf(path: string): string {
  return path.split('/')[1] ?? ''
}

const sources = sourcesIn('src')

describe('a room imports only from rooms above it', () => {
  for (const path of sources) {
    const room = ROOMS.indexOf(roomOf(path))
    test(path, () => {
      assert.ok(room >= 0)
      for (const specifier of importsOf(read(path))) {
        if (!specifier.startsWith('.')) continue
        assert.match(specifier, /\.js$/, `${specifier}: modules are imported by the name they have when they run`)
        const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
        assert.ok(target.startsWith('src/'), `${specifier} is outside of src`)
        const other = ROOMS.indexOf(roomOf(target))
        assert.ok(other >= 0 && other <= room, `${ROOMS[room]} must not import from ${roomOf(target)}: ${specifier}`)
      }
    })
  }
})

/** What a file imports from this project, as paths. */
function ownImports(path: string): string[] {
  const own = importsOf(read(path)).filter((specifier) => specifier.startsWith('.'))
  return own.map((specifier) => posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts'))
}

test('no file imports itself by way of others, types included', () => {
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    const begins = way.indexOf(path)
    assert.equal(begins, -1, `a circle: ${[...way.slice(begins), path].join(' > ')}`)
    if (done.has(path)) return
    for (const next of ownImports(path)) if (!next.endsWith('.generated.ts')) visit(next, [...way, path])
    done.add(path)
  }
  for (const path of sources) visit(path, [])
  assert.ok(done.size >= sources.length)
})

describe('the parts of a room', () => {
  const apart = [
    ['src/connection/receiving', 'src/connection/sending'],
    ['src/connection/sending', 'src/connection/receiving'],
    ['src/server/admission', 'src/server/lanes'],
  ] as const
  for (const [part, other] of apart) {
    test(`${part} imports nothing from ${other}`, () => {
      const files = sourcesIn(part)
      assert.ok(files.length > 0)
      for (const path of files) {
        for (const next of ownImports(path)) assert.equal(next.startsWith(`${other}/`), false, `${path}: ${next}`)
      }
    })
  }
})

describe('what comes from outside', () => {
  test('the protocol needs nothing but hashes and buffers', () => {
    for (const path of sources.filter((name) => roomOf(name) === 'protocol')) {
      for (const specifier of importsOf(read(path))) {
        if (!specifier.startsWith('.'))
          assert.ok(['node:crypto', 'node:buffer'].includes(specifier), `${path}: ${specifier}`)
      }
    }
  })

  test('the protocol does no I/O and keeps no time', () => {
    const forbidden = [
      'process',
      'setTimeout',
      'setInterval',
      'setImmediate',
      'queueMicrotask',
      'performance',
      'Date',
      'fetch',
    ]
    for (const path of sources.filter((name) => roomOf(name) === 'protocol')) {
      const used = codeOf(read(path)).flatMap(({ kind, text }) => (kind === 'word' ? [text] : []))
      for (const word of forbidden) assert.equal(used.includes(word), false, `${path}: ${word}`)
    }
  })

  test("Node's modules are imported with their prefix, packages only where they are dependencies", () => {
    const { dependencies = {} }: { dependencies?: Record<string, string> } = JSON.parse(read('package.json'))
    for (const path of sources) {
      for (const specifier of importsOf(read(path))) {
        if (specifier.startsWith('.') || specifier.startsWith('node:')) continue
        if (specifier === '?' && LOADERS.includes(path)) continue
        assert.equal(isBuiltin(specifier), false, `${path}: write node:${specifier}`)
        const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
        if (OPTIONAL[path] === name) continue
        assert.ok(name in dependencies, `${path}: ${specifier} is no dependency`)
      }
    }
  })

  test('nothing that the main entry loads needs an optional package', () => {
    const loaded = new Set(['src/index.ts'])
    for (const path of loaded) {
      for (const specifier of importsOf(read(path)).filter((name) => name.startsWith('.'))) {
        const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
        if (!target.includes('.generated.')) loaded.add(target)
      }
    }
    assert.ok(loaded.size > 40)
    for (const path of Object.keys(OPTIONAL)) assert.equal(loaded.has(path), false, path)
  })

  test('only node: modules that exist', () => {
    for (const path of sources) {
      for (const specifier of importsOf(read(path))) {
        if (specifier.startsWith('node:')) assert.ok(isBuiltin(specifier), `${path}: ${specifier}`)
      }
    }
  })
})

/** The code of a file as one text, without comments and blanks; what stands in strings and templates included. */
function compact(path: string): string {
  return codeOf(read(path))
    .map(({ kind, text }) => (kind === 'string' ? `'${text}'` : text))
    .join(' ')
}

describe('only one room says', () => {
  const rules: readonly (readonly [room: string, what: string, pattern: RegExp])[] = [
    ['codec', 'WebAssembly', /WebAssembly/],
    ['internals', 'process.binding', /process \. binding|\bprocess , 'binding'|process \[ 'binding'/],
    ['internals', '_handle', /\b_handle\b/],
    ['internals', 'writeBuffer(', /\bwriteBuffer\b/],
    ['internals', 'useUserBuffer', /\buseUserBuffer\b/],
    ['internals', 'onread', /\bonread\b/],
    ['internals', 'onconnection', /\bonconnection\b/],
    ['internals', 'WriteWrap and ShutdownWrap', /\b(?:Write|Shutdown)Wrap\b/],
    ['internals', 'streamBaseState', /\bstreamBaseState\b/],
  ]
  for (const [room, what, pattern] of rules) {
    test(`${what}: ${room}`, () => {
      const saying = sources.filter((path) => pattern.test(compact(path)))
      assert.notDeepEqual(saying, [], 'nobody says it: the rule has lost its meaning')
      assert.deepEqual(
        saying.filter((path) => roomOf(path) !== room),
        [],
      )
    })
  }
})

describe('the generated constants of the codec', () => {
  const GENERATED = ['src/codec/wasm.generated.ts', 'src/codec/deflate.generated.ts']
  /** Tests that look into the codec from outside on purpose: they poison its tables, or go through all that it exports. */
  const LOOKING_IN = ['test/protocol/violation.test.ts', 'test/support/debugCodec.ts', 'test/support/poison.ts']

  function importing(folders: readonly string[]): string[] {
    return folders.flatMap(sourcesIn).filter((path) =>
      importsOf(read(path)).some((specifier) => {
        const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts')
        return specifier.startsWith('.') && GENERATED.includes(target)
      }),
    )
  }

  test('only the codec knows them: everyone else speaks of frames, through its classes', () => {
    const paths = importing(['src', 'bench'])
    assert.ok(paths.length >= 3, 'nobody imports them: the rule has lost its meaning')
    assert.deepEqual(
      paths.filter((path) => !path.startsWith('src/codec/')),
      [],
    )
  })

  test('of the tests, those of the codec, and few others', () => {
    assert.deepEqual(
      importing(['test']).filter((path) => !path.startsWith('test/codec/')),
      LOOKING_IN,
    )
  })
})

test('connections know nothing of HTTP: what travels before the first frame is written by the lanes', () => {
  const text = /HTTP\/1|Sec-WebSocket|\\r\\n/i
  const saying = sources.filter((path) =>
    codeOf(read(path)).some(({ kind, text: said }) => kind !== 'word' && text.test(said)),
  )
  assert.ok(
    saying.some((path) => roomOf(path) === 'protocol'),
    'nobody says it: the rule has lost its meaning',
  )
  assert.deepEqual(
    saying.filter((path) => roomOf(path) === 'connection'),
    [],
  )
})

describe('the assembly', () => {
  for (const path of sourcesIn('assembly')) {
    test(`${path} imports only its own`, () => {
      for (const specifier of importsOf(read(path))) {
        assert.match(specifier, /^\.\/[a-z0-9]+$/i)
        assert.ok(sourcesIn('assembly').includes(`assembly/${specifier.slice(2)}.ts`), specifier)
      }
    })
  }
})
