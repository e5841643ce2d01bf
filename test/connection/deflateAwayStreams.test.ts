// A stream, and 'drain', behind long messages that are compressed elsewhere: what waits for the output to be written goes on
// when it is, also where a write takes all at once, of whose end nobody is told.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import type { Connection, ServerOptions } from '../../src/index.js'
import { DeflateClient } from '../support/deflateClient.js'
import { workers, working } from '../support/deflateWorkers.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

for (const { transport, publicApi } of transports) {
  for (const who of workers) {
    describe(`with ${who}, over ${transport}`, { timeout: 20_000 }, () => {
      async function place(
        t: TestContext,
        options: ServerOptions,
      ): Promise<{ peer: DeflateClient; connection: Connection }> {
        working(t, who)
        let socket: SocketClient | undefined
        t.after(() => socket?.destroy())
        const server = await serving(t, { deflate: { level: 'best' }, closeTimeout: 1000, publicApi, ...options })
        socket = await SocketClient.open(server.port ?? 0)
        const peer = await DeflateClient.upgraded(socket)
        const [connection] = server.connections
        assert.ok(connection !== undefined)
        return { peer, connection }
      }

      test('a stream goes on whose pieces are longer than half of outputLimit', async (t) => {
        const { peer, connection } = await place(t, { outputLimit: 1024 })
        const bytes = Buffer.from(new Random(seed).bytes(300_000))
        const sent = connection.sendStream([bytes.subarray(0, 100_000), bytes.subarray(100_000)])
        const { data } = await peer.next()
        assert.ok(bytes.equals(Buffer.from(data)))
        await sent
      })

      test('a stream goes on behind messages longer than half of outputLimit', async (t) => {
        const { peer, connection } = await place(t, { outputLimit: 200_000 })
        const bytes = Buffer.from(new Random(seed).bytes(400_000))
        assert.equal(connection.send(bytes), 'buffered')
        const sent = connection.sendStream([bytes.subarray(0, 100_000), bytes.subarray(100_000)])
        assert.ok(bytes.equals(Buffer.from((await peer.next()).data)))
        assert.ok(bytes.equals(Buffer.from((await peer.next()).data)))
        await sent
      })

      test('nothing is counted as buffered, and drain is told, once a long message has left', async (t) => {
        let drains = 0
        const { peer, connection } = await place(t, { drain: () => void drains++ })
        const bytes = Buffer.from(new Random(seed).bytes(100_000))
        const sending: readonly (() => unknown)[] = [
          () => connection.send(bytes),
          () => connection.send(bytes.toString('base64')),
          () => [connection.sendFragment(bytes, false), connection.sendFragment(bytes, true)],
          () => [connection.send(bytes), connection.send(bytes.subarray(0, 2000)), connection.send('short')],
        ]
        for (const [at, send] of sending.entries()) {
          const results = [send()].flat()
          assert.deepEqual(new Set(results), new Set(['buffered']))
          await eventually(() => drains === at + 1, `drain is told of what was sent at ${at}`)
          assert.equal(connection.bufferedAmount, 0)
        }
        assert.ok(bytes.equals(Buffer.from((await peer.next()).data)))
      })

      test('drain is told when what waited had to be compressed at once, as too much was sent', async (t) => {
        let drains = 0
        const { peer, connection } = await place(t, { drain: () => void drains++, outputLimit: 64 * 1024 * 1024 })
        const zeros = Buffer.alloc(9 * 1024 * 1024)
        assert.equal(connection.send(zeros), 'buffered')
        assert.equal(connection.send(zeros, { compress: false }), 'sent') // more than may wait: no longer behind anything
        assert.equal((await peer.next()).data.length, zeros.length)
        assert.equal((await peer.next()).data.length, zeros.length)
        await eventually(() => drains === 1, 'drain is told')
      })
    })
  }
}
