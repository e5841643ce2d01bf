// A server that leaves says GOAWAY to its HTTP/2 sessions: what they have goes on for a while, and what they have not begun
// may be asked of another server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { connect } from '../../src/client.js'
import { createServer } from '../../src/index.js'
import { CLOSE, close, closeStatus, masked, PING, PONG } from '../support/frames.js'
import { open, sessionTo } from '../support/http2Client.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const REFUSED_STREAM = 7
const timeout = 30_000

test('GOAWAY comes at once, connections are served until they are sent Close, and their session ends', {
  timeout,
}, async (t) => {
  const server = await serving(t, { closeTimeout: 2000 }, { http2: 'cleartext' })
  const session = await sessionTo(t, `http://127.0.0.1:${server.port}`)
  const clients = [await open(session), await open(session)]
  const goneAway = once(session, 'goaway')
  const closed = server.close({ code: 1012, drainAfter: 200, drainOver: 100 })
  assert.equal((await goneAway)[0], 0)
  for (const client of clients) client.write(masked(PING, 'p'))
  for (const client of clients) assert.equal((await client.framesOf(1))[0]?.opcode, PONG)
  for (const client of clients) {
    const [, frame] = await client.framesOf(2)
    assert.equal(frame?.opcode, CLOSE)
    assert.equal(frame && closeStatus(frame)?.code, 1012)
    client.write(close(1012, ''))
    client.stream.end()
  }
  await closed
  await eventually(() => session.destroyed, 'the end of the session')
})

test('a client that has connected before, and begins afterwards, is told so by GOAWAY', { timeout }, async (t) => {
  const server = await serving(t, { closeTimeout: 200 }, { http2: 'cleartext' })
  const socket = await SocketClient.open(server.port ?? 0)
  const opened = server.connections
  const closed = server.close({ drainAfter: 400 })
  const client = new FrameClient(socket)
  socket.write(wire.preface)
  client.write(frame(wire.SETTINGS, 0, 0), frame(wire.HEADERS, wire.END_HEADERS, 1, wire.connectRequest))
  await socket.end(5000)
  const [goneAway] = client.of(wire.GOAWAY)
  assert.deepEqual([goneAway?.payload.readUInt32BE(0), goneAway?.payload.readUInt32BE(4)], [0, 0])
  assert.equal(opened.size, 0)
  await closed
})

test('connect asks another session for what a server has not begun with', { timeout }, async (t) => {
  const http2 = createHttp2Server({ settings: { enableConnectProtocol: true } })
  const server = createServer({ closeTimeout: 200 })
  let asked = 0
  const sessions = new Set<{ destroy(): void }>()
  t.after(async () => {
    await server.close()
    for (const session of sessions) session.destroy()
    http2.close()
  })
  http2.on('session', (session) => sessions.add(session))
  http2.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => undefined)
    if (headers[':path'] === '/never' || asked++ === 0) {
      stream.close(REFUSED_STREAM)
      if (asked === 1) stream.session?.close()
    } else server.handleStream(stream, headers)
  })
  http2.listen(0, '127.0.0.1')
  await once(http2, 'listening')
  const url = `ws://127.0.0.1:${(http2.address() as AddressInfo).port}`
  const connection = await connect(url, { http2: true })
  assert.deepEqual([asked, sessions.size, server.connections.size], [2, 2, 1])
  await assert.rejects(connect(`${url}/never`, { http2: true }), {
    code: 'ERR_CONNECT_UNREACHABLE',
    message: /refuses/,
  })
  connection.close()
})

test('what is refused over HTTP/2 is counted as what is refused over HTTP/1.1', { timeout }, async (t) => {
  const server = await serving(
    t,
    { closeTimeout: 100, maxConnections: 1, upgrade: ({ path }) => (path === '/no' ? { status: 401 } : undefined) },
    { http2: 'cleartext' },
  )
  const session = await sessionTo(t, `http://127.0.0.1:${server.port}`)
  const fields = [
    { ':path': '/no' },
    { 'sec-websocket-version': '8' },
    { ':protocol': 'foo' },
    {},
    {}, // one more than there may be
  ]
  const statuses = []
  for (const own of fields) statuses.push((await open(session, own)).status)
  assert.deepEqual(statuses, [401, 400, 501, 200, 503])
  const { handshakes } = await server.metrics()
  for (const [label, count] of Object.entries({ '101': 1, '400': 1, '401': 1, '5xx': 1, '503': 1 })) {
    assert.equal(Reflect.get(handshakes, label), count, label)
  }
})
