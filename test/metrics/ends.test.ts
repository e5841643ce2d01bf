// How connections come and end is counted: each close code, each violation, each answer to a handshake; and nothing of a
// connection stays in the numbers when it has ended.
import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { createServer } from '../../src/index.js'
import { Counts } from '../../src/metrics/counts.js'
import { metricsOf } from '../../src/metrics/snapshot.js'
import { closeLabels, statusLabels } from '../../src/metrics/table.js'
import { ProtocolViolation, type ViolationName, violations } from '../../src/protocol/violation.js'
import { buildFrame, close, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

test('each violation has a counter of its own', () => {
  const counts = new Counts()
  const names = Object.keys(violations) as ViolationName[]
  for (const [at, name] of names.entries()) for (let times = 0; times <= at; times++) counts.violated(name)
  assert.deepEqual(metricsOf(counts.values).violations, Object.fromEntries(names.map((name, at) => [name, at + 1])))
})

test('each close code has a counter, and those that applications choose share one for their range', () => {
  const counts = new Counts()
  for (let code = 1000; code < 5000; code++) counts.closed(code)
  const { connectionsClosed } = metricsOf(counts.values)
  const named = closeLabels.filter((label) => /^\d{4}$/.test(label))
  for (const label of named) assert.equal(connectionsClosed[label], 1, label)
  assert.equal(connectionsClosed['3000-3999'], 1000)
  assert.equal(connectionsClosed['4000-4999'], 1000)
  assert.equal(connectionsClosed.other, 2000 - named.length)
})

test('each answer to a handshake has a counter, others by their class', () => {
  const counts = new Counts()
  for (let status = 300; status < 600; status++) counts.answered(status)
  counts.answered(101)
  const { handshakes } = metricsOf(counts.values)
  for (const label of statusLabels.filter((one) => !one.endsWith('xx'))) assert.equal(handshakes[label], 1, label)
  assert.equal(
    Object.values(handshakes).reduce((sum, one) => sum + one, 0),
    301,
  )
})

test('what clients do wrong, and how connections end, counts once for each', async (t) => {
  const server = await serving(t, {
    maxMessage: 1000,
    message(connection, message) {
      if (message.text() === 'throw') throw new Error('a mistake of the application')
      if (message.text() === 'close') connection.close(4321)
    },
    error: () => undefined,
  })
  const wrong: [Buffer, ViolationName | undefined, number][] = [
    [buildFrame({ opcode: TEXT, payload: 'x' }), 'MASK_MISSING', 1002],
    [masked(3), 'RESERVED_OPCODE', 1002],
    [masked(TEXT, Buffer.of(0xff)), 'INVALID_UTF8', 1007],
    [masked(TEXT, Buffer.alloc(1001, 'x')), 'MESSAGE_TOO_LONG', 1009],
    [masked(TEXT, 'throw'), undefined, 1011],
    [close(1000), undefined, 1000],
    [close(), undefined, 1005],
    [close(3456), undefined, 3456],
  ]
  for (const [bytes] of wrong) {
    const client = await SocketClient.upgraded(server.port ?? 0)
    client.write(bytes)
    await client.end()
    await client.destroy()
  }
  const gone = await SocketClient.upgraded(server.port ?? 0)
  await gone.destroy()
  await eventually(() => server.connections.size === 0, 'all have ended')
  const metrics = await server.metrics()
  assert.equal(metrics.connectionsOpened, 9)
  assert.equal(metrics.connectionsOpen, 0)
  const { connectionsClosed, handlerErrors } = metrics
  assert.deepEqual(Object.fromEntries(Object.entries(connectionsClosed).filter(([, count]) => count > 0)), {
    1000: 1,
    1002: 2,
    1005: 1,
    1006: 1,
    1007: 1,
    1009: 1,
    1011: 1,
    '3000-3999': 1,
  })
  assert.deepEqual(
    Object.entries(metrics.violations).filter(([, count]) => count > 0),
    [
      ['RESERVED_OPCODE', 1],
      ['MASK_MISSING', 1],
      ['MESSAGE_TOO_LONG', 1],
      ['INVALID_UTF8', 1],
    ],
  )
  assert.equal(handlerErrors, 1)
})

test('handshakes count by their answer, those of the second lane, too', async (t) => {
  const server = await serving(t, {
    upgrade: ({ path }) => (path === '/no' ? { status: 403 } : path === '/teapot' ? { status: 418 } : undefined),
  })
  for (const target of ['/', '/no', '/no', '/teapot']) {
    const client = await SocketClient.open(server.port ?? 0)
    client.write(upgradeRequest({}, `GET ${target} HTTP/1.1`))
    await client.response()
    await client.destroy()
  }
  const broken = await SocketClient.open(server.port ?? 0)
  broken.write(upgradeRequest().replace('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 12'))
  assert.equal((await broken.response()).status, 426)
  await broken.destroy()
  const { handshakes } = await server.metrics()
  assert.deepEqual(Object.fromEntries(Object.entries(handshakes).filter(([, count]) => count > 0)), {
    101: 1,
    403: 2,
    426: 1,
    '4xx': 1,
  })
  assert.equal(server.handshakes, 1)
})

test('connections leave nothing behind in the numbers, and a server that has closed still tells them', async () => {
  const server = createServer({ open: (connection) => connection.subscribe('all') })
  await server.listen({ host: '127.0.0.1' })
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 40 }, () => SocketClient.upgraded(server.port ?? 0)))
    server.publish('all', new Uint8Array(100_000))
    await Promise.all(clients.map((client) => client.destroy()))
  }
  await eventually(() => server.connections.size === 0, 'all have ended')
  const before = await server.metrics()
  assert.deepEqual([before.connectionsOpen, before.subscriptions, before.topics, before.bufferedBytes], [0, 0, 0, 0])
  const closing = server.close()
  assert.equal((await server.metrics()).connectionsOpened, 200)
  await closing
  const after = await server.metrics()
  assert.equal(after.connectionsOpened, 200)
  assert.equal(after.messagesSent['64bit'].binary, before.messagesSent['64bit'].binary)
})

