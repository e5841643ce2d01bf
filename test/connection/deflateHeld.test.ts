// What the windows of one connection hold, counted in the codec's memory after much was sent both ways: no more than was
// promised, nothing between messages that stand alone, and no more after many messages than after some.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { ServerOptions } from '../../src/index.js'
import { type ClientOptions, DeflateClient, orders } from '../support/deflateClient.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

const KIB = 1024
const CONNECTIONS = 8
const SLOT = 192

const offers: Readonly<Record<string, ClientOptions>> = {
  limited: { offer: 'permessage-deflate; client_max_window_bits', windowBits: 12 },
  unlimited: { offer: 'permessage-deflate' },
  alone: {
    offer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    clientNoContextTakeover: true,
    serverNoContextTakeover: true,
  },
}

async function crowd(t: TestContext, options: ServerOptions, client: ClientOptions | undefined) {
  const sockets: SocketClient[] = []
  t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
  const server = await serving(t, {
    closeTimeout: 100,
    message: (connection, message) => connection.send(message),
    ...options,
  })
  const peers: DeflateClient[] = []
  for (let count = 0; count < CONNECTIONS; count++) {
    const socket = await SocketClient.open(server.port ?? 0)
    sockets.push(socket)
    peers.push(await DeflateClient.upgraded(socket, client))
  }
  return { server, peers }
}

/** Echoes of messages of random lengths. */
async function echoes(peers: readonly DeflateClient[], count: number, random: Random): Promise<void> {
  for (let round = 0; round < count; round++) {
    await Promise.all(
      peers.map(async (peer) => {
        const from = random.between(0, orders.length)
        const text = orders.slice(from, from + random.between(0, random.pick([100, 3000, 70_000])))
        await peer.send(text)
        assert.equal((await peer.next()).data.length, text.length)
      }),
    )
  }
}

describe('the windows of a connection', () => {
  const rows = [
    ['limited', 'fast', 24 * KIB],
    ['unlimited', 'fast', 52 * KIB],
    ['limited', 'best', 24 * KIB],
    ['alone', 'fast', SLOT],
    ['alone', 'best', SLOT],
  ] as const
  for (const [client, level, most] of rows) {
    test(`hold at most ${most} bytes where the client's is ${client} and the level ${level}`, async (t) => {
      const heap = heapOfThread()
      const warm = await crowd(t, { deflate: { level } }, offers[client])
      await echoes(warm.peers.slice(0, 1), 20, new Random(seed))
      await warm.server.close()
      const before = heap.used
      const { peers } = await crowd(t, { deflate: { level } }, offers[client])
      const random = new Random(seed + 1)
      await echoes(peers, 15, random)
      const each = (heap.used - before) / CONNECTIONS
      assert.ok(each <= most, `${each} bytes`)
      const held = heap.used
      await echoes(peers, effort({ quick: 15, full: 1000 }), random)
      assert.ok(heap.used <= held * 1.1, `${heap.used} bytes after ${held}`)
    })
  }
})
