// What programs do behind a WebSocket: with its socket, with frames of their own, with it as a stream, and as a client over a
// stream that they have.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import * as oracle from 'ws'
import { Sender } from '../../src/ws/sender.js'
import { WebSocket } from '../../src/ws/webSocket.js'
import { createWebSocketStream } from '../../src/ws/webSocketStream.js'
import { duplexPair } from '../support/duplexPair.js'
import { BINARY, closeStatus, masked, PING, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'
import { engines, recorded } from './engines.js'

const oracleStream = oracle.createWebSocketStream as unknown as typeof createWebSocketStream

for (const { name, isOracle, open } of engines) {
  describe(`over ${name}`, () => {
    test('its socket is the one that it was opened over', async (t) => {
      const { ws, socket } = await open(t)
      assert.equal(ws._socket, socket)
      if (!(socket instanceof Socket)) return
      assert.equal(socket.setNoDelay(true), socket)
      assert.equal(socket.destroyed, false)
    })

    test('to pause its socket pauses it', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      ws._socket?.pause()
      await settle()
      client.write(masked(TEXT, 'a'))
      await settle()
      await settle()
      assert.deepEqual(log, [])
      assert.equal(ws._socket?.isPaused(), true)
      ws._socket?.resume()
      await eventually(() => log.length === 1, 'the message')
      ws.pause()
      assert.equal(ws._socket?.isPaused(), true)
      client.write(masked(TEXT, 'b'))
      await settle()
      assert.equal(log.length, 1)
      ws.resume()
      await eventually(() => log.length === 2, 'the message')
      assert.equal(ws._socket?.isPaused(), false)
    })

    test('its socket tells when output that had to wait has left', async (t) => {
      const { ws, client } = await open(t)
      client.socket.pause()
      let drained = 0
      ws._socket?.on('drain', () => {
        drained++
      })
      for (let count = 0; count < 100; count++) ws.send(Buffer.alloc(256 * 1024))
      await settle()
      assert.equal(drained, 0)
      client.socket.resume()
      await eventually(() => drained > 0, 'drain')
    })

    test('frames that were made before are sent as they are', async (t) => {
      const { ws, client } = await open(t)
      const send = ws._sender?.sendFrame.bind(ws._sender)
      assert.ok(send !== undefined)
      const long = Buffer.alloc(70_000, 7)
      const frame = Sender.frame(Buffer.from('many'), {
        readOnly: false,
        mask: false,
        rsv1: false,
        opcode: 1,
        fin: true,
      })
      let called: unknown
      send(frame)
      send(frame, (error) => {
        called = error
      })
      send(Sender.frame(long, { opcode: 2, fin: true }))
      send(Sender.frame('', { opcode: 1, fin: true }))
      ws.send('after')
      const frames = await client.frames(5)
      assert.deepEqual(
        frames.map(({ opcode, payload }) => `${opcode} ${payload.length > 10 ? payload.length : payload}`),
        ['1 many', '1 many', '2 70000', '1 ', '1 after'],
      )
      assert.equal(called, null)
    })

    test('as a stream, it reads and writes messages, and ends in both directions', async (t) => {
      const { ws, client } = await open(t)
      const make = isOracle ? oracleStream : createWebSocketStream
      const stream = make(ws)
      const read: string[] = []
      stream.on('data', (chunk: Buffer) => read.push(chunk.toString()))
      const closed = once(stream, 'close')
      stream.write('one')
      stream.write(Buffer.from('two'))
      client.write(Buffer.concat([masked(TEXT, 'a'), masked(BINARY, 'b')]))
      await eventually(() => read.length === 2, 'both messages')
      stream.end('three')
      const frames = await client.frames(4)
      assert.deepEqual(
        frames.map(({ opcode, payload }) => `${opcode} ${payload}`),
        ['2 one', '2 two', '2 three', '8 '],
      )
      client.write(masked(8))
      await client.end()
      client.socket.end()
      await closed
      assert.deepEqual([read, stream.destroyed, ws.readyState], [['a', 'b'], true, 3])
    })

    test('as a stream, it holds the client back while nobody reads', async (t) => {
      const { ws, client } = await open(t)
      const make = isOracle ? oracleStream : createWebSocketStream
      const stream = make(ws, { readableHighWaterMark: 1000 })
      client.write(Buffer.concat(Array(50).fill(masked(BINARY, Buffer.alloc(500)))))
      await eventually(() => ws.isPaused, 'the pause')
      let bytes = 0
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      await eventually(() => bytes === 25_000, 'all of it')
    })

    test('as a stream, it ends at once when it is destroyed, and fails with the connection', async (t) => {
      const make = isOracle ? oracleStream : createWebSocketStream
      const one = await open(t)
      const stream = make(one.ws)
      stream.destroy()
      await once(stream, 'close')
      assert.equal(one.ws.readyState, 3)
      const other = await open(t, { closeTimeout: 50 })
      const failing = make(other.ws)
      const failed = once(failing, 'error')
      other.client.write(masked(5, ''))
      const [error] = await failed
      assert.equal((error as { code: string }).code, 'WS_ERR_INVALID_OPCODE')
      assert.deepEqual(closeStatus((await other.client.frames(1))[0]), { code: 1002, reason: '' })
    })
  })
}

