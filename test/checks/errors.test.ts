// Programs tell errors by their codes, so that words may change: each way to make a mistake has its code, and the class that
// the catalogue says.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { natsBroker } from '../../src/brokers/natsBroker.js'
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { callerErrors, isErrorCode } from '../../src/checks/errors.js'
import { errorOf, failureOf } from '../../src/cluster/orders.js'
import { createServer, type ErrorCode, type Message, prepare, route } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { connections } from '../support/connections.js'
import { masked, TEXT } from '../support/frames.js'
import { serving } from '../support/serving.js'
import { settle } from '../support/settle.js'

/** Calls a function with what its types forbid. */
function wrongly(call: (...args: never[]) => unknown, ...args: readonly unknown[]): unknown {
  return Reflect.apply(call, undefined, args)
}

function isOf(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof callerErrors[code][0], String(error))
    assert.equal(Reflect.get(error, 'code'), code, error.message)
    assert.doesNotMatch(error.stack ?? '', /callerError/, 'the stack begins where the mistake is found')
    return true
  }
}

describe('what is thrown at once', () => {
  const server = createServer()
  const large = { module: '/does/not/exist.js' }
  const cases: readonly (readonly [ErrorCode, string, () => unknown])[] = [
    ['ERR_OPTION_UNKNOWN', 'a name that is no option', () => wrongly(createServer, { maxPayload: 1 })],
    ['ERR_OPTION_KIND', 'no object', () => wrongly(createServer, 'x')],
    ['ERR_OPTION_KIND', 'a string for a number', () => wrongly(createServer, { maxMessage: '1' })],
    ['ERR_OPTION_KIND', 'an entry of a list', () => createServer({ origins: ['*'] })],
    ['ERR_OPTION_RANGE', 'a limit of a server', () => createServer({ maxMessage: -1 })],
    ['ERR_OPTION_RANGE', 'a limit of a route', () => route({ maxFragments: 0 })],
    ['ERR_OPTION_RANGE', 'a number of the pool', () => createServer({ large: { ...large, threads: 0 } })],
    ['ERR_OPTION_RANGE', 'a number of the broker', () => redisBroker('redis://127.0.0.1', { timeout: 0.5 })],
    ['ERR_OPTION_MISSING', 'large without a module', () => wrongly(createServer, { large: {} })],
    ['ERR_ARGUMENT_SURPLUS', 'a callback', () => wrongly(createServer, {}, () => undefined)],
    ['ERR_ROUTE', 'handlers without `route`', () => wrongly(createServer, { routes: { '/a': {} } })],
    ['ERR_ROUTE', 'a path that is none', () => createServer({ routes: { chat: route({}) } })],
    ['ERR_PROXY_ADDRESS', 'a proxy by name', () => createServer({ trustedProxies: ['localhost'] })],
    ['ERR_LARGE_MODULE_MISSING', 'a module that is not there', () => createServer({ large })],
    ['ERR_NO_TLS', 'a certificate without TLS', () => server.setSecureContext({})],
    ['ERR_ARGUMENT_KIND', 'handleUpgrade', () => wrongly(server.handleUpgrade, {}, {}, {})],
    ['ERR_ARGUMENT_KIND', 'what can not be sent', () => wrongly(prepare, 5)],
    ['ERR_REDIS_ADDRESS', 'an address of Redis', () => redisBroker('http://127.0.0.1')],
    ['ERR_NATS_ADDRESS', 'an address of NATS', () => natsBroker('nats://127.0.0.1,http://127.0.0.1')],
    ['ERR_NATS_PREFIX', 'a beginning of subjects', () => natsBroker('nats://127.0.0.1', { prefix: 'a.*.' })],
  ]
  for (const [code, what, call] of cases) test(`${code}: ${what}`, () => assert.throws(call, isOf(code)))
})

describe('what a promise rejects with', () => {
  const cases: readonly (readonly [ErrorCode, string, unknown])[] = [
    ['ERR_OPTION_UNKNOWN', 'a name', { hostname: '::1' }],
    ['ERR_OPTION_KIND', 'a port in a string', { port: '1' }],
    ['ERR_OPTION_RANGE', 'a descriptor', { fd: -1 }],
    ['ERR_OPTION_CONFLICT', 'two places', { port: 1, path: '/tmp/x' }],
    ['ERR_OPTION_CONFLICT', 'a descriptor and a host', { fd: 3, host: '::1' }],
    ['ERR_OPTION_MISSING', 'TLS without a certificate', { tls: {} }],
    ['ERR_ARGUMENT_KIND', 'a path as a string', '/tmp/x'],
  ]
  for (const [code, what, options] of cases) {
    test(`${code}: listen, ${what}`, async () => {
      const server = createServer()
      await assert.rejects(async () => Reflect.apply(server.listen, server, [options]), isOf(code))
      await server.close()
    })
  }

  test('a server that is closed, one without acceptors, and codes of Close', async () => {
    const server = createServer()
    await assert.rejects(server.reload(), isOf('ERR_NO_ACCEPTORS'))
    await assert.rejects(server.close(1005), isOf('ERR_CLOSE_CODE'))
    await assert.rejects(server.close(1001, 'x'.repeat(124)), isOf('ERR_CLOSE_REASON'))
    await server.close()
    await assert.rejects(server.listen(0), isOf('ERR_SERVER_CLOSED'))
  })
})

