// The codec's memory as JavaScript sees it: views must show the same bytes before and after the memory grows.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { PAGE } from '../../src/codec/heap.js'
import { HEAP, INBOX, RESULT, TABLE } from '../../src/codec/wasm.generated.js'

describe('the codec of a thread', () => {
  it('is made once, with its heap', () => {
    assert.equal(codecOfThread(), codecOfThread())
    assert.equal(heapOfThread(), heapOfThread())
    assert.equal(heapOfThread().codec, codecOfThread())
  })
})

describe('the memory', () => {
  it('grows to what is asked for, and never shrinks', () => {
    const codec = new Codec()
    const { pages } = codec
    codec.growTo(pages + 10)
    assert.deepEqual([codec.pages, codec.bytes.length], [pages + 10, (pages + 10) * PAGE])
    codec.growTo(1)
    assert.equal(codec.pages, pages + 10)
    assert.throws(() => codec.growTo(65_537), RangeError)
    assert.equal(codec.pages, pages + 10)
  })

  it('is the same in all views, made before or after it grew', () => {
    const codec = new Codec()
    const before = codec.bytes
    const view = codec.view(INBOX, 100)
    codec.growTo(codec.pages + 10)
    codec.bytes.fill(7, INBOX, INBOX + 100)
    codec.bytes.writeUInt32LE(123_456_789, TABLE)
    codec.bytes.writeDoubleLE(2 ** 53 - 1, RESULT + 8)
    assert.deepEqual([view[0], view[99], before[INBOX], codec.view(INBOX, 100)[50]], [7, 7, 7, 7])
    assert.deepEqual([codec.words[TABLE / 4], codec.doubles[(RESULT + 8) / 8]], [123_456_789, 2 ** 53 - 1])
    codec.call.copy(codec.bytes.length - 100, INBOX, 100)
    assert.ok(
      codec.view(codec.bytes.length - 100, 100).every((byte) => byte === 7),
      'up to its end',
    )
  })

  it('is viewed where and as long as it is asked for, whatever was viewed before', () => {
    const codec = new Codec()
    for (const [pointer, length] of [
      [HEAP, 10],
      [HEAP, 10 + 64],
      [HEAP + 1, 10],
      [HEAP, 10],
      [HEAP, 0],
      [HEAP + 64, 64],
      [HEAP, 64],
      [HEAP, 128],
    ] as const) {
      const view = codec.view(pointer, length)
      assert.deepEqual([view.byteOffset, view.length, view.buffer], [pointer, length, codec.bytes.buffer])
      assert.equal(codec.view(pointer, length), view, 'the same view is not made twice in a row')
    }
  })
})

describe('copying', () => {
  it('takes from the memory what lies there now, wherever and however long it was before, also when it has grown', () => {
    const codec = new Codec()
    const places = [
      [HEAP, 20],
      [HEAP, 20],
      [HEAP + 3, 20],
      [HEAP + 3, 255],
      [HEAP, 256],
      [HEAP + 5, 1000],
      [HEAP + 5, 1000],
      [HEAP, 0],
      [HEAP, 1],
    ] as const
    for (const round of [1, 2]) {
      for (const [at, [pointer, length]] of places.entries()) {
        for (let byte = 0; byte < length; byte++) codec.bytes[pointer + byte] = (byte + round * 10 + at) % 251
        const expected = Buffer.from(codec.bytes.subarray(pointer, pointer + length))
        const into = Buffer.alloc(length + 2, 255)
        codec.read(pointer, into.subarray(1, length + 1))
        assert.deepEqual(into, Buffer.concat([Buffer.from([255]), expected, Buffer.from([255])]))
        assert.deepEqual(codec.copyOf(pointer, length), expected)
      }
      codec.growTo(codec.pages + 10)
      const end = codec.bytes.length - 50
      codec.bytes.fill(round, end)
      assert.deepEqual(codec.copyOf(end, 50), Buffer.alloc(50, round))
    }
  })

  it('moves bytes, whether or not the places overlap', () => {
    const codec = new Codec()
    const bytes = Buffer.from('abcdefghij')
    for (const distance of [-20, -3, 0, 3, 20]) {
      codec.bytes.fill('.', HEAP, HEAP + 100)
      codec.bytes.set(bytes, HEAP + 40)
      codec.call.copy(HEAP + 40 + distance, HEAP + 40, bytes.length)
      const expected = Buffer.alloc(100, '.')
      bytes.copy(expected, 40)
      bytes.copy(expected, 40 + distance)
      assert.equal(codec.bytes.toString('latin1', HEAP, HEAP + 100), expected.toString('latin1'), `by ${distance}`)
    }
  })
})
