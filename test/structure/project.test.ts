// What holds for the project as a whole: what it exports, what it depends on, and how its files look. A change of any of
// these is a decision, so it must be made here, too.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as index from '../../src/index.js'
import { codeOf, read, sourcesIn, tokensOf } from './source.js'

/** The public API: values, then types. Adding a name is a promise for years. */
const VALUES = [
  'CloseCode',
  'Message',
  'PreparedMessage',
  'ProtocolViolation',
  'createPresence',
  'createServer',
  'prepare',
  'route',
  'serveTopics',
]
const TYPES = [
  'Acceptance',
  'Broker',
  'BrokerStatistics',
  'ByTier',
  'CertificateName',
  'ClientCertificate',
  'CloseOptions',
  'ClusterOptions',
  'CommonOptions',
  'Connection',
  'ConnectionLimits',
  'DeflateOptions',
  'DeflateStatistics',
  'DeflatedBytes',
  'DurationHistogram',
  'EachDirection',
  'ErrorCode',
  'Handlers',
  'Interrupted',
  'LargeContext',
  'LargeHandler',
  'LargeMessage',
  'LargeOptions',
  'LargeReply',
  'LargeRouteOptions',
  'ListenOptions',
  'MessageStream',
  'Messages',
  'Metrics',
  'Opcode',
  'OutputPolicy',
  'OwnBytes',
  'ProcessStatistics',
  'Receive',
  'Rejection',
  'ResponseHeaders',
  'Route',
  'RouteOptions',
  'SendOptions',
  'SendResult',
  'SendStreamOptions',
  'Sendable',
  'Server',
  'ServerLimits',
  'ServerMetrics',
  'ServerOptions',
  'StreamChunk',
  'StreamSource',
  'Tier',
  'TlsCipher',
  'TlsFacts',
  'Upgrade',
  'UpgradeRequest',
  'ViolationName',
  'Gap',
  'GapReason',
  'HistoryOptions',
  'Resumption',
  'SubscribeOptions',
  'TopicsOptions',
  'TopicListener',
  'Member',
  'Presence',
  'PresenceEvent',
  'PresenceOptions',
  'PresenceServer',
  'PresentConnection',
  'TopicMessage',
]

/** Packages that may be needed when it runs. */
const DEPENDENCIES = ['piscina']
/** Packages that only those install who use what needs them. */
const OPTIONAL_PEERS = [
  '@nats-io/transport-node',
  '@opentelemetry/exporter-metrics-otlp-http',
  '@redis/client',
  'pino',
  'pino-pretty',
  'prom-client',
]

/** Lines of a file, by the folder that it lies in. The codec's parser is one automaton, which is not cut in two. */
const MOST_LINES = { src: 300, assembly: 400 }

describe('the public API', () => {
  test('exports these values', () => assert.deepEqual(Object.keys(index).toSorted(), VALUES.toSorted()))

  test('exports these names, types included', () => {
    const code = codeOf(read('src/index.ts'))
    const names: string[] = []
    for (const [at, token] of code.entries()) {
      if (token.text !== 'export' || token.kind !== 'word') continue
      let next = at + 1
      if (code[next]?.text === 'type') next++
      assert.equal(code[next]?.text, '{', 'it composes: it exports lists of names, and declares nothing')
      for (next++; code[next]?.text !== '}'; next++) {
        const [word, following] = [code[next], code[next + 1]]
        const exported = following?.text === ',' || following?.text === '}'
        if (word?.kind === 'word' && exported) names.push(word.text)
      }
    }
    assert.deepEqual(names.toSorted(), [...VALUES, ...TYPES].toSorted())
  })
})

describe('package.json', () => {
  const manifest: Record<string, unknown> = JSON.parse(read('package.json'))

  test('has no dependency that is not allowed', () => {
    for (const kind of ['dependencies', 'optionalDependencies', 'bundledDependencies', 'bundleDependencies']) {
      for (const name of Object.keys(Object(manifest[kind]))) assert.ok(DEPENDENCIES.includes(name), `${kind}: ${name}`)
    }
  })

  test('has no peer that is not allowed, and none that is not optional', () => {
    assert.deepEqual(Object.keys(Object(manifest['peerDependencies'])), OPTIONAL_PEERS)
    const optional = Object.fromEntries(OPTIONAL_PEERS.map((name) => [name, { optional: true }]))
    assert.deepEqual(manifest['peerDependenciesMeta'], optional)
  })

  test('runs nothing on the machine of whoever installs it', () => {
    for (const name of ['preinstall', 'install', 'postinstall']) {
      assert.equal(Object.hasOwn(Object(manifest['scripts']), name), false, name)
    }
    assert.equal('gypfile' in manifest, false)
  })

  test('promises the Node versions of the design', () => {
    assert.deepEqual(manifest['engines'], { node: '^20.19 || >=22.12' })
    assert.equal(manifest['type'], 'module')
  })
})

describe('each file of src and assembly', () => {
  for (const path of [...sourcesIn('src'), ...sourcesIn('assembly')]) {
    const most = path.startsWith('src/') ? MOST_LINES.src : MOST_LINES.assembly
    test(path, () => {
      const source = read(path)
      const lines = source.split('\n').length - 1
      assert.ok(lines <= most, `${lines} lines, at most ${most}`)
      const tokens = tokensOf(source)
      // A program may say first how it is run.
      const first = source.startsWith('#!') ? tokensOf(source.slice(source.indexOf('\n')))[0] : tokens[0]
      assert.ok(first?.kind === 'comment' && first.text.length > 20, 'it begins with a comment that says what it is')
      assert.ok(source.endsWith('\n') && !source.endsWith('\n\n'))
    })
  }
})

describe('no file switches the types off', () => {
  for (const path of ['src', 'test', 'bench'].flatMap(sourcesIn)) {
    test(path, () => {
      const tokens = tokensOf(read(path))
      for (const { kind, text } of tokens) {
        if (kind === 'comment') assert.doesNotMatch(text, /@ts-(?:ignore|nocheck|expect-error)|biome-ignore-all/)
      }
      const code = tokens.filter(({ kind }) => kind !== 'comment')
      for (const [at, { kind, text }] of code.entries()) {
        if (kind !== 'word' || text !== 'any') continue
        // Promise.any is a method; a type stands behind a colon, a bar, an angle bracket and the like.
        assert.doesNotMatch(code[at - 1]?.text ?? '', /^(?:[:|&<,=>([]|as|extends|keyof|satisfies)$/, `any in ${path}`)
      }
    })
  }
})

test('each test begins with a comment on why it exists, and has less than 300 lines', () => {
  for (const path of sourcesIn('test').filter((name) => name.endsWith('.test.ts'))) {
    const source = read(path)
    assert.equal(tokensOf(source)[0]?.kind, 'comment', path)
    assert.ok(source.split('\n').length <= 300, path)
  }
})
