// What a peer does not read is memory. Whatever it sends meanwhile, and whatever the output policy is, it is ended, and
// the memory comes back; and what can't be kept because nothing settles ends connections, never the process.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { effort } from '../support/effort.js'
import { BINARY, closeStatus, masked, PONG } from '../support/frames.js'
import { transports } from '../support/places.js'
import { eventually, type SocketClient } from '../support/socketClient.js'
import { Books } from './books.js'

const KiB = 1024
const MiB = 1024 * KiB

/** Ends without Close, or after its Close frame: who reads nothing can't see it. */
function codes(clients: readonly SocketClient[]): (number | undefined)[] {
  return clients.flatMap(({ receivedFrames }) => receivedFrames.map((frame) => closeStatus(frame)?.code))
}

for (const { transport, publicApi } of transports) {
  describe(`with ${transport}`, () => {
    for (const outputPolicy of effort({ quick: [publicApi ? 'pause' : 'drop'], full: ['drop', 'pause'] } as const)) {
      test(`a peer that sends and never reads keeps no region: ${outputPolicy}`, { timeout: 120_000 }, async (t) => {
        const books = await Books.open(t, {
          publicApi,
          outputPolicy,
          outputLimit: 64 * MiB, // so that the policy does nothing about it
          pauseTimeout: 1000,
          closeTimeout: 500,
          message: (connection, message) => connection.send(message),
        })
        const client = await books.dial()
        client.socket.pause()
        client.write(masked(BINARY, Buffer.alloc(15 * MiB))) // more than the system takes
        await eventually(() => books.budget.used > 14 * MiB, 'the region is held', 60_000)
        const chatter = setInterval(() => client.write(masked(PONG)), 100) // neither idle nor silent
        t.after(() => clearInterval(chatter))
        await eventually(() => books.server.connections.size === 0, 'the connection ends', 60_000)
        assert.match(books.errors.join(), /pauseTimeout is 1000 ms/)
        await client.destroy()
        await books.settled()
      })
    }

    test('what can not be kept ends its connection with 1013', { timeout: 120_000 }, async (t) => {
      const done: (() => void)[] = []
      const books = await Books.open(t, {
        publicApi,
        payloadMemory: 64 * MiB, // a quarter is for what is kept: 16 MiB
        maxMessage: MiB,
        pauseTimeout: 0,
        pendingHandlers: 10_000,
        message: () => new Promise<void>((resolve) => done.push(resolve)),
      })
      const { limit } = books.budget
      // Each is the oldest in its turn, and as such is read from: its message ends, with as much as one read holds behind.
      const large = masked(BINARY, Buffer.alloc(100_000))
      const small = Array.from({ length: 20 }, () => masked(BINARY, Buffer.alloc(2800)))
      const rest = Buffer.concat([large.subarray(-1000), ...small])
      const clients: SocketClient[] = []
      for (let n = 0; n < 400; n++) clients.push(await books.dial())
      for (const client of clients) client.write(large.subarray(0, -1000))
      await eventually(() => books.budget.stalls.watched === clients.length, 'all have begun', 60_000)
      for (const client of clients) client.write(rest)
      await eventually(() => codes(clients).length > 0, 'one is ended', 60_000)
      assert.ok(codes(clients).every((code) => code === 1013))
      assert.match(books.errors[0] ?? '', /MEMORY|memory/)
      assert.ok(books.budget.used <= limit)
      for (const client of clients) await client.destroy()
      // What is delivered while the others end has a handler that waits, too.
      const nothingWaits = (): boolean => {
        for (const resolve of done.splice(0)) resolve()
        return books.server.connections.size === 0 && books.budget.used === 0
      }
      await eventually(nothingWaits, 'all handlers have settled', 60_000)
      await books.settled()
    })
  })
}
