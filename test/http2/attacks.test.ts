// What a client of HTTP/2 can do to a server: each is bounded, the session ends, and other sessions live.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import type { Server, ServerOptions } from '../../src/index.js'
import { masked, TEXT } from '../support/frames.js'
import { get, open, sessionTo } from '../support/http2Client.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, field, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const REFUSED_STREAM = 7
const ENHANCE_YOUR_CALM = 11
const timeout = 60_000

async function serve(t: TestContext, options: ServerOptions = {}): Promise<Server<undefined>> {
  const echo: ServerOptions = { message: (connection, message) => connection.send(message) }
  const request: ServerOptions = { request: (_, response) => response.end('fine') }
  return await serving(t, { ...echo, ...request, closeTimeout: 100, ...options }, { http2: 'cleartext' })
}

/** Runs an attack while another session has a WebSocket, which must go on. */
async function beside(t: TestContext, server: Server<undefined>, attack: () => Promise<void>): Promise<void> {
  const session = await sessionTo(t, `http://127.0.0.1:${server.port}`)
  const neighbour = await open(session)
  await attack()
  neighbour.write(masked(TEXT, 'alive'))
  assert.equal((await neighbour.framesOf(1))[0]?.payload.toString(), 'alive')
  assert.equal((await get(session, '/')).status, 200)
}

/** Writes until the session has ended, or so many times. */
async function floods(client: FrameClient, most: number, next: (round: number) => Buffer): Promise<void> {
  for (let round = 0; round < most && !client.socket.over; round++) {
    client.write(next(round))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function repeated(count: number, make: (at: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, at) => make(at)))
}

describe('floods end their session, and no other', () => {
  const { HEADERS, RST_STREAM, CONTINUATION, SETTINGS, PING, DATA, END_HEADERS, END_STREAM } = wire
  const cancel = Buffer.from([0, 0, 0, 8])

  test('rapid reset', { timeout }, async (t) => {
    let asked = 0
    const server = await serve(t, { upgrade: () => void asked++ })
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      let stream = -1
      await floods(client, 400, () =>
        repeated(50, () => {
          stream += 2
          return Buffer.concat([
            frame(HEADERS, END_HEADERS, stream, wire.connectRequest),
            frame(RST_STREAM, 0, stream, cancel),
          ])
        }),
      )
      await client.ended()
    })
    assert.ok(asked < 5000, `${asked} upgrades were asked for`)
  })

  test('CONTINUATION without end', { timeout }, async (t) => {
    const server = await serve(t)
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      client.write(frame(HEADERS, 0, 1, wire.getRequest))
      await floods(client, 5000, (round) => frame(CONTINUATION, 0, 1, field(`x-${round}`, 'y'.repeat(100))))
      await client.ended()
    })
  })

  test('PING, whose answers are not read', { timeout }, async (t) => {
    const server = await serve(t)
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      client.socket.socket.pause()
      const pings = repeated(2000, () => frame(PING, 0, 0, Buffer.alloc(8)))
      await floods(client, 3000, () => pings)
      client.socket.socket.resume()
      await client.socket.end(20_000)
    })
  })

  test('SETTINGS, whose answers are not read', { timeout }, async (t) => {
    const server = await serve(t)
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      client.socket.socket.pause()
      const many = repeated(2000, () => frame(SETTINGS, 0, 0))
      await floods(client, 3000, () => many)
      client.socket.socket.resume()
      await client.socket.end(20_000)
    })
  })

  test('empty DATA', { timeout }, async (t) => {
    const server = await serve(t)
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      client.write(frame(HEADERS, END_HEADERS, 1, wire.connectRequest))
      const many = repeated(1000, () => frame(DATA, 0, 1))
      await floods(client, 300, () => many)
      await client.ended()
    })
  })

  test('DATA beyond the window', { timeout }, async (t) => {
    const server = await serve(t, { upgrade: () => new Promise<undefined>(() => undefined), handshakeTimeout: 5000 })
    await beside(t, await serve(t), async () => {
      const client = await FrameClient.open(server.port ?? 0)
      client.write(frame(HEADERS, END_HEADERS, 1, wire.connectRequest))
      await floods(client, 200, () => frame(DATA, 0, 1, Buffer.alloc(16_384)))
      assert.ok(client.of(RST_STREAM).length > 0 || (await client.ended()) !== undefined)
      await client.socket.destroy()
    })
  })

  test('fields beyond the limits end their stream', { timeout }, async (t) => {
    const server = await serve(t, { maxHeaderSize: 4096 })
    await beside(t, server, async () => {
      const client = await FrameClient.open(server.port ?? 0)
      const many = repeated(200, (at) => field(`x-${at}`, 'y'))
      const long = repeated(100, (at) => field(`x-${at}`, 'y'.repeat(110)))
      const end = END_HEADERS | END_STREAM
      client.write(frame(HEADERS, end, 1, Buffer.concat([wire.getRequest, many])))
      client.write(frame(HEADERS, end, 3, Buffer.concat([wire.getRequest, long])))
      client.write(frame(HEADERS, end, 5, wire.getRequest))
      await eventually(() => client.of(HEADERS).length === 2, 'two answers')
      const [reset] = client.of(RST_STREAM)
      assert.deepEqual([reset?.stream, reset?.payload.readUInt32BE(0)], [1, ENHANCE_YOUR_CALM])
      await client.socket.destroy()
    })
  })
})

