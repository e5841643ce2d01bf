// What goes wrong from outside while a connection is busy: its socket is destroyed by somebody else, its peer resets, the
// memory is spent. After each, nothing of it is left in the books.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection } from '../../src/connection/connection.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { createServer } from '../../src/index.js'
import { connections } from '../support/connections.js'
import { BINARY, header, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** What a connection is busy with; each leaves memory in use. */
const busy: Record<string, (connection: Connection, client: SocketClient) => unknown> = {
  nothing: () => undefined,
  'a pause amid a batch': (_, client) => client.write(Buffer.concat([masked(TEXT, 'pause'), masked(TEXT, 'x')])),
  'a handler that never settles': (_, client) => client.write(masked(BINARY, Buffer.alloc(200_000))),
  'half a payload': (_, client) =>
    client.write(Buffer.concat([header(0x82, 0x80, 10 ** 6), Buffer.alloc(4 + 300_000)])),
  'a loop that was left': async (connection, client) => {
    client.write(Buffer.concat([masked(TEXT, 'loop'), masked(BINARY, Buffer.alloc(100_000)), masked(TEXT, 'x')]))
    for await (const _ of connection.messages()) break
  },
  'output that nobody reads': async (connection, client) => {
    client.socket.pause()
    let sends = 0
    for (; sends < 1000 && connection.bufferedAmount === 0; sends++) {
      const prepared = prepare(Buffer.alloc(100_000))
      connection.send(prepared)
      prepared.release() // what the garbage collector frees, it frees in the middle of another test
      connection.send('x'.repeat(50_000))
      await delay(0)
    }
    assert.ok(connection.bufferedAmount > 0, `after ${sends} sends; open: ${connection.isOpen}`)
  },
  'a ping, and half a message out': (connection) => {
    connection.ping()
    connection.sendFragment('half \ud834', false)
  },
}

for (const { transport, publicApi } of transports) {
  for (const [doing, begin] of Object.entries(busy)) {
    test(`by ${transport}, amid ${doing}: destroyed by somebody else, reset by the peer, terminated`, async (t) => {
      const closes: number[] = []
      let opened: Connection | undefined
      const server = createServer({
        publicApi,
        open(connection) {
          opened = connection
        },
        message(connection, message) {
          if (message.isText) connection.pause()
          return message.isText ? undefined : new Promise(() => undefined)
        },
        close: (_, code) => void closes.push(code),
        error: () => undefined,
        // A reset that nobody reads is found by them. A busy machine must not reach them while it begins.
        pauseTimeout: 1500,
        idleTimeout: 1500,
        closeTimeout: 1500,
      })
      const sockets: Duplex[] = []
      const http = createHttpServer().on('upgrade', (request, socket, head) => {
        sockets.push(socket)
        server.handleUpgrade(request, socket, head)
      })
      await once(http.listen(0, '127.0.0.1'), 'listening')
      t.after(async () => {
        await server.close()
        http.close()
      })
      const address = http.address()
      const port = typeof address === 'object' ? (address?.port ?? 0) : 0
      let heap = 0
      for (const [round, end] of ['terminate', 'destroy', 'error', 'reset', 'terminate'].entries()) {
        const client = await SocketClient.open(port)
        client.write(upgradeRequest())
        await client.response()
        assert.ok(opened !== undefined)
        await begin(opened, client)
        await delay(30)
        if (end === 'destroy') sockets.at(-1)?.destroy()
        else if (end === 'error') sockets.at(-1)?.destroy(new Error('whoever destroys it'))
        else if (end === 'reset') client.socket.resetAndDestroy()
        else opened.terminate()
        await eventually(() => closes.length === round + 1, end)
        assert.equal(opened.isOpen, false)
        assert.equal(opened.send('late'), 'closed')
        assert.equal(opened.bufferedAmount, 0)
        await client.destroy()
        assert.equal(server.connections.size, 0)
        // The first round warms up: the outbox may have moved.
        if (round === 0) heap = heapOfThread().used
        else assert.equal(heapOfThread().used, heap, `${end}`)
      }
    })
  }
}

test('a peer that must wait for memory is not idle: the silence is this server’s', async () => {
  const place = connections({ payloadMemory: 300_000, idleTimeout: 300, pingInterval: 0, payloadTimeout: 0 })
  const oldest = place.connect()
  const waiting = place.connect()
  const frame = masked(BINARY, Buffer.alloc(280_000))
  oldest.wire.feed(frame.subarray(0, 200_000))
  waiting.wire.feed(frame.subarray(0, 200_000))
  assert.deepEqual([oldest.wire.paused, waiting.wire.paused], [false, true])
  for (let turn = 0; turn < 30; turn++) {
    await delay(50)
    oldest.wire.feed(frame.subarray(200_000 + turn, 200_001 + turn))
  }
  assert.deepEqual([oldest.peer.isOpen, waiting.peer.isOpen], [true, true])
  oldest.wire.feed(frame.subarray(200_030))
  await settle()
  assert.equal(waiting.wire.paused, false)
  for (const { peer } of [oldest, waiting]) peer.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
})
