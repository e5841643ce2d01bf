// UTF-8 is checked in SIMD blocks of 16 bytes, in an automaton at their ends, and across reads: every sequence of
// bytes must be judged the same wherever it lies and wherever it is cut, and refused at its first wrong byte.
import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { UTF8_REJECTED } from '../../src/codec/wasm.generated.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { firstWrongByte } from '../support/referenceUtf8.js'
import { randomText } from './streams.js'

const BLOCK = 16
const ROUNDS = effort({ quick: 4000, full: 40_000 })
/** Of the sequences of three bytes: a prime, so that every byte comes in every place. */
const STEP = effort({ quick: 29, full: 1 })
const heap = heapOfThread()
const memory = heap.codec.bytes
const { validate } = heap.codec.call
const at = heap.allocate(4096).pointer

/** The bytes at which the grammar of UTF-8 makes a difference, and one from within each range. */
const NOTEWORTHY = [
  0x00, 0x7f, 0x80, 0x85, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
  0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
]

/** The state after bytes in one piece, without their sign. */
function stateAfter(length: number, state = 0, from = at): number {
  return validate(state, from, length) >>> 0
}

/** Every way to pick `length` of `bytes`, in one buffer that changes. */
function* sequences(bytes: readonly number[], length: number): Generator<Buffer> {
  const sequence = Buffer.alloc(length)
  for (let number = 0; number < bytes.length ** length; number++) {
    for (let at = 0, rest = number; at < length; at++, rest = Math.floor(rest / bytes.length)) {
      sequence[at] = bytes[rest % bytes.length] ?? 0
    }
    yield sequence
  }
}

describe('UTF-8', () => {
  for (const length of [1, 2, 3]) {
    it(`every sequence of ${length} bytes${length === 3 && STEP > 1 ? `, each ${STEP}th` : ''}, in the automaton and across a block`, () => {
      const sequence = Buffer.alloc(length)
      const start = at + BLOCK - 2
      memory.fill(0x61, at, at + 2 * BLOCK)
      for (let number = 0; number < 256 ** length; number += length < 3 ? 1 : STEP) {
        for (let index = 0; index < length; index++) {
          const byte = (number >> (8 * index)) & 0xff
          sequence[index] = byte
          memory[start + index] = byte
        }
        const expected = isUtf8(sequence)
        if ((stateAfter(length, 0, start) === 0) !== expected) assert.fail(`${sequence.toString('hex')} alone`)
        if ((stateAfter(2 * BLOCK) === 0) !== expected) assert.fail(`${sequence.toString('hex')} across a block`)
      }
    })
  }

  for (const length of [1, 2, 3, 4]) {
    it(`noteworthy sequences of ${length} bytes at every place of a block`, () => {
      for (const sequence of sequences(NOTEWORTHY, length)) {
        const expected = isUtf8(sequence)
        for (let offset = 0; offset < BLOCK; offset++) {
          memory.fill(0x61, at, at + 2 * BLOCK)
          for (let index = 0; index < length; index++) memory[at + offset + index] = sequence[index] ?? 0
          const actual = stateAfter(2 * BLOCK) === 0
          if (actual !== expected) assert.equal(actual, expected, `${sequence.toString('hex')} at ${offset}`)
        }
      }
    })

    it(`noteworthy sequences of ${length} bytes, cut at every byte, are refused at the first wrong one`, () => {
      for (const sequence of sequences(NOTEWORTHY, length)) {
        const wrong = firstWrongByte(sequence)
        memory.set(sequence, at)
        let state = 0
        for (let taken = 1; taken <= length; taken++) {
          state = stateAfter(1, state, at + taken - 1)
          const actual = state === UTF8_REJECTED
          if (actual !== wrong <= taken) assert.equal(actual, wrong <= taken, `${sequence.toString('hex')}, ${taken}`)
        }
      }
    })
  }

  it('random text of 0 to 300 bytes', () => {
    const random = new Random(seed)
    let refused = 0
    for (let round = 0; round < ROUNDS; round++) {
      const text = randomText(random, 300)
      const start = at + random.below(BLOCK)
      memory.set(text, start)
      const expected = isUtf8(text)
      assert.equal(stateAfter(text.length, 0, start) === 0, expected, text.toString('hex'))
      if (!expected) refused++
    }
    assert.ok(refused > ROUNDS / 100, `only ${refused} were wrong`)
  })

  it('random text, cut at every byte, is refused once its first wrong byte is there', () => {
    const random = new Random(seed)
    for (let round = 0; round < ROUNDS / 20; round++) {
      const text = randomText(random, 120)
      const wrong = firstWrongByte(text)
      memory.set(text, at)
      for (let cut = 0; cut <= text.length; cut++) {
        const before = stateAfter(cut)
        assert.equal(before === UTF8_REJECTED, wrong <= cut, `${text.toString('hex')} up to ${cut}`)
        const after = stateAfter(text.length - cut, before, at + cut)
        assert.equal(after === UTF8_REJECTED, wrong <= text.length, `${text.toString('hex')} cut at ${cut}`)
        assert.equal(after === 0, isUtf8(text))
      }
    }
  })

  it('the reference grammar is that of Node.js', () => {
    for (const length of [1, 2, 3, 4]) {
      for (const sequence of sequences(NOTEWORTHY, length)) {
        // Valid up to its end, and an end that cuts no character: then a space may follow.
        const expected = firstWrongByte(Buffer.concat([sequence, Buffer.from(' ')])) === Infinity
        if (isUtf8(sequence) !== expected) assert.equal(isUtf8(sequence), expected, sequence.toString('hex'))
      }
    }
  })
})