describe('windows', () => {
  const none = wire.settings([4, 0])

  test('a WebSocket whose peer never opens its window ends after pauseTimeout', { timeout }, async (t) => {
    const codes: number[] = []
    const server = await serve(t, {
      pauseTimeout: 300,
      open: (connection) => void connection.send('x'.repeat(100_000)),
      close: (_, code) => codes.push(code),
    })
    const client = await FrameClient.open(server.port ?? 0, none)
    client.write(frame(wire.HEADERS, wire.END_HEADERS, 1, wire.connectRequest))
    await eventually(() => codes.length === 1, 'the end', 10_000)
    assert.equal(server.connections.size, 0)
    assert.equal(client.of(wire.DATA).length, 0)
    await client.socket.destroy()
  })

  test('a request whose peer never opens its window is given up after pauseTimeout', { timeout }, async (t) => {
    const server = await serve(t, { pauseTimeout: 300, request: (_, response) => response.end('x'.repeat(100_000)) })
    const client = await FrameClient.open(server.port ?? 0, none)
    client.write(frame(wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, 1, wire.getRequest))
    await eventually(() => client.of(wire.RST_STREAM).length === 1, 'the reset', 10_000)
    await client.socket.destroy()
  })

  test('a connection that is not read from stops its peer, and no other stream', { timeout }, async (t) => {
    const server = await serve(t, {
      open: (connection) => {
        if (connection.request.path === '/slow') connection.pause()
      },
    })
    const session = await sessionTo(t, `http://127.0.0.1:${server.port}`)
    const slow = await open(session, { ':path': '/slow' })
    const fast = await open(session)
    const piece = masked(TEXT, 'x'.repeat(50_000))
    for (let at = 0; at < 20; at++) slow.write(piece)
    await delay(100)
    assert.ok(slow.stream.writableLength > 500_000, `${slow.stream.writableLength} bytes wait`)
    fast.write(masked(TEXT, 'x'.repeat(500_000)))
    assert.equal((await fast.framesOf(1))[0]?.payload.length, 500_000)
    for (const connection of server.connections) connection.resume()
    assert.equal((await slow.framesOf(20)).length, 20)
  })
})

describe('sessions', () => {
  test('a stream more than maxStreams is refused; for a client that knew of the limit, the session ends', {
    timeout,
  }, async (t) => {
    const server = await serve(t, { maxStreams: 2 })
    const three = [1, 3, 5].map((stream) => frame(wire.HEADERS, wire.END_HEADERS, stream, wire.connectRequest))
    await beside(t, server, async () => {
      const early = await FrameClient.open(server.port ?? 0)
      early.write(...three)
      await eventually(() => early.of(wire.RST_STREAM).length === 1, 'the refusal')
      const [reset] = early.of(wire.RST_STREAM)
      assert.deepEqual([reset?.stream, reset?.payload.readUInt32BE(0)], [5, REFUSED_STREAM])
      assert.equal(server.connections.size, 3)
      await early.socket.destroy()
      const client = await FrameClient.open(server.port ?? 0)
      await eventually(() => client.of(wire.SETTINGS).length === 2, 'SETTINGS')
      client.write(frame(wire.SETTINGS, wire.ACK, 0), ...three)
      assert.notEqual(await client.ended(), undefined)
    })
  })

  test('one that does not begin ends after handshakeTimeout', { timeout }, async (t) => {
    const server = await serve(t, { handshakeTimeout: 200 })
    const half = await SocketClient.open(server.port ?? 0)
    half.write(wire.preface)
    await half.end(5000)
    await half.destroy()
  })

  test('one without streams ends after keepAliveTimeout, by GOAWAY', { timeout }, async (t) => {
    const server = await serve(t, { keepAliveTimeout: 300 })
    const session = await sessionTo(t, `http://127.0.0.1:${server.port}`)
    const goneAway = once(session, 'goaway')
    const client = await open(session)
    await delay(700)
    assert.ok(!client.closed)
    client.stream.end()
    assert.equal((await goneAway)[0], 0)
    await eventually(() => session.destroyed, 'the end of the session')
  })

  test('a silent one is sent PING, and ends if it does not answer', { timeout }, async (t) => {
    const codes: number[] = []
    const server = await serve(t, { pingInterval: 200, idleTimeout: 700, close: (_, code) => codes.push(code) })
    const answering = await sessionTo(t, `http://127.0.0.1:${server.port}`)
    const slow = answering.request({ ':path': '/', ':method': 'POST' })
    const client = await FrameClient.open(server.port ?? 0)
    client.write(frame(wire.HEADERS, wire.END_HEADERS, 1, wire.getRequest))
    await client.socket.end(10_000)
    assert.ok(client.of(wire.PING).length > 0)
    await delay(300)
    assert.ok(!answering.destroyed)
    slow.close()
  })

  test('connections of one address are counted, whichever session they come by', { timeout }, async (t) => {
    const server = await serve(t, { maxConnections: 100, maxConnectionsPerAddress: 3 })
    const url = `http://127.0.0.1:${server.port}`
    const [one, other] = [await sessionTo(t, url), await sessionTo(t, url)]
    const statuses = []
    for (const session of [one, one, other, other, one]) statuses.push((await open(session)).status)
    assert.deepEqual(statuses, [200, 200, 200, 429, 429])
  })
})
