// Compressed messages on the other ways to an application: the module for large messages, and the loop of `messages`.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import type { Connection, ServerOptions } from '../../src/index.js'
import { type DeflateClient, orders, served } from '../support/deflateClient.js'
import { workers, working } from '../support/deflateWorkers.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { PADDING } from './largeModule.js'

const module = new URL('./largeModule.js', import.meta.url)

async function expectAll(peer: DeflateClient, expected: readonly (string | Buffer)[]): Promise<void> {
  for (const [at, each] of expected.entries()) {
    const { data } = await peer.next()
    assert.ok(Buffer.from(data).equals(Buffer.from(each)), `message ${at}: ${data.length} bytes for ${each.length}`)
  }
}

for (const { transport, publicApi } of transports) {
  for (const who of workers) {
    describe(`compressed messages, inflated by ${who}, over ${transport}`, () => {
      test('go to the module for large messages, and its answers come back compressed, in order', async (t) => {
        working(t, who)
        const options: ServerOptions = {
          publicApi,
          deflate: true,
          large: { module, threads: 1 },
          message: (connection, message) => connection.send(message),
        }
        const peer = await served(t, options)
        const bytes = Buffer.from(new Random(seed).bytes(300_000))
        await peer.send(bytes)
        await peer.send('short')
        await peer.send(`wait 20${PADDING}`, 3)
        await peer.send(Buffer.from(orders))
        await peer.send('short again')
        const wait = `wait 20${PADDING}`
        await expectAll(peer, [bytes, 'short', `wait 20 ${wait.length}`, Buffer.from(orders), 'short again'])
      })

      test('go through the loop over the messages, one at a time', async (t) => {
        working(t, who)
        const options: ServerOptions = {
          publicApi,
          deflate: true,
          async open(connection: Connection) {
            for await (const message of connection.messages()) {
              await new Promise((resolve) => setTimeout(resolve, 2))
              connection.send(message)
              if (message.byteLength === 4) connection.close(4001, 'the end')
            }
          },
        }
        const peer = await served(t, options)
        const bytes = Buffer.from(new Random(seed).bytes(200_000))
        const messages = [orders, 'short', bytes, '', orders.slice(0, 3000), bytes, `${orders}${orders}`, 'last']
        for (const [at, message] of messages.entries()) await peer.send(message, 1 + (at % 3))
        await expectAll(peer, messages)
        assert.equal(Buffer.from((await peer.next()).data).readUInt16BE(), 4001)
      })
    })
  }
}