describe('on a connection', () => {
  test('sending', async () => {
    const { peer } = connections({}).connect()
    assert.throws(() => peer.close(5), isOf('ERR_CLOSE_CODE'))
    assert.throws(() => peer.close(1000, 'x'.repeat(124)), isOf('ERR_CLOSE_REASON'))
    assert.throws(() => peer.ping('x'.repeat(126)), isOf('ERR_PING_TOO_LONG'))
    assert.throws(() => Reflect.apply(peer.send, peer, [5]), isOf('ERR_ARGUMENT_KIND'))
    assert.throws(() => Reflect.apply(peer.sendStream, peer, ['x']), isOf('ERR_ARGUMENT_KIND'))
    const prepared = prepare('x')
    prepared.release()
    assert.throws(() => peer.send(prepared), isOf('ERR_PREPARED_RELEASED'))
    peer.sendFragment('a', false)
    assert.throws(() => peer.send('b'), isOf('ERR_MESSAGE_UNDER_WAY'))
    assert.throws(() => peer.sendStream(['b']), isOf('ERR_MESSAGE_UNDER_WAY'))
    assert.throws(() => peer.sendFragment(Buffer.from('b'), true), isOf('ERR_FRAGMENT_KIND'))
    const pings = Array.from({ length: 65 }, () => peer.ping())
    await assert.rejects(pings[0] ?? Promise.resolve(), isOf('ERR_PINGS_UNANSWERED'))
    peer.terminate()
    await assert.rejects(pings[1] ?? Promise.resolve(), isOf('ERR_CONNECTION_ENDED'))
  })

  test('topics', () => {
    const { peer } = connections({ maxSubscriptions: 1 }).connect()
    assert.throws(() => peer.subscribe(''), isOf('ERR_TOPIC_NAME'))
    peer.subscribe('a')
    assert.throws(() => peer.subscribe('b'), isOf('ERR_MAX_SUBSCRIPTIONS'))
    peer.terminate()
  })

  test('a message after its handler, and one that is no JSON', async () => {
    const kept: Message[] = []
    const errors: unknown[] = []
    const { wire } = connections({
      message(_, message) {
        kept.push(message)
        try {
          message.json()
        } catch (error) {
          errors.push(error)
        }
      },
    }).connect()
    wire.feed(masked(TEXT, Buffer.from('{')))
    await settle()
    assert.throws(() => kept[0]?.text(), isOf('ERR_MESSAGE_GONE'))
    assert.equal(Reflect.get(Object(errors[0]), 'code'), 'ERR_INVALID_JSON')
  })
})

test('an answer of upgrade that is none, a header, and a subprotocol that was not offered: told to upgradeFailed', async (t) => {
  const codes: unknown[] = []
  const answers: readonly unknown[] = [null, { headers: { Upgrade: 'x' } }, { protocol: 'chat' }, { code: 401 }]
  const server = await serving(t, {
    upgrade: ({ query }) => Object(answers[Number(query.get('n'))] ?? []),
    upgradeFailed: (_, error) => void codes.push(Reflect.get(Object(error), 'code')),
  })
  for (const n of answers.keys()) await assert.rejects(WsClient.open(`ws://127.0.0.1:${server.port}/?n=${n}`))
  assert.deepEqual(codes, ['ERR_UPGRADE_ANSWER', 'ERR_HEADER', 'ERR_UPGRADE_PROTOCOL', 'ERR_OPTION_UNKNOWN'])
})

test('an error that an acceptor reports has its class and its code in the primary', () => {
  const failed = new RangeError('maxTopics is 1')
  const error = errorOf(failureOf(Object.assign(failed, { code: 'ERR_MAX_TOPICS' })))
  assert.ok(error instanceof RangeError)
  assert.equal(Reflect.get(error, 'code'), 'ERR_MAX_TOPICS')
  assert.equal(Reflect.get(errorOf(failureOf({ message: 'x', code: 'EADDRINUSE' })), 'code'), 'EADDRINUSE')
  assert.equal(isErrorCode('EADDRINUSE'), false)
  assert.equal(isErrorCode('toString'), false)
})
