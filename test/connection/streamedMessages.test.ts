// A streamed message is handed out while it arrives, and must be what was sent: whatever its fragments, wherever the
// reads cut it, and with control frames in between. Text never cuts a character, and what is no text is refused.
import assert from 'node:assert/strict'
import { Buffer, isUtf8 } from 'node:buffer'
import { describe, test } from 'node:test'
import type { MessageStream } from '../../src/connection/receiving/messageStream.js'
import { connections } from '../support/connections.js'
import { BINARY, closeStatus, header, masked, PING, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'

interface Read {
  readonly isText: boolean
  readonly byteLength: number | undefined
  readonly chunks: Buffer[]
  ended: boolean
  error: Error | undefined
}

/** A connection that streams every message above `threshold`, and what was read. */
function streaming(threshold = 100): { place: ReturnType<typeof connections>; reads: Read[]; whole: string[] } {
  const reads: Read[] = []
  const whole: string[] = []
  const place = connections({
    message: (_, message) => void whole.push(message.text()),
    async stream(_, message: MessageStream) {
      const { isText, byteLength } = message
      const read: Read = { isText, byteLength, chunks: [], ended: false, error: undefined }
      reads.push(read)
      try {
        for await (const chunk of message) read.chunks.push(chunk)
        read.ended = true
      } catch (error) {
        read.error = error instanceof Error ? error : new Error(String(error))
      }
    },
    streamThreshold: threshold,
  })
  return { place, reads, whole }
}

/** Feeds bytes in random pieces, waiting where nothing is read. */
async function feed(
  wire: ReturnType<ReturnType<typeof connections>['connect']>['wire'],
  bytes: Buffer,
  random: Random,
): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    await wire.resumed()
    assert.equal(wire.paused, false, 'reading goes on')
    const length = random.between(1, random.pick([1, 20, 500, 5000]))
    wire.feed(bytes.subarray(at, at + length))
    at += length
  }
  await wire.resumed()
  await settle()
}

/** A message in random fragments, with pings between them. */
function fragmented(opcode: number, payload: Buffer, random: Random): Buffer {
  const frames: Buffer[] = []
  let at = 0
  do {
    const end = random.chance(0.3) ? payload.length : at + random.below(payload.length - at + 1)
    frames.push(masked(at === 0 && frames.length === 0 ? opcode : 0, payload.subarray(at, end), end === payload.length))
    if (end < payload.length && random.chance(0.3)) frames.push(masked(PING, 'p'))
    at = end
    if (at === payload.length) break
  } while (frames.length < 50)
  if (at < payload.length) frames.push(masked(0, payload.subarray(at)))
  return Buffer.concat(frames)
}

describe('random messages at random splits', () => {
  test('arrive as they were sent', async () => {
    const random = new Random(seed)
    for (let run = 0; run < 60; run++) {
      const { place, reads } = streaming()
      const { wire } = place.connect()
      const sent: { opcode: number; payload: Buffer }[] = []
      for (let count = 0; count < 4; count++) {
        const opcode = random.pick([TEXT, BINARY])
        const payload =
          opcode === TEXT
            ? Buffer.from('aé世😀'.repeat(random.between(20, 600)))
            : Buffer.from(Array.from({ length: random.between(101, 5000) }, () => random.below(256)))
        sent.push({ opcode, payload })
      }
      const stream = Buffer.concat(sent.map(({ opcode, payload }) => fragmented(opcode, payload, random)))
      await feed(wire, stream, random)
      const long = reads.filter(({ ended }) => ended)
      // A message whose fragments never announce more than the threshold at once may have gone to `message`.
      const all = Buffer.concat(long.flatMap(({ chunks }) => chunks))
      assert.deepEqual(all, Buffer.concat(sent.map(({ payload }) => payload)), `run ${run} of seed ${seed}`)
      for (const { isText, chunks } of long) {
        if (isText) for (const chunk of chunks) assert.ok(isUtf8(chunk), 'a chunk cuts a character')
      }
      assert.equal(place.budget.used, 0)
    }
  })
})

test('the length is known where the message comes in one frame', async () => {
  const { place, reads } = streaming()
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(100_000)))
  await settle()
  wire.feed(Buffer.concat([masked(BINARY, Buffer.alloc(50_000), false), masked(0, Buffer.alloc(10))]))
  await settle()
  assert.deepEqual(
    reads.map(({ byteLength, ended }) => [byteLength, ended]),
    [
      [100_000, true],
      [undefined, true],
    ],
  )
})

test('shorter messages go to the message handler', async () => {
  const { place, reads, whole } = streaming()
  place.connect().wire.feed(Buffer.concat([masked(TEXT, 'x'.repeat(100)), masked(TEXT, 'y'.repeat(101))]))
  await settle()
  assert.deepEqual(whole, ['x'.repeat(100)])
  assert.equal(reads[0]?.chunks.join(''), 'y'.repeat(101))
})

test('an invalid byte fails the connection with 1007, and the reader hears of it', async () => {
  const { place, reads } = streaming()
  const { wire } = place.connect()
  const text = Buffer.from('世'.repeat(50_000))
  text[149_000] = 0xff
  wire.feed(masked(TEXT, text))
  await settle()
  assert.equal(closeStatus(wire.frames()[0])?.code, 1007)
  wire.close()
  await settle()
  assert.match(String(reads[0]?.error), /ended before the message did/)
  assert.equal(place.budget.used, 0)
})

