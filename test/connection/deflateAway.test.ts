// Long messages are compressed and inflated by threads, or in slices where there are none: what is sent and received keeps
// its order, whatever else is sent meanwhile.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import type { SendResult, ServerOptions } from '../../src/index.js'
import { type ClientOptions, DeflateClient, orders, served } from '../support/deflateClient.js'
import { dying, workers, working } from '../support/deflateWorkers.js'
import { overHttp2 } from '../support/http2Bridge.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const LONG = orders.repeat(4)
const STANDALONE: ClientOptions = {
  offer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
}

const echo: ServerOptions = { message: (connection, message) => connection.send(message) }

/** Long, short, text, bytes, and what does not get shorter. */
function various(count: number): (string | Buffer)[] {
  const random = new Random(seed)
  return Array.from({ length: count }, (_, at) => {
    const from = random.between(0, 50_000)
    if (at % 3 === 0) return LONG.slice(from, from + random.between(100_000, 600_000))
    if (at % 7 === 0) return Buffer.from(random.bytes(random.between(1, 400_000)))
    return LONG.slice(from, from + random.between(0, 3000))
  })
}

async function expectAll(peer: DeflateClient, messages: readonly (string | Buffer)[]): Promise<void> {
  for (const [at, message] of messages.entries()) {
    const { data } = await peer.next()
    assert.equal(data.length, message.length, `message ${at}`)
    assert.ok(Buffer.from(data).equals(Buffer.from(message)), `message ${at}, seed ${seed}`)
  }
}

for (const { transport, publicApi } of transports) {
  for (const level of ['fast', 'best'] as const) {
    const options = (more: ServerOptions): ServerOptions => ({ deflate: { level }, publicApi, ...more })

    describe(`long messages, ${level}, over ${transport}`, () => {
      for (const who of workers) {
        for (const client of [undefined, STANDALONE]) {
          const takeover = client === undefined ? 'with takeover' : 'without'
          test(`come and go in order among short ones, ${takeover}, by ${who}`, async (t) => {
            const tasks = working(t, who)
            const peer = await served(t, options(echo), client)
            const messages = various(15)
            for (const message of messages) await peer.send(message, 1 + (message.length % 3))
            await expectAll(peer, messages)
            assert.equal(tasks.includes(level), who === 'threads')
            // What comes over HTTP/2 comes in frames of DATA, none of which is long enough for a thread.
            assert.equal(tasks.includes('inflate'), who === 'threads' && !overHttp2)
          })
        }
      }

      test('are right also if every thread dies amid its work', async (t) => {
        const tasks = working(t, 'threads', dying)
        const peer = await served(t, options(echo))
        const messages = various(6)
        for (const message of messages) await peer.send(message)
        await expectAll(peer, messages)
        assert.deepEqual(tasks, [])
      })

      test('keep their place among all that a connection can be sent', async (t) => {
        const tasks = working(t, 'threads')
        const results: SendResult[] = []
        const long = LONG.slice(0, 300_000)
        const peer = await served(
          t,
          options({
            async open(connection) {
              const send = (text: string): unknown => results.push(connection.send(text))
              send(`1${long}`)
              send('2')
              connection.send('3'.repeat(2000), { compress: false })
              connection.sendFragment('4', false)
              connection.sendFragment(long, false)
              connection.sendFragment('', true)
              send(`5${long}`)
              const stream = connection.sendStream(
                (async function* () {
                  yield '6'
                  yield long
                })(),
              )
              send('7')
              await stream
              send('8')
              send(`9${long}`)
            },
          }),
        )
        const lengths = ['1', '2', '3', '4', '5', '6', '7', '8', '9']
        for (const mark of lengths) {
          const { data } = await peer.next()
          const rest = mark === '3' ? '3'.repeat(1999) : '14569'.includes(mark) ? long : ''
          assert.equal(data, `${mark}${rest}`)
        }
        results.splice(4, 1) // nothing waits when the stream has ended
        assert.deepEqual(
          results,
          Array.from({ length: 5 }, () => 'buffered'),
        )
        assert.ok(tasks.length >= 4, `${tasks.length}`)
      })

      test('are followed by what is published meanwhile', async (t) => {
        working(t, 'threads')
        let socket: SocketClient | undefined
        t.after(() => socket?.destroy())
        const long = LONG.slice(0, 300_000)
        const news = 'news that are so long that they are compressed for many, '.repeat(20)
        const server = await serving(
          t,
          options({
            open: (connection) => connection.subscribe('news'),
            message(connection, message) {
              const text = message.text()
              connection.send(`${text}${long}`)
              server.publish('news', `${text}${news}`)
              connection.send(`${text}${long}`)
              server.publish('news', text)
            },
          }),
        )
        socket = await SocketClient.open(server.port ?? 0)
        const peer = await DeflateClient.upgraded(socket)
        for (const round of ['1', '2', '3']) await peer.send(round)
        for (const round of ['1', '2', '3']) {
          for (const rest of [long, news, long, '']) assert.equal((await peer.next()).data, `${round}${rest}`)
        }
      })

      test('owe a drain, and count as buffered until they have left', async (t) => {
        working(t, 'threads')
        const seen: unknown[] = []
        const long = LONG.slice(0, 300_000)
        const peer = await served(
          t,
          options({
            open(connection) {
              seen.push(connection.send(long), connection.bufferedAmount >= long.length)
            },
            drain: (connection) => void seen.push(connection.bufferedAmount),
          }),
        )
        assert.equal((await peer.next()).data, long)
        await eventually(() => seen.length === 3, 'the drain')
        assert.deepEqual(seen, ['buffered', true, 0])
      })
    })
  }
}
