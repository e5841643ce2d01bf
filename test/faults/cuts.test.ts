// Large messages that are cut at every place where their way changes, and at many others: the rest comes with the next
// read, or never, after the peer's end or reset. What arrives is what was sent, and what does not leaves nothing behind.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { Message } from '../../src/connection/message.js'
import type { ServerOptions } from '../../src/index.js'
import { effort } from '../support/effort.js'
import { BINARY, masked, PING } from '../support/frames.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { eventually, type SocketClient } from '../support/socketClient.js'
import { Books } from './books.js'

const random = new Random(seed)
const PAYLOAD = Buffer.alloc(300_000, random.bytes(251))
const WHOLE = masked(BINARY, PAYLOAD)
const FRAGMENTS = [
  masked(BINARY, PAYLOAD.subarray(0, 70_000), false),
  masked(0, PAYLOAD.subarray(70_000, 70_005), false),
  masked(PING, 'amid'),
  masked(0, PAYLOAD.subarray(70_005, 200_005), false),
  masked(0, PAYLOAD.subarray(200_005)),
]
const FRAGMENTED = Buffer.concat(FRAGMENTS)
/** Where frames begin, and their headers end. */
const SEAMS = FRAGMENTS.map((_, n) => Buffer.concat(FRAGMENTS.slice(0, n)).length)
const LONGEST_HEADER = 14
/** Of the cuts that end a connection: each so many. */
const STEP = effort({ quick: 11, full: 1 })

interface Way {
  readonly name: string
  readonly bytes: Buffer
  readonly options: (arrived: (payload: Uint8Array) => void) => Partial<ServerOptions>
}

const module = new URL('../pool/largeModule.js', import.meta.url)

const received: Way['options'] = (arrived) => ({ message: (_, message) => arrived(message.bytes) })
const streamed: Way['options'] = (arrived) => ({
  async stream(_, message) {
    const chunks: Buffer[] = []
    for await (const chunk of message) chunks.push(chunk)
    arrived(Buffer.concat(chunks))
  },
})
const pooled: Way['options'] = (arrived) => ({
  large: { module, threads: 2 },
  largeResult: (_, result) => arrived(result instanceof Message ? result.bytes : Buffer.of()),
})

const ways: readonly Way[] = [
  { name: 'in one frame', bytes: WHOLE, options: received },
  { name: 'in fragments', bytes: FRAGMENTED, options: received },
  { name: 'in one frame, streamed', bytes: WHOLE, options: streamed },
  { name: 'in fragments, streamed', bytes: FRAGMENTED, options: streamed },
  { name: 'in one frame, for the pool', bytes: WHOLE, options: pooled },
  { name: 'in fragments, for the pool', bytes: FRAGMENTED, options: pooled },
]

/** Headers and keys at every byte; around each length at which a region grows or the inbox is full; and anywhere. */
function cutsOf(bytes: Buffer, anywhere: number): number[] {
  const cuts = new Set<number>([bytes.length - 2, bytes.length - 1])
  const seams = bytes === FRAGMENTED ? SEAMS : [0]
  for (const seam of seams) for (let at = seam - 1; at <= seam + LONGEST_HEADER + 1; at++) cuts.add(at)
  for (const size of [65_536, 131_072, 196_608, 262_144]) {
    for (const header of [0, LONGEST_HEADER]) for (const off of [-1, 0, 1]) cuts.add(size + header + off)
  }
  for (let n = 0; n < anywhere; n++) cuts.add(random.between(1, bytes.length - 1))
  return [...cuts].filter((cut) => cut > 0 && cut < bytes.length).sort((a, b) => a - b)
}

/** Sends, and lets the server, which runs on the same loop, read it. */
async function sent({ socket }: SocketClient, bytes: Uint8Array): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve))
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

for (const { transport, publicApi } of transports) {
  for (const { name, bytes, options } of ways) {
    describe(`with ${transport}, ${name}`, () => {
      test('cut anywhere, a message arrives as it was', { timeout: 240_000 }, async (t) => {
        let right = 0
        let wrong = 0
        const arrived = (payload: Uint8Array): void => void (PAYLOAD.equals(payload) ? right++ : wrong++)
        const books = await Books.open(t, { publicApi, ...options(arrived) })
        const client = await books.dial()
        const cuts = cutsOf(bytes, effort({ quick: 5, full: 40 }))
        for (const [n, cut] of cuts.entries()) {
          await sent(client, bytes.subarray(0, cut))
          await sent(client, bytes.subarray(cut))
          await eventually(() => right + wrong > n || client.over, `the message cut at ${cut}`, 60_000)
          assert.deepEqual([right, wrong], [n + 1, 0], `cut at ${cut}`)
        }
        assert.deepEqual(books.errors, [])
        await client.destroy()
        await books.settled()
      })

      test('and never, if its peer ends or resets the connection there', { timeout: 240_000 }, async (t) => {
        let messages = 0
        const books = await Books.open(t, { publicApi, ...options(() => messages++) })
        for (const cut of cutsOf(bytes, effort({ quick: 0, full: 20 })).filter((_, n) => n % STEP === 0)) {
          const [ending, resetting] = [await books.dial(), await books.dial()]
          await Promise.all([ending, resetting].map((client) => sent(client, bytes.subarray(0, cut))))
          ending.socket.end()
          resetting.socket.resetAndDestroy()
          await ending.end()
          await ending.destroy()
        }
        await books.settled()
        assert.equal(messages, 0)
      })
    })
  }
}