test('a frame that is made by hand is what ws makes of it', () => {
  const generateMask = (key: Buffer): void => void key.fill(Buffer.of(1, 2, 3, 4))
  const all = { rsv1: true, opcode: 2, fin: true, readOnly: true }
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 70_000]) {
    for (const options of [
      { opcode: 1 },
      all,
      { ...all, mask: true, generateMask },
      { ...all, readOnly: false, mask: true, generateMask },
    ]) {
      const [ours, theirs] = [Buffer.alloc(length, 0x55), Buffer.alloc(length, 0x55)]
      const made = Sender.frame(ours, options)
      const right: Buffer[] = Reflect.get(oracle, 'Sender').frame(theirs, options)
      assert.ok(Buffer.concat(made).equals(Buffer.concat(right)), `${length} ${JSON.stringify(options)}`)
      assert.equal(made.length, right.length)
      assert.ok(ours.equals(theirs))
    }
  }
  const options = { opcode: 1, fin: true }
  assert.deepEqual(Sender.frame('grüße', options), [Buffer.of(0x81, 7), Buffer.from('grüße')])
  const [framed] = Sender.frame('x', { ...options, mask: true, readOnly: true })
  assert.equal(framed?.length, 7)
})

/** A client over a stream of the application's, as `injectWS` of @fastify/websocket makes one. */
function injected(stream: Duplex): WebSocket {
  const ws = new WebSocket(null, undefined, {})
  ws._isServer = false
  ws.setSocket(stream, Buffer.alloc(0), { maxPayload: 0 })
  return ws
}

test('a client over a stream masks what it sends, and takes what is not masked', async (t) => {
  const [near, far] = duplexPair()
  const client = injected(near)
  const log = recorded(client)
  const server: oracle.WebSocket = Reflect.construct(oracle.WebSocket, [
    null,
    undefined,
    { closeTimeout: 1000, autoPong: true },
  ])
  Reflect.apply(Reflect.get(server, 'setSocket'), server, [far, Buffer.alloc(0), {}])
  t.after(() => server.terminate())
  server.on('message', (data: Buffer, isBinary: boolean) => server.send(data, { binary: isBinary }))
  client.send('text')
  client.send(Buffer.alloc(100_000, 1))
  client.ping('p')
  await eventually(() => log.length === 3, 'the answers')
  server.close(3000, 'bye')
  await eventually(() => log.length === 4, 'the end')
  assert.deepEqual(log, [
    'message Buffer(text) false in 1',
    'message Buffer(100000) true in 1',
    'pong Buffer(p) in 1',
    'close 3000 Buffer(bye) in 3',
  ])
})

test('both ends can be of millrace/ws', async () => {
  const [near, far] = duplexPair()
  const server = new WebSocket(null, undefined, { autoPong: true })
  server.setSocket(far, Buffer.alloc(0), {})
  const client = injected(near)
  const [atClient, atServer] = [recorded(client), recorded(server)]
  client.ping('ping')
  client.send('up')
  server.send('down')
  await eventually(() => atClient.length + atServer.length === 4, 'all of it')
  client.close(1000, 'bye')
  await eventually(() => atClient.length + atServer.length === 6, 'both ends')
  assert.deepEqual(atClient.sort(), [
    'close 1000 Buffer(bye) in 3',
    'message Buffer(down) false in 1',
    'pong Buffer(ping) in 1',
  ])
  assert.deepEqual(atServer, ['ping Buffer(ping) in 1', 'message Buffer(up) false in 1', 'close 1000 Buffer(bye) in 3'])
})

test('a client refuses a masked frame', async () => {
  const [near, far] = duplexPair()
  const client = injected(near)
  const log = recorded(client)
  far.resume()
  far.write(masked(TEXT, 'x'))
  await eventually(() => log.length > 0, 'the error')
  assert.deepEqual(log.slice(0, 1), [
    'RangeError WS_ERR_UNEXPECTED_MASK Invalid WebSocket frame: MASK must be clear in 2',
  ])
  client.terminate()
  await eventually(() => log.length === 2, 'the end')
})

test('without the listeners of its receiver, pings are not answered', async (t) => {
  const [, engine] = engines
  assert.ok(engine !== undefined)
  const { ws, client } = await engine.open(t, { maxPayload: 1234 })
  const log = recorded(ws)
  assert.equal(ws._receiver?._maxPayload, 1234)
  ws._receiver?.removeAllListeners('ping')
  client.write(Buffer.concat([masked(PING, 'x'), masked(TEXT, 'y')]))
  await eventually(() => log.length === 1, 'the message')
  ws.send('z')
  assert.equal((await client.frames(1))[0]?.opcode, TEXT)
  assert.deepEqual(log, ['message Buffer(y) false in 1'])
})

test('a stream of it goes through a pipeline', async (t) => {
  const [, engine] = engines
  assert.ok(engine !== undefined)
  const { ws, client } = await engine.open(t)
  const stream = createWebSocketStream(ws)
  client.write(Buffer.concat([masked(BINARY, 'echo'), masked(8)]))
  client.socket.on('end', () => client.socket.end())
  await pipeline(stream, stream)
  assert.ok(client.receivedFrames.some(({ payload }) => payload.equals(Buffer.from('echo'))))
})