test('a reader that does not read holds the peer back', async () => {
  let stream: MessageStream | undefined
  const place = connections({
    stream: (_, message) => new Promise(() => (stream = message)),
    streamThreshold: 100,
  })
  const { wire } = place.connect()
  const frame = masked(BINARY, Buffer.alloc(1_000_000, 7))
  wire.feed(frame.subarray(0, 100_000))
  assert.equal(wire.paused, true)
  assert.ok(place.budget.used <= 110_000, `${place.budget.used} bytes held`)
  const first = await stream?.next()
  assert.equal(first?.value?.length, 100_000 - 14)
  await settle()
  assert.equal(wire.paused, false)
  wire.close()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('a reader that leaves early throws the rest away, and the next message arrives', async () => {
  const seen: number[] = []
  const place = connections({
    message: (_, message) => void seen.push(message.byteLength),
    async stream(_, message) {
      for await (const chunk of message) {
        seen.push(chunk.length)
        break
      }
    },
    streamThreshold: 100,
  })
  const { wire } = place.connect()
  const bytes = Buffer.concat([masked(BINARY, Buffer.alloc(300_000)), masked(BINARY, Buffer.alloc(50))])
  await feed(wire, bytes, new Random(seed))
  assert.equal(seen.length, 2)
  assert.equal(seen[1], 50)
  assert.equal(place.budget.used, 0)
})

test('a handler that throws fails the connection with 1011', async () => {
  for (const stream of [
    () => {
      throw new Error('sync')
    },
    () => Promise.reject(new Error('async')),
  ]) {
    const errors: unknown[] = []
    const place = connections({
      stream,
      error: (_, error) => void errors.push(error),
      streamThreshold: 100,
    })
    const { wire } = place.connect()
    wire.feed(masked(BINARY, Buffer.alloc(100_000)).subarray(0, 50_000))
    await settle()
    assert.equal(closeStatus(wire.frames()[0])?.code, 1011)
    assert.equal(errors.length, 1)
    wire.close()
    await settle()
    assert.equal(place.budget.used, 0)
  }
})

test('as a Readable and as a web stream', async () => {
  const results: string[] = []
  const place = connections({
    async stream(_, message) {
      const chunks: Uint8Array[] = []
      if (results.length === 0) for await (const chunk of message.toReadable()) chunks.push(chunk)
      else for await (const chunk of message.toWeb()) chunks.push(chunk)
      results.push(Buffer.concat(chunks).toString())
    },
    streamThreshold: 100,
  })
  const { wire } = place.connect()
  for (let count = 0; count < 2; count++) {
    wire.feed(masked(TEXT, 'grüße '.repeat(1000)))
    for (let turn = 0; turn < 10; turn++) await settle()
  }
  assert.deepEqual(results, ['grüße '.repeat(1000), 'grüße '.repeat(1000)])
})

test('a threshold of 0 streams every message, whatever its length', async () => {
  const { place, reads, whole } = streaming(0)
  const { wire } = place.connect()
  const [all, fragments] = ['hé', 'abc']
  wire.feed(Buffer.concat([masked(TEXT, all), masked(PING, 'p'), masked(BINARY)]))
  await settle()
  const frames = [...fragments].map((letter, at) => masked(at === 0 ? TEXT : 0, letter, at === 2))
  await feed(wire, Buffer.concat(frames), new Random(seed))
  assert.deepEqual(whole, [])
  assert.deepEqual(
    reads.map(({ chunks, isText, ended }) => [Buffer.concat(chunks).toString(), isText, ended]),
    [
      [all, true, true],
      ['', false, true],
      [fragments, true, true],
    ],
  )
  assert.equal(place.budget.used, 0)
})

test('a length of up to 2^53 - 1 is streamed, a longer one is refused at its header', async () => {
  const { place, reads } = streaming()
  const { wire } = place.connect()
  wire.feed(Buffer.concat([header(0x82, 0x80, Number.MAX_SAFE_INTEGER), Buffer.alloc(4 + 1000)]))
  await settle()
  assert.equal(reads[0]?.byteLength, Number.MAX_SAFE_INTEGER)
  assert.equal(place.budget.stalls.watched, 1)
  wire.close()
  await settle()
  assert.match(String(reads[0]?.error), /ended before/)
  assert.equal(place.budget.stalls.watched, 0)
  const other = place.connect()
  other.wire.feed(Buffer.concat([header(0x82, 0x80, 2 ** 53), Buffer.alloc(4)]))
  assert.equal(closeStatus(other.wire.frames()[0])?.code, 1009)
  assert.equal(reads.length, 1)
})

test('a reader that leaves early fails the connection, by option', async () => {
  const errors: string[] = []
  const place = connections({
    async stream(_, message) {
      for await (const chunk of message) if (chunk.length > 0) break
    },
    error: (_, error) => void errors.push(String(error)),
    streamThreshold: 100,
    streamLeft: 'fail',
  })
  const whole = place.connect()
  whole.wire.feed(masked(BINARY, Buffer.alloc(30_000)))
  await settle()
  assert.equal(whole.peer.isOpen, true, 'nothing of it was left')
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(300_000)).subarray(0, 100_000))
  await settle()
  assert.equal(closeStatus(wire.frames()[0])?.code, 1008)
  assert.match(errors[0] ?? '', /did not read the message to its end/)
  for (const one of [wire, whole.wire]) one.close()
  await settle()
  assert.equal(place.budget.used, 0)
})
