// Whatever a peer sends as a compressed message, nothing is read but its own bytes and its own window: what lies around them
// changes nothing of what comes of it, and nothing that was in the memory before is ever shown.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import {
  type Cuts,
  Deflating,
  type Inflated,
  Inflating,
  randomCuts,
  surroundWith,
  whole,
  ZlibDeflating,
} from './compressing.js'
import { jsonDocument } from './documents.js'

/** The messages of one connection, of which the last is spoiled. */
interface Stream {
  readonly what: string
  readonly windowBits: number
  readonly payloads: readonly Buffer[]
}

/** Valid streams of every kind of block, from both deflaters, some of which refer to messages before. */
function streams(): readonly Stream[] {
  const random = new Random(seed)
  const documents = [jsonDocument(random, 500), random.bytes(70), Buffer.alloc(400, 'abc'), jsonDocument(random, 300)]
  const made: Stream[] = []
  const add = (what: string, windowBits: number, deflating: Deflating | ZlibDeflating): void => {
    made.push({ what, windowBits, payloads: documents.map((document) => deflating.message(document)) })
    deflating.free()
  }
  for (const windowBits of effort({ quick: [8, 12], full: [8, 9, 10, 11, 12, 13, 14, 15] })) {
    add(`ours, 2^${windowBits}`, windowBits, new Deflating(windowBits, true))
    for (const level of effort({ quick: [6], full: [0, 1, 6, 9] })) {
      const bits = Math.max(9, windowBits)
      add(`zlib, level ${level}, 2^${bits}`, bits, new ZlibDeflating(level, bits, true, 0, 1 + (level % 9)))
    }
  }
  const hello = ['f248cdc9c90700', 'f348cdc9c9070000', '000500faff48656c6c6f00', 'f24805000000ffffcac9c90700']
  made.push({ what: 'the examples', windowBits: 15, payloads: hello.map((hex) => Buffer.from(hex, 'hex')) })
  return made
}

/** What comes of a stream whose last payload is replaced; each message may have 20,000 bytes. */
function outcome({ windowBits, payloads }: Stream, last: Buffer, cuts: Cuts, inPlace: boolean): Inflated {
  const inflating = new Inflating(windowBits, true)
  for (const payload of payloads.slice(0, -1)) assert.ok(Buffer.isBuffer(inflating.message(payload)))
  const got = inflating.message(last, cuts, inPlace, 20_000)
  inflating.free()
  return got
}

/** Every bit; in the quick suite every third. */
const STEP = effort({ quick: 3, full: 1 })

function* everyWrongBit(payload: Buffer): Generator<readonly [bit: number, wrong: Buffer]> {
  for (let bit = 0; bit < payload.length * 8; bit += STEP) {
    const wrong = Buffer.from(payload)
    wrong[bit >> 3] = (wrong[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    yield [bit, wrong]
  }
}

describe('every single bit that is wrong in a message behind others', () => {
  it('has the same end whatever lies around: 0s, 1s, and what might be codes', () => {
    const random = new Random(seed)
    let [spoiled, refused] = [0, 0]
    for (const stream of streams()) {
      const last = stream.payloads.at(-1) ?? Buffer.alloc(0)
      for (const [bit, wrong] of everyWrongBit(last)) {
        const cuts = bit % 4 === 0 ? randomCuts(random) : whole
        const ends = [0x00, 0xff, 0x6b].map((byte) => {
          surroundWith(byte)
          return outcome(stream, wrong, cuts === whole ? whole : { ...cuts, room: () => 177 }, bit % 2 === 0)
        })
        const [first, ...others] = ends
        for (const other of others) assert.deepEqual(other, first, `${stream.what}, bit ${bit}`)
        spoiled++
        if (typeof first === 'string') refused++
      }
    }
    surroundWith(0xee)
    assert.ok(refused > spoiled / 10 && refused < spoiled, `${refused} of ${spoiled} were refused`)
  })

  it('shows nothing of what was in the memory before', () => {
    const heap = heapOfThread()
    const secret = Buffer.from('hunter2!')
    for (const stream of streams()) {
      // Windows and states are made where this was; rings grow there, too.
      const block = heap.allocate(400_000)
      heap.codec.bytes.fill(secret, block.pointer, block.pointer + block.size)
      heap.free(block)
      const last = stream.payloads.at(-1) ?? Buffer.alloc(0)
      for (const [bit, wrong] of everyWrongBit(last)) {
        const got = outcome(stream, wrong, whole, bit % 2 === 0)
        if (typeof got !== 'string') assert.ok(!got.includes('hunter'), `${stream.what}, bit ${bit}`)
      }
    }
  })
})
