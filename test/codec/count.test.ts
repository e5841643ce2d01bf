// The counter skips payloads unread; here it must agree with the reader that reads every byte, however reads are cut.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { heapOfThread, INBOX } from '../../src/codec/codec.js'
import { COUNT_CONTROL, COUNT_DONE, COUNT_PIECE, Counter } from '../../src/codec/counter.js'
import { FIN, RSV1 } from '../../src/codec/frames.js'
import { VIOLATION_MASK_FORBIDDEN } from '../../src/codec/wasm.generated.js'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, PONG } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { parseReference } from '../support/referenceParser.js'

const heap = heapOfThread()
const { bytes } = heap.codec

class Counts {
  readonly #counter = new Counter(heap, { first: FIN, length: 0, pointer: 0, compressed: 0 })

  constructor() {
    this.#counter.begin()
  }

  /** Goes on behind pings and pongs. */
  feed(piece: Uint8Array): { status: number; messages: number } {
    bytes.set(piece, INBOX)
    let messages = 0
    for (let cursor = INBOX; ; cursor = this.#counter.consumed) {
      const status = this.#counter.count(cursor, INBOX + piece.length)
      messages += this.#counter.messages
      if (status !== COUNT_CONTROL || this.#counter.controlOpcode === CLOSE) return { status, messages }
    }
  }

  /** Feeds what lies in the inbox already; returns the messages. */
  feedAgain(length: number): number {
    this.#counter.count(INBOX, INBOX + length)
    return this.#counter.messages
  }

  close(): void {
    this.#counter.free()
  }
}

/** Messages, some in fragments with control frames between them, as a server sends them. */
function stream(random: Random): Buffer {
  const frames: Buffer[] = []
  const control = (): void => {
    if (random.chance(0.3)) frames.push(buildFrame({ opcode: random.pick([PING, PONG]), payload: random.bytes(3) }))
  }
  for (let message = 0; message < 30; message++) {
    const fragments = random.pick([1, 1, 1, 2, 5])
    for (let n = 0; n < fragments; n++) {
      const payload = random.bytes(random.pick([0, 1, 2, 20, 125, 126, 127, 300]))
      frames.push(buildFrame({ opcode: n === 0 ? BINARY : CONTINUATION, fin: n === fragments - 1, payload }))
      control()
    }
  }
  // One of each header form, the longest last.
  for (const length of [125, 65_535, 65_536])
    frames.push(buildFrame({ opcode: BINARY, payload: Buffer.alloc(length, 1) }))
  return Buffer.concat(frames)
}

describe('count', () => {
  test('agrees with the byte-by-byte reader at random cuts', () => {
    const random = new Random(seed)
    for (let round = 0; round < 20; round++) {
      const whole = stream(random)
      const { events, violation } = parseReference(whole, { masked: false, limit: 2 ** 30 })
      assert.equal(violation, undefined)
      const ends = events.filter(({ opcode }) => opcode < CLOSE).map(({ end }) => end)
      const counter = new Counts()
      const longest = random.pick([1, 3, 50, 1000, 100_000])
      for (let from = 0, to = 0; from < whole.length; from = to) {
        to = Math.min(whole.length, from + random.between(1, longest))
        const { status, messages } = counter.feed(whole.subarray(from, to))
        assert.equal(status, COUNT_DONE)
        assert.equal(messages, ends.filter((end) => from < end && end <= to).length, `SEED=${seed}, ${from} to ${to}`)
      }
      counter.close()
    }
  })

  test('a payload of many gigabytes ends where its header says', () => {
    const counter = new Counts()
    counter.feed(buildFrame({ opcode: BINARY, announced: 5n * 2n ** 32n + 7n, form: 64 }))
    const piece = Buffer.alloc(262_144, 0x82)
    let left = 5 * 2 ** 32 + 7
    bytes.set(piece, INBOX)
    for (; left > piece.length; left -= piece.length) {
      if (counter.feedAgain(piece.length) !== 0) assert.fail(`it ended ${left} bytes too early`)
    }
    const { status, messages } = counter.feed(Buffer.concat([piece.subarray(0, left), Buffer.of(0x82, 0)]))
    assert.deepEqual({ status, messages }, { status: COUNT_DONE, messages: 2 })
    counter.close()
  })

  for (const [name, frame, expected] of [
    ['Close', buildFrame({ opcode: CLOSE, payload: Buffer.of(3, 232) }), COUNT_CONTROL],
    ['Close without a code', buildFrame({ opcode: CLOSE }), COUNT_CONTROL],
    [
      'a masked frame',
      buildFrame({ opcode: BINARY, payload: 'x', key: Buffer.of(1, 2, 3, 4) }),
      VIOLATION_MASK_FORBIDDEN,
    ],
    [
      'a masked long one',
      buildFrame({ opcode: BINARY, payload: 'x'.repeat(200), key: Buffer.alloc(4) }),
      VIOLATION_MASK_FORBIDDEN,
    ],
  ] as const) {
    test(`${name} is told, with the messages before it, at every cut of its header`, () => {
      const whole = Buffer.concat([buildFrame({ opcode: BINARY, payload: 'ab' }), frame])
      for (let cut = 0; cut < 6; cut++) {
        const counter = new Counts()
        const [first, second] = [counter.feed(whole.subarray(0, cut)), counter.feed(whole.subarray(cut))]
        assert.ok(first.status === expected || second.status === expected, `cut at ${cut}`)
        assert.equal(first.messages + second.messages, 1, `cut at ${cut}`)
        counter.close()
      }
    })
  }
})

test('where messages may be compressed, the pieces of all of them are shown, wherever reads are cut', () => {
  const random = new Random(seed)
  const messages = Array.from({ length: 12 }, () => random.bytes(random.pick([0, 1, 125, 126, 300])))
  const frames = messages.flatMap((payload, at) => {
    const half = payload.length >> 1
    return [
      buildFrame({ opcode: BINARY, fin: false, reserved: at % 2 === 0 ? 4 : 0, payload: payload.subarray(0, half) }),
      buildFrame({ opcode: PING, payload: random.bytes(2) }),
      buildFrame({ opcode: CONTINUATION, payload: payload.subarray(half) }),
    ]
  })
  const stream = Buffer.concat(frames)
  for (const step of [1, 2, 3, 7, 100, stream.length]) {
    const counter = new Counter(heap, { first: FIN | RSV1, length: 0, pointer: 0, compressed: 400 })
    const shown: { first: number; payload: Buffer }[] = []
    let parts: Buffer[] = []
    let counted = 0
    for (let from = 0; from < stream.length; from += step) {
      const end = INBOX + Math.min(step, stream.length - from)
      bytes.set(stream.subarray(from, from + step), INBOX)
      let status = COUNT_PIECE
      for (let cursor = INBOX; status !== COUNT_DONE; cursor = counter.consumed) {
        status = counter.count(cursor, end)
        counted += counter.messages
        assert.ok([COUNT_DONE, COUNT_CONTROL, COUNT_PIECE].includes(status), String(status))
        if (status !== COUNT_PIECE) continue
        const { first, pointer, length, ends } = counter.piece
        parts.push(Buffer.from(bytes.subarray(pointer, pointer + length)))
        if (!ends) continue
        shown.push({ first, payload: Buffer.concat(parts) })
        parts = []
      }
    }
    const expected = messages.map((payload, at) => ({ first: BINARY | (at % 2 === 0 ? RSV1 : 0), payload }))
    assert.deepEqual(shown, expected)
    assert.equal(counted, messages.length)
    counter.free()
  }
})
