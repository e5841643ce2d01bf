// What a load sends must be what it says it sends: a payload of another size or kind is another benchmark.
import assert from 'node:assert/strict'
import { isAscii, isUtf8 } from 'node:buffer'
import { describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { encodeBatch, payloadOf } from '../../src/load/payload.js'
import { BINARY, TEXT } from '../support/frames.js'
import { parseReference } from '../support/referenceParser.js'

const SIZES = [0, 1, 2, 3, 20, 125, 126, 127, 1000, 65_535, 65_536, 100_001]
const heap = heapOfThread()
const { codec } = heap

function encoded(kind: 'binary' | 'text' | 'utf8', payload: Buffer, messages: number): Buffer {
  const batch = encodeBatch(heap, kind, payload, messages)
  const bytes = Buffer.from(codec.bytes.subarray(batch.pointer, batch.pointer + batch.length))
  assert.equal(batch.messages, messages)
  for (const block of batch.blocks) heap.free(block)
  return bytes
}

describe('payloadOf', () => {
  for (const size of SIZES) {
    test(`${size} bytes of each kind`, () => {
      for (const kind of ['binary', 'text', 'utf8'] as const) {
        assert.equal(payloadOf(kind, size).length, size, kind)
      }
      assert.ok(isAscii(payloadOf('text', size)))
      assert.ok(isUtf8(payloadOf('utf8', size)))
      // A short text is cut, not left blank.
      if (size >= 20) assert.equal(isAscii(payloadOf('utf8', size)), false)
      if (size > 0) assert.notEqual(payloadOf('text', size).toString().trim(), '')
    })
  }

  test('no cut of multi-byte text goes through a character', () => {
    for (let size = 0; size < 400; size++) {
      const payload = payloadOf('utf8', size)
      assert.ok(isUtf8(payload) && payload.length === size, String(size))
      assert.ok(size < 4 || payload.toString().trimEnd().length > 0)
    }
  })

  test('binary holds every byte, in an order that shows what was moved', () => {
    assert.equal(new Set(payloadOf('binary', 256)).size, 256)
  })
})

describe('encodeBatch', () => {
  for (const size of SIZES.filter((size) => size < 100_000)) {
    test(`masked frames of ${size} bytes`, () => {
      for (const kind of ['binary', 'text', 'utf8'] as const) {
        const payload = payloadOf(kind, size)
        const parser = parseReference(encoded(kind, payload, 3), { masked: true, limit: 2 ** 20 })
        assert.equal(parser.violation, undefined)
        assert.equal(parser.events.length, 3)
        for (const event of parser.events) {
          assert.equal(event.opcode, kind === 'binary' ? BINARY : TEXT)
          assert.ok(event.payload.equals(payload))
        }
      }
    })
  }

  test('each frame has a masking key of its own', () => {
    const stream = encoded('binary', Buffer.alloc(0), 64)
    const keys = new Set(Array.from({ length: 64 }, (_, frame) => stream.readUInt32LE(frame * 6 + 2)))
    assert.ok(keys.size > 60)
  })

  test('all memory is given back', () => {
    const { used } = heap
    for (const messages of [1, 16, 1000]) encoded('binary', payloadOf('binary', 1000), messages)
    assert.equal(heap.used, used)
  })
})
