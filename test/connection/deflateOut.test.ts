// What is sent compressed (RFC 7692): by its length or as it is told, in fragments, as a stream, and with a stream coming in.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import type { ServerOptions } from '../../src/index.js'
import { type DeflateClient, orders, served } from '../support/deflateClient.js'
import { transports } from '../support/places.js'

for (const { transport, publicApi } of transports) {
  const connect = (t: TestContext, options: ServerOptions): Promise<DeflateClient> =>
    served(t, { ...options, publicApi })

  describe(`what is sent compressed over ${transport}`, () => {
    test('go out compressed by their length, or as send is told', async (t) => {
      const peer = await connect(t, {
        deflate: { threshold: 100 },
        open(connection) {
          for (const length of [99, 100]) connection.send('a'.repeat(length))
          connection.send('\u00e9'.repeat(50))
          connection.send('short', { compress: true })
          connection.send('l'.repeat(500), { compress: false })
          connection.send(Buffer.alloc(500), {})
        },
      })
      const seen: boolean[] = []
      for (let at = 0; at < 6; at++) seen.push((await peer.next()).compressed)
      assert.deepEqual(seen, [false, true, true, true, false, true])
    })

    test('go out in fragments and as a stream', async (t) => {
      const pieces = Array.from({ length: 10 }, (_, at) => orders.slice(at * 3000, (at + 1) * 3000))
      const peer = await connect(t, {
        deflate: true,
        async open(connection) {
          connection.send(orders.slice(0, 1000))
          for (const [at, piece] of pieces.entries()) connection.sendFragment(piece, at === 9)
          const sent = connection.sendStream(
            (async function* () {
              yield* pieces
            })(),
          )
          connection.send(orders.slice(0, 2000))
          await sent
          connection.send(orders.slice(0, 3000))
        },
      })
      assert.equal((await peer.next()).data, orders.slice(0, 1000))
      const fragments = await peer.next()
      assert.equal(fragments.data, orders.slice(0, 30_000))
      assert.ok(fragments.compressed && fragments.frames === 10)
      const stream = await peer.next()
      assert.equal(stream.data, orders.slice(0, 30_000))
      assert.ok(stream.compressed && stream.frames >= 10)
      assert.equal((await peer.next()).data, orders.slice(0, 2000))
      assert.equal((await peer.next()).data, orders.slice(0, 3000))
    })

    test('go to the stream handler as they are inflated', async (t) => {
      const bytes = Buffer.from(orders.repeat(20))
      for (const parts of [1, 7]) {
        const peer = await connect(t, {
          deflate: true,
          maxMessage: 1000,
          streamThreshold: 1000,
          async stream(connection, message) {
            const chunks: Buffer[] = []
            for await (const chunk of message) chunks.push(chunk)
            connection.send(Buffer.concat(chunks).equals(bytes) ? 'the same' : 'another', { compress: true })
          },
          message(connection, message) {
            connection.send(message)
          },
        })
        for (const data of [bytes, bytes.toString()]) {
          await peer.send(data, parts)
          assert.equal((await peer.next()).data, 'the same')
          await peer.send('short')
          assert.equal((await peer.next()).data, 'short')
        }
      }
    })
  })
}
