// WebSockets over HTTP/2 (RFC 8441), by a client that is node:http2 and nothing else: what is accepted, what is refused,
// and how a connection ends.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { describe, type TestContext, test } from 'node:test'
import { createServer, type Server, type ServerOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { BINARY, CLOSE, close, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { get, open, sessionTo } from '../support/http2Client.js'
import { serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const CANCEL = 8

const ways = [
  { name: 'over TLS', secure: true, publicApi: false },
  { name: 'without TLS', secure: false, publicApi: false },
  { name: 'without TLS, by the public API', secure: false, publicApi: true },
]

for (const { name, secure, publicApi } of ways) {
  describe(`HTTP/2 ${name}`, () => {
    const listen = secure ? { http2: true, tls: { key, cert } } : { http2: 'cleartext' as const }

    async function meet(t: TestContext, options: ServerOptions = {}): Promise<[Server<undefined>, ClientHttp2Session]> {
      const server = await serving(t, { closeTimeout: 100, publicApi, ...options }, listen)
      return [server, await sessionTo(t, `http${secure ? 's' : ''}://127.0.0.1:${server.port}`)]
    }

    test('SETTINGS offer it, and no window is larger than it should be', async (t) => {
      const [, session] = await meet(t)
      const { enableConnectProtocol, initialWindowSize, maxConcurrentStreams } = session.remoteSettings
      assert.deepEqual([enableConnectProtocol, initialWindowSize, maxConcurrentStreams], [true, 65_535, 256])
    })

    test('a message comes back, and the response has no field of HTTP/1.1', async (t) => {
      const [server, session] = await meet(t, { message: (connection, message) => connection.send(message) })
      const client = await open(session, { origin: 'https://example.com' })
      assert.equal(client.status, 200)
      for (const field of ['upgrade', 'connection', 'sec-websocket-accept']) assert.ok(!(field in client.headers))
      client.write(Buffer.concat([masked(TEXT, 'hello'), masked(BINARY, Buffer.alloc(100_000, 1)), masked(PING, 'p')]))
      const frames = await client.framesOf(3)
      assert.deepEqual(
        frames.map(({ opcode, payload }) => [opcode, payload.length]).sort(),
        [
          [TEXT, 5],
          [BINARY, 100_000],
          [PONG, 1],
        ].sort(),
      )
      const [connection] = server.connections
      assert.equal(connection?.request.path, '/chat')
      assert.equal(connection?.request.origin, 'https://example.com')
      assert.equal(connection?.request.headers['host'], `127.0.0.1:${server.port}`)
      assert.equal(connection?.request.secure, secure)
      assert.equal(connection?.request.httpVersion, '2.0')
      assert.equal(connection?.request.tls?.alpnProtocol, secure ? 'h2' : undefined)
      assert.equal(connection?.remoteAddress, '127.0.0.1')
    })

    test('close codes travel both ways, and the streams end with END_STREAM on both sides', async (t) => {
      const codes: number[] = []
      const [server, session] = await meet(t, { close: (_, code) => codes.push(code) })
      const one = await open(session)
      one.stream.on('end', () => one.stream.end())
      one.write(close(4001, 'bye'))
      const [answer] = await one.framesOf(1)
      assert.deepEqual(answer && closeStatus(answer), { code: 4001, reason: '' })
      assert.equal(await one.end(), 0)
      assert.ok(one.ended)
      const other = await open(session)
      other.stream.on('end', () => other.stream.end())
      for (const connection of server.connections) connection.close(4002, 'enough')
      const [said] = await other.framesOf(1)
      assert.deepEqual(said && closeStatus(said), { code: 4002, reason: 'enough' })
      other.write(close(4002))
      assert.equal(await other.end(), 0)
      await eventually(() => codes.length === 2, 'both ends')
      assert.deepEqual(codes, [4001, 4002])
    })

    test('END_STREAM without Close is the end of the peer: 1006', async (t) => {
      const codes: number[] = []
      const [, session] = await meet(t, { close: (_, code) => codes.push(code) })
      const client = await open(session)
      client.stream.end()
      await client.end()
      await eventually(() => codes.length === 1, 'the end')
      assert.deepEqual(codes, [1006])
    })

    test('RST_STREAM ends one connection with 1006, and its neighbours live', async (t) => {
      const codes: number[] = []
      const echo = { message: (connection: { send(data: string): unknown }) => void connection.send('still here') }
      const [, session] = await meet(t, { ...echo, close: (_, code) => codes.push(code) })
      const [one, other] = [await open(session), await open(session)]
      one.stream.close(CANCEL)
      await eventually(() => codes.length === 1, 'the end')
      assert.deepEqual(codes, [1006])
      other.write(masked(TEXT, 'x'))
      assert.equal((await other.framesOf(1))[0]?.payload.toString(), 'still here')
    })

    test('a violation of RFC 6455 is answered with Close, and the stream is reset; its neighbours live', async (t) => {
      const [server, session] = await meet(t, { closeTimeout: 200 })
      const [one, other] = [await open(session), await open(session)]
      one.stream.on('error', () => undefined)
      one.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0]))
      const [frame] = await one.framesOf(1)
      assert.equal(frame?.opcode, CLOSE)
      assert.equal(frame && closeStatus(frame)?.code, 1002)
      assert.equal(await one.end(), CANCEL)
      assert.ok(!other.closed)
      assert.equal(server.connections.size, 1)
    })

    test('permessage-deflate is agreed on', async (t) => {
      const [, session] = await meet(t, { deflate: true })
      const client = await open(session, { 'sec-websocket-extensions': 'permessage-deflate' })
      assert.match(String(client.headers['sec-websocket-extensions']), /^permessage-deflate/)
    })

    test('the same gate: origins, routes, subprotocols, limits, and what `upgrade` says', async (t) => {
      const [, session] = await meet(t, {
        origins: ['https://example.com'],
        protocols: ['b'],
        maxConnections: 1,
        upgrade({ path }) {
          if (path === '/no') return { status: 401, body: 'log in', headers: { 'X-Why': 'no' } }
          if (path === '/later') return delay(20).then(() => ({ headers: { 'Set-Cookie': ['a=1', 'b=2'] } }))
          return undefined
        },
      })
      assert.equal((await open(session, { origin: 'https://evil.example' })).status, 403)
      const no = await open(session, { ':path': '/no' })
      await no.end()
      assert.deepEqual([no.status, no.headers['x-why'], no.text], [401, 'no', 'log in'])
      const later = await open(session, { ':path': '/later', 'sec-websocket-protocol': 'a, b' })
      assert.deepEqual([later.status, later.headers['sec-websocket-protocol']], [200, 'b'])
      assert.deepEqual(later.headers['set-cookie'], ['a=1', 'b=2'])
      assert.equal((await open(session)).status, 503)
    })

    test('what is no WebSocket is refused, and the session stays (L9)', async (t) => {
      const [, session] = await meet(t, { request: (_, response) => response.end('fine') })
      assert.equal((await open(session, { ':protocol': 'foo' })).status, 501)
      assert.equal((await open(session, { ':protocol': 'connect-udp' })).status, 501)
      const version = await open(session, { 'sec-websocket-version': '8' })
      assert.deepEqual([version.status, version.headers['sec-websocket-version']], [400, '13'])
      assert.equal((await open(session, { 'sec-websocket-version': undefined })).status, 400)
      assert.equal((await open(session, {}, { endStream: true })).status, 400)
      const plain = session.request({ ':method': 'CONNECT', ':authority': 'example.com:443' })
      const [answer]: unknown[] = await once(plain, 'response')
      assert.equal(Reflect.get(answer as object, ':status'), 405)
      assert.deepEqual(await get(session, '/'), { status: 200, body: 'fine' })
      assert.equal((await open(session)).status, 200)
    })

    test('the peer leaves while `upgrade` is pending', async (t) => {
      let reason: unknown
      const [, session] = await meet(t, {
        upgrade: ({ signal }) =>
          new Promise(() => signal.addEventListener('abort', () => (reason = signal.reason))) as Promise<undefined>,
      })
      const stream = session.request(
        { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/', 'sec-websocket-version': '13' },
        { endStream: false },
      )
      stream.on('error', () => undefined)
      await delay(50)
      stream.close(CANCEL)
      await eventually(() => reason !== undefined, 'the signal')
      assert.match(String(reason), /the peer has left/)
    })

    test('ordinary requests and several WebSockets share a session', async (t) => {
      const [server, session] = await meet(t, {
        message: (connection, message) => connection.send(message),
        async request(request, response) {
          let body = ''
          for await (const chunk of request) body += String(chunk)
          response.writeHead(201, { 'X-Url': request.url }).end(body)
        },
      })
      const clients = await Promise.all([1, 2, 3].map(() => open(session)))
      const post = session.request({ ':method': 'POST', ':path': '/form' })
      post.end('what was sent')
      for (const [at, client] of clients.entries()) client.write(masked(TEXT, String(at)))
      let body = ''
      for await (const chunk of post) body += String(chunk)
      assert.equal(body, 'what was sent')
      for (const [at, client] of clients.entries())
        assert.equal((await client.framesOf(1))[0]?.payload.toString(), String(at))
      assert.equal(server.connections.size, 3)
    })

    test('`request` that throws is answered with 500, and without it the answer is 426', async (t) => {
      const errors: unknown[] = []
      const [, failing] = await meet(t, {
        request() {
          throw new Error('oops')
        },
        requestFailed: (_, error) => errors.push(error),
      })
      assert.deepEqual(await get(failing, '/'), { status: 500, body: 'the request failed\n' })
      assert.equal(errors.length, 1)
      const [, none] = await meet(t)
      assert.equal((await get(none, '/')).status, 426)
    })

    test('HTTP/1.1 is spoken on the same port', async (t) => {
      const [server] = await meet(t, { message: (connection, message) => connection.send(message) })
      if (secure) return
      const client = await SocketClient.upgraded(server.port ?? 0)
      client.write(masked(TEXT, 'old'))
      assert.equal((await client.frames(1))[0]?.payload.toString(), 'old')
      await client.destroy()
    })

    test('the server that closes says GOAWAY, then Close, and takes no further stream', async (t) => {
      const [server, session] = await meet(t, { closeTimeout: 2000 })
      const client = await open(session)
      client.stream.on('end', () => client.stream.end())
      const goneAway = once(session, 'goaway')
      const closed = server.close({ drainAfter: 100 })
      assert.equal((await goneAway)[0], 0)
      assert.ok(!client.closed)
      const [frame] = await client.framesOf(1)
      assert.equal(frame && closeStatus(frame)?.code, 1001)
      client.write(close(1001))
      await client.end()
      await closed
    })
  })
}

test('a preface in pieces is HTTP/2, and what only begins like one is not', async (t) => {
  const server = await serving(t, { closeTimeout: 200 }, { http2: 'cleartext' })
  const client = await SocketClient.open(server.port ?? 0)
  const preface = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
  ])
  await client.writePieces([preface.subarray(0, 2), preface.subarray(2, 20), preface.subarray(20)])
  await client.until(() => client.received.length > 9, 'SETTINGS')
  assert.equal(client.received[3], 4)
  await client.destroy()
  const other = await SocketClient.open(server.port ?? 0)
  other.write('PRINT / HTTP/1.1\r\n\r\n')
  assert.equal((await other.response()).status, 400)
  await other.destroy()
})

test('without the option, nobody speaks HTTP/2', async (t) => {
  const server = await serving(t, {}, { tls: { key, cert } })
  const session = connect(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false })
  const [error] = await once(session, 'error')
  assert.ok(error instanceof Error)
  const plain = await serving(t, {})
  const client = await SocketClient.open(plain.port ?? 0)
  client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  assert.equal((await client.response()).status, 400)
  await client.destroy()
})

test('listen says which of the two is meant', async () => {
  await assert.rejects(createServer().listen({ http2: true }), { code: 'ERR_OPTION_CONFLICT' })
  await assert.rejects(createServer().listen({ http2: 'cleartext', tls: { key, cert } }), {
    code: 'ERR_OPTION_CONFLICT',
  })
})
