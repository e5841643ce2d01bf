// The load client trusts the counter: a message too many or too few would be a wrong measurement.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { COUNT_CLOSE, COUNT_DONE, COUNT_MASKED, INBOX, RESULT, RESULT_COUNT } from '../../src/codec/wasm.generated.js'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'

const heap = heapOfThread()
const { call, bytes } = heap.codec

/** A stream of frames, and where in it each message ends. */
interface Counted {
  readonly stream: Buffer
  readonly ends: readonly number[]
}

function randomFrames(random: Random, frames: number, lengths: readonly number[]): Counted {
  const pieces: Buffer[] = []
  const ends: number[] = []
  for (let at = 0, end = 0; at < frames; at++) {
    const opcode = random.pick([TEXT, BINARY, CONTINUATION, PING, PONG])
    const fin = opcode >= PING || random.chance(0.7)
    const piece = buildFrame({
      opcode,
      fin,
      payload: random.bytes(random.pick(lengths) % (opcode >= PING ? 126 : 2 ** 32)),
    })
    pieces.push(piece)
    end += piece.length
    if (fin && opcode < PING) ends.push(end)
  }
  return { stream: Buffer.concat(pieces), ends }
}

/** Counts a stream in pieces that end at `cuts`, and checks the count of each. */
function check({ stream, ends }: Counted, cuts: readonly number[], about: string): void {
  const slot = heap.allocateSlot()
  call.openSlot(slot, 0, 0, 0)
  let from = 0
  for (const to of [...cuts, stream.length]) {
    bytes.set(stream.subarray(from, to), INBOX)
    assert.equal(call.count(slot, INBOX, INBOX + to - from), COUNT_DONE, about)
    const expected = ends.filter((end) => from < end && end <= to).length
    assert.equal(bytes.readUInt32LE(RESULT + RESULT_COUNT), expected, `${about}, from ${from} to ${to}`)
    from = to
  }
  heap.freeSlot(slot)
}

/** How counting ends if `stream` is fed in two pieces: status and messages. */
function outcome(stream: Buffer, cut: number): [status: number, messages: number] {
  const slot = heap.allocateSlot()
  call.openSlot(slot, 0, 0, 0)
  let messages = 0
  let status = COUNT_DONE
  for (const piece of [stream.subarray(0, cut), stream.subarray(cut)]) {
    if (status !== COUNT_DONE) break
    bytes.set(piece, INBOX)
    status = call.count(slot, INBOX, INBOX + piece.length)
    messages += bytes.readUInt32LE(RESULT + RESULT_COUNT)
  }
  heap.freeSlot(slot)
  return [status, messages]
}

describe('the counter', () => {
  it('counts messages where they end, at every split', () => {
    for (let from = seed; from < seed + 300; from++) {
      const random = new Random(from)
      const counted = randomFrames(random, 5, [0, 1, 2, 7, 20, 125, 126])
      const everywhere = Array.from({ length: counted.stream.length - 1 }, (_, at) => at + 1)
      check(counted, everywhere, `SEED=${from}`)
      for (const cut of everywhere) check(counted, [cut], `SEED=${from}`)
    }
  })

  it('counts long messages, too', () => {
    for (let from = seed; from < seed + 40; from++) {
      const random = new Random(from)
      const counted = randomFrames(random, 4, [0, 125, 126, 65_535, 65_536, 100_000])
      const cuts: number[] = []
      for (let at = 1; at < counted.stream.length; at += random.between(1, 30_000)) cuts.push(at)
      check(counted, cuts, `SEED=${from}`)
    }
  })

  for (const [name, frame, status] of [
    ['a Close frame', buildFrame({ opcode: CLOSE, payload: 'bye' }), COUNT_CLOSE],
    ['an empty Close frame', buildFrame({ opcode: CLOSE }), COUNT_CLOSE],
    ['a masked frame', buildFrame({ opcode: TEXT, payload: 'Hello', key: Buffer.of(1, 2, 3, 4) }), COUNT_MASKED],
    [
      'a long masked frame',
      buildFrame({ opcode: TEXT, payload: Buffer.alloc(300), key: Buffer.of(1, 2, 3, 4) }),
      COUNT_MASKED,
    ],
  ] as const) {
    it(`tells of ${name}, and of the messages before it`, () => {
      const stream = Buffer.concat([
        buildFrame({ opcode: TEXT, payload: 'one' }),
        buildFrame({ opcode: BINARY }),
        frame,
      ])
      for (let cut = 0; cut <= stream.length; cut++)
        assert.deepEqual(outcome(stream, cut), [status, 2], `cut at ${cut}`)
    })
  }
})
