// Masking runs 64 bytes a step and ends in 16, 8, 4, 2 and 1: every length and alignment takes another way through it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { applyMask, BINARY, buildFrame } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { CodecParser } from './codecParser.js'

const LONGEST = 300
const ALIGNMENTS = 16
const GUARD = 16
const POISON = 0x5a

const heap = heapOfThread()
const { codec } = heap
const source = heap.allocate(4096).pointer
const target = heap.allocate(4096).pointer

/** Masks `payload` from `from` to `to`, and checks what is there then and around it. Returns the flag. */
function maskAndCheck(payload: Buffer, key: Buffer, from: number, to: number): number {
  const length = payload.length
  codec.bytes.fill(POISON, to - GUARD, to + length + GUARD)
  codec.bytes.set(payload, from)
  const flag = codec.call.mask(to, from, length, key.readUInt32LE())
  const expected = Buffer.alloc(length + 2 * GUARD, POISON)
  applyMask(payload, key).copy(expected, GUARD)
  const actual = codec.bytes.subarray(to - GUARD, to + length + GUARD)
  assert.ok(actual.equals(expected), `${length} bytes from ${from % ALIGNMENTS} to ${to % ALIGNMENTS}`)
  if (from !== to) assert.ok(codec.bytes.subarray(from, from + length).equals(payload), 'the source is as it was')
  return flag
}

describe('masking', () => {
  it('is the XOR of a plain loop, in place', () => {
    const random = new Random(seed)
    for (let length = 0; length <= LONGEST; length++) {
      for (let at = GUARD; at < GUARD + ALIGNMENTS; at++) {
        maskAndCheck(random.bytes(length), random.bytes(4), target + at, target + at)
      }
    }
  })

  it('is the XOR of a plain loop, from one place to another', () => {
    const random = new Random(seed)
    for (let length = 0; length <= LONGEST; length++) {
      for (let at = GUARD; at < GUARD + ALIGNMENTS; at++) {
        maskAndCheck(random.bytes(length), random.bytes(4), source + random.below(ALIGNMENTS), target + at)
      }
    }
  })

  it('tells whether a byte written is 0x80 or more', () => {
    const random = new Random(seed)
    for (let length = 0; length <= LONGEST; length++) {
      const key = random.bytes(4)
      const ascii = Buffer.alloc(length, 0x7f)
      assert.equal(maskAndCheck(applyMask(ascii, key), key, target + GUARD, target + GUARD), 0, `${length} bytes`)
      for (let at = 0; at < length; at++) {
        ascii[at] = 0x80
        const flag = maskAndCheck(applyMask(ascii, key), key, target + GUARD, target + GUARD)
        assert.equal(flag, 1, `${length} bytes, the one at ${at} is 0x80`)
        ascii[at] = 0x7f
      }
    }
  })

  it('rotates the key where a payload is cut', () => {
    const payload = new Random(seed).bytes(70)
    const frame = buildFrame({ opcode: BINARY, payload, key: Buffer.of(1, 20, 77, 250) })
    for (let first = 0; first < frame.length; first++) {
      for (let second = first; second < frame.length; second++) {
        const parser = new CodecParser({ masked: true, limit: 100 })
        parser.feed(frame.subarray(0, first))
        parser.feed(frame.subarray(first, second))
        parser.feed(frame.subarray(second))
        assert.ok(parser.events[0]?.payload.equals(payload), `cut at ${first} and ${second}`)
        parser.close()
      }
    }
  })
})