test('output that a client does not read shows, until it is read or the client has gone', async (t) => {
  const server = await serving(t, { open: (connection) => void connection.send(new Uint8Array(16 * 1024 * 1024)) })
  const client = await SocketClient.open(server.port ?? 0)
  client.socket.pause()
  client.write(upgradeRequest())
  await eventually(() => server.connections.size === 1, 'the connection is open')
  const { bufferedBytes, payloadMemory, payloadMemoryLimit } = await server.metrics()
  assert.ok(bufferedBytes > 1024 * 1024 && bufferedBytes <= payloadMemory && payloadMemory <= payloadMemoryLimit)
  await client.destroy()
  await eventually(() => server.connections.size === 0, 'the connection has ended')
  assert.equal((await server.metrics()).bufferedBytes, 0)
})

test('whoever listens on diagnostics_channel is told of each event, with the connection', async (t) => {
  const events: [string, Record<string, unknown>][] = []
  const names = ['connection:open', 'connection:close', 'connection:violation', 'handshake:refused', 'message:error']
  const listener = (message: unknown, name: string | symbol): void =>
    void events.push([String(name), message as Record<string, unknown>])
  for (const name of names) subscribe(`millrace:${name}`, listener)
  t.after(() => {
    for (const name of names) unsubscribe(`millrace:${name}`, listener)
  })
  const failure = new Error('a mistake of the application')
  const server = await serving(t, {
    upgrade: ({ path }) => (path === '/no' ? { status: 403, body: 'not you' } : undefined),
    error: () => undefined,
    message() {
      throw failure
    },
  })
  const refused = await SocketClient.open(server.port ?? 0)
  refused.write(upgradeRequest({}, 'GET /no HTTP/1.1'))
  await refused.response()
  await refused.destroy()
  for (const bytes of [masked(TEXT, 'x'), masked(3)]) {
    const client = await SocketClient.upgraded(server.port ?? 0)
    client.write(bytes)
    await client.end()
    await client.destroy()
  }
  await eventually(
    () => events.filter(([name]) => name === 'millrace:connection:close').length === 2,
    'both have ended',
  )
  assert.deepEqual(
    events.map(([name]) => name.replace('millrace:', '')),
    [
      ...['handshake:refused', 'connection:open', 'message:error', 'connection:close'],
      ...['connection:open', 'connection:violation', 'connection:close'],
    ],
  )
  const [first, open, error, closed, , violation] = events.map(([, message]) => message)
  assert.deepEqual(first, { status: 403, reason: 'not you', remoteAddress: '127.0.0.1' })
  assert.equal(open?.['role'], 'server')
  assert.equal(error?.['connection'], open?.['connection'])
  assert.equal(error?.['error'], failure)
  assert.deepEqual([closed?.['code'], closed?.['reason']], [1011, ''])
  assert.ok(violation?.['error'] instanceof ProtocolViolation)
})
