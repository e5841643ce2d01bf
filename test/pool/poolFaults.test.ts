// A pool of threads under pressure: a queue that pushes back and fails nobody, threads that are ended while they still
// write into a payload, threads that fail between two messages, and the order of what stands behind a large message.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { afterEach, describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { createServer, type ServerOptions } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'
import { PADDING } from './largeModule.js'

const module = new URL('./largeModule.js', import.meta.url)
/** Where the way of a message changes: the lengths in its header, the pool's threshold, the inbox. */
const BOUNDARIES = [32_768, 65_536, 131_072, 262_144]
const CONNECTIONS = effort({ quick: 3, full: 50 })
const errors: string[] = []

const each = eachTest()

afterEach(() => {
  errors.length = 0
})

async function pooled(large = {}, options: Partial<ServerOptions> = {}): Promise<() => Promise<WsClient>> {
  const server = await serving(each, {
    message: (connection, message) => connection.send(message),
    error: (_, error) => void errors.push(String(error)),
    ...options,
    large: { module, threads: 1, ...large },
  })
  return () => WsClient.open(`ws://127.0.0.1:${server.address?.port}`)
}

for (const { transport, publicApi } of transports) {
  describe(`with ${transport}`, () => {
    test('ten small messages after a large one keep their order', async () => {
      const client = await (await pooled({}, { publicApi }))()
      client.socket.send(`wait 100${PADDING}`)
      for (let n = 0; n < 10; n++) client.socket.send(`${n}`)
      assert.equal(await client.messages.next(), 'wait 100 70008')
      for (let n = 0; n < 10; n++) assert.equal(await client.messages.next(), `${n}`)
    })

    for (const threads of [0, 2]) {
      test(`20 large messages on each of ${CONNECTIONS} connections come back as they were, ${threads} threads`, async () => {
        const held = heapOfThread().used
        const random = new Random(seed)
        // Without the pool, nothing is as long as its threshold.
        const open = await pooled(threads === 0 ? { threshold: 2 ** 40 } : { threads }, { publicApi })
        const clients = await Promise.all(Array.from({ length: CONNECTIONS }, open))
        await Promise.all(
          clients.map(async (client) => {
            const payloads = Array.from({ length: 20 }, (_, n) => {
              const around = random.pick(BOUNDARIES) + random.between(-20, 20)
              const length = n % 2 === 0 ? around : random.between(20_000, 500_000)
              return Buffer.alloc(length, random.bytes(251)) // a prime: no two places of a block look alike
            })
            for (const payload of payloads) client.socket.send(payload)
            for (const payload of payloads) {
              const echo = await client.messages.next()
              assert.ok(Buffer.isBuffer(echo) && payload.equals(echo), `${payload.length} bytes`)
            }
            await client.close()
          }),
        )
        await eventually(() => heapOfThread().used <= held + 65_536, 'every region is free') // a larger outbox may stay
      })
    }
  })
}

test('a full queue stops the reading and fails nobody, however long the wait', async () => {
  const open = await pooled({ queue: 1, ordered: false, timeout: 20_000 }, { pauseTimeout: 300 })
  const [first, second] = [await open(), await open()]
  for (let n = 0; n < 4; n++) first.socket.send(`wait 300${PADDING}`)
  first.socket.send('behind')
  await delay(100)
  second.socket.send(`wait 10${PADDING}`)
  second.socket.send('behind')
  for (let n = 0; n < 3; n++) assert.equal(await first.messages.next(), 'wait 300 70008')
  const rest = [await first.messages.next(), await first.messages.next()]
  assert.deepEqual(rest.sort(), ['behind', 'wait 300 70008'])
  assert.deepEqual([await second.messages.next(), await second.messages.next()], ['wait 10 70007', 'behind'])
  assert.deepEqual(errors, [])
})

test('the time of a message begins when a thread takes it', async () => {
  const { wait, timeout } = effort({ quick: { wait: 500, timeout: 1500 }, full: { wait: 1500, timeout: 5000 } })
  const open = await pooled({ timeout })
  const clients = await Promise.all(Array.from({ length: 4 }, open))
  for (const client of clients) client.socket.send(`wait ${wait}${PADDING}`)
  for (const client of clients)
    assert.equal(await client.messages.next(), `wait ${wait} ${70_005 + String(wait).length}`)
  assert.deepEqual(errors, [])
})

test('a thread that is ended while it writes into its payload touches no other', async () => {
  const open = await pooled({ threads: 2, timeout: 300 })
  for (let round = 0; round < effort({ quick: 2, full: 5 }); round++) {
    const [bad, good] = [await open(), await open()]
    bad.socket.send(`scribble ${PADDING}`)
    const payload = Buffer.alloc(80_000, round)
    const until = performance.now() + 600
    while (performance.now() < until) {
      good.socket.send(payload.subarray(0, 60_000)) // into regions that are free, on the server's own thread
      assert.ok(payload.subarray(0, 60_000).equals((await good.messages.next()) as Buffer))
    }
    assert.equal((await bad.ended).code, 1011)
    await good.close()
  }
})

test('a thread that fails between two messages is replaced, and ends neither process nor connection', async (context) => {
  const told = context.mock.method(console, 'error', () => undefined)
  const client = await (await pooled())()
  client.socket.send(`late ${PADDING}`)
  assert.equal(await client.messages.next(), 'late  70005')
  await eventually(() => told.mock.callCount() > 0, 'the failure is told')
  assert.match(String(told.mock.calls[0]?.arguments[0]), /in a timer/)
  client.socket.send(`say on${PADDING}`)
  assert.equal(await client.messages.next(), 'say on 70006')
})

test('options that can not be right', () => {
  for (const wrong of [{ threads: 0 }, { queue: -1 }, { timeout: 0.5 }, { idleTimeout: -1 }]) {
    assert.throws(() => createServer({ large: { module, ...wrong } }), /large\.\w+ must be a whole number from [01]/)
  }
})
