// A WebSocket for which there is no memory is refused, and nobody else hears of it: neither its server nor the process.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, mock, test } from 'node:test'
import { heapOfThread, OutOfMemory } from '../../src/codec/codec.js'
import { WebSocket } from '../../src/ws/webSocket.js'
import { WebSocketServer } from '../../src/ws/webSocketServer.js'
import { SocketClient } from '../support/socketClient.js'

const REQUEST =
  'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

/** So many slots are refused before there are some again. */
let refusals = 0

beforeEach(() => {
  const heap = heapOfThread()
  const { allocateSlot } = heap
  mock.method(heap, 'allocateSlot', () => {
    if (refusals-- > 0) throw new OutOfMemory('there is no room')
    return Reflect.apply(allocateSlot, heap, [])
  })
})

afterEach(() => {
  refusals = 0
  mock.restoreAll()
})

async function portOf(server: {
  address(): unknown
  once(event: string, listener: () => void): unknown
}): Promise<number> {
  if (server.address() === null) await new Promise<void>((resolve) => server.once('listening', resolve))
  return (server.address() as AddressInfo).port
}

for (const way of ['port', 'server'] as const) {
  test(`with the option ${way}, the peer is answered 503, and the next one is let in`, async (t) => {
    const http = createServer().listen(0, '127.0.0.1')
    const server = new WebSocketServer(way === 'port' ? { port: 0, host: '127.0.0.1' } : { server: http })
    t.after(() => {
      server.close()
      http.close()
    })
    const port = await portOf(way === 'port' ? server : http)
    let connections = 0
    server.on('connection', (ws) => {
      connections++
      ws.on('message', () => ws.terminate())
    })
    refusals = 1
    const refused = await SocketClient.open(port)
    refused.write(Buffer.from(REQUEST))
    await refused.end()
    assert.match(refused.text, /^HTTP\/1.1 503 Service Unavailable\r\n/)
    assert.deepEqual([connections, server.clients?.size], [0, 0])
    const client = await SocketClient.open(port)
    client.write(Buffer.from(REQUEST))
    await client.until(() => client.text.includes('101 Switching Protocols'), 'the answer')
    assert.deepEqual([connections, server.clients?.size], [1, 1])
    await client.destroy()
  })
}

test('a stream that has its response is destroyed, and the callback is not called', async () => {
  const server = new WebSocketServer({ noServer: true })
  const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const request = {
    method: 'GET',
    url: '/',
    socket: new Socket(),
    headers: {
      upgrade: 'websocket',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-version': '13',
    },
  }
  refusals = 1
  let called = false
  Reflect.apply(server.handleUpgrade, server, [
    request,
    stream,
    Buffer.alloc(0),
    () => {
      called = true
    },
  ])
  if (!stream.closed) await once(stream, 'close')
  assert.deepEqual([called, stream.destroyed, server.clients?.size], [false, true, 0])
})

test("a client is told an 'error', and then its end", async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  t.after(() => server.close())
  const port = await portOf(server)
  server.once('connection', () => {
    refusals = 1
  })
  const client = new WebSocket(`ws://127.0.0.1:${port}`)
  const [error] = await once(client, 'error')
  assert.match(error.message, /no room/)
  const [code] = await once(client, 'close')
  assert.deepEqual([code, client.readyState], [1006, 3])
})
