// What compressed messages hold of the memory: no more than the longest message while one is inflated, and no more than
// what is to be sent while output waits. What is published is compressed once, however many publish in one turn.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection, ServerOptions } from '../../src/index.js'
import { type ClientOptions, DeflateClient } from '../support/deflateClient.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const MEBIBYTE = 1024 * 1024
const SMALL_WINDOW: ClientOptions = { offer: 'permessage-deflate; client_max_window_bits=12', windowBits: 12 }

for (const { transport, publicApi } of transports) {
  describe(`the memory of compressed messages over ${transport}`, () => {
    async function crowd(t: TestContext, options: ServerOptions, count: number, client?: ClientOptions) {
      const sockets: SocketClient[] = []
      t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
      const server = await serving(t, { deflate: true, closeTimeout: 1000, ...options, publicApi })
      const peers: DeflateClient[] = []
      for (let at = 0; at < count; at++) {
        const socket = await SocketClient.open(server.port ?? 0)
        sockets.push(socket)
        peers.push(await DeflateClient.upgraded(socket, client))
      }
      return { server, sockets, peers, connections: [...server.connections] }
    }

    test('a message of the longest length has a region of that length, and no longer one', async (t) => {
      const heap = heapOfThread()
      const held: number[] = []
      const options: ServerOptions = {
        maxMessage: MEBIBYTE,
        message: (connection, message) => {
          held.push(heap.used)
          connection.send(`${message.byteLength}`)
        },
      }
      const { peers } = await crowd(t, options, 1)
      const [peer] = peers
      for (const parts of [1, 1, 3]) {
        await peer?.send(Buffer.alloc(MEBIBYTE, 'longest'), parts)
        assert.equal((await peer?.next())?.data, `${MEBIBYTE}`)
      }
      const [, whole = 0, fragmented = 0] = held
      for (const used of [whole, fragmented]) assert.ok(used - heap.used < 1.5 * MEBIBYTE, `${used - heap.used}`)
    })

    test('longest messages of many connections get their turn when they do not fit all at once', async (t) => {
      const codes: string[] = []
      const options: ServerOptions = {
        maxMessage: 4 * MEBIBYTE,
        payloadMemory: 16 * MEBIBYTE,
        message: (connection, message) => void connection.send(`${message.byteLength}`),
        error: (_connection, error) => codes.push(Reflect.get(Object(error), 'code')),
      }
      const { peers } = await crowd(t, options, 20)
      await Promise.all(peers.map((peer) => peer.send(Buffer.alloc(4 * MEBIBYTE))))
      for (const peer of peers) assert.equal((await peer.next()).data, `${4 * MEBIBYTE}`)
      assert.deepEqual(codes, [])
    })

    test('output that waits holds what was compressed, and not the room that it might have taken', async (t) => {
      const { sockets, connections } = await crowd(t, {}, 1)
      const [connection] = connections
      assert.ok(connection !== undefined)
      sockets[0]?.socket.pause()
      const random = new Random(seed)
      while (connection.send(random.bytes(100_000), { compress: false }) === 'sent');
      const heap = heapOfThread()
      const before = heap.used
      // So long that only one of them would fit into the pages that the worst of them needs.
      const long = Buffer.concat([random.bytes(1000), Buffer.alloc(258_600)])
      for (let count = 0; count < 20; count++) connection.send(long)
      await eventually(() => heap.used - before < 20 * 65_536, 'nothing but what was compressed is held')
    })

    test('publications of one turn by many are compressed once each', async (t) => {
      const options: ServerOptions = { open: (connection) => connection.subscribe('room') }
      const { connections, peers } = await crowd(t, options, 50)
      const text = (at: number): string => Buffer.from(new Random(at + 1).bytes(600)).toString('base64')
      const heap = heapOfThread()
      connections[0]?.publish('room', text(0))
      await new Promise((resolve) => setImmediate(resolve))
      const before = heap.used
      for (const [at, connection] of connections.entries()) connection.publish('room', text(at))
      // All of them have 40 KB. Compressed anew for each of those who publish, they would take twenty times as much.
      assert.ok(heap.used - before <= 4 * 65_536, `${heap.used - before}`)
      for (const [index, peer] of peers.entries()) {
        if (index > 0) assert.equal((await peer.next()).data, text(0))
        for (const [at] of connections.entries()) {
          if (at === index) continue
          const received = await peer.next()
          assert.equal(received.data, text(at))
          assert.equal(received.compressed, true)
        }
      }
    })

    test('a message in fragments ends with the deflater that it began with, also if a window gets free meanwhile', async (t) => {
      // Room for the windows of one connection, and for those of what a second one receives.
      const options: ServerOptions = { deflate: { memory: 30_000 } }
      const { connections, peers, sockets } = await crowd(t, options, 2, SMALL_WINDOW)
      const [first, second]: readonly (Connection | undefined)[] = connections
      const text = 'a text that is compressed, '.repeat(5)
      first?.send(text)
      assert.equal((await peers[0]?.next())?.data, text)
      second?.sendFragment(text, false)
      sockets[0]?.destroy()
      while (first?.isOpen !== false) await new Promise((resolve) => setTimeout(resolve, 5))
      second?.sendFragment(text, false)
      second?.sendFragment('the end', true)
      second?.send(text)
      assert.equal((await peers[1]?.next())?.data, `${text}${text}the end`)
      assert.equal((await peers[1]?.next())?.data, text)
    })
  })
}
