// A region holds the bytes of one large message while it grows and moves, and for everyone who still sends it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, HEADROOM, Heap, Region } from '../../src/codec/codec.js'
import { PAGE } from '../../src/codec/heap.js'
import { Random, seed } from '../support/random.js'

function heapWithRoom(): Heap {
  const heap = new Heap(new Codec())
  heap.prefer(200 * PAGE)
  return heap
}

/** A region with what it was filled with. */
class Filled {
  readonly contents: Buffer
  readonly region: Region
  readonly freed: number[] = []
  length = 0
  readonly #heap: Heap

  constructor(heap: Heap, contents: Buffer, needed: number, expected: number) {
    this.#heap = heap
    this.contents = contents
    this.region = new Region(heap, needed, expected, (bytes) => this.freed.push(bytes))
    this.fill(needed)
  }

  /** Writes up to `length`, for which there must be room. */
  fill(length: number): void {
    assert.ok(this.region.capacity >= length, `room for ${this.region.capacity} of ${length} bytes`)
    this.#heap.codec.bytes.set(this.contents.subarray(this.length, length), this.region.pointer + this.length)
    this.length = length
  }

  check(): void {
    const { pointer } = this.region
    const actual = this.#heap.codec.bytes.subarray(pointer, pointer + this.length)
    assert.ok(actual.equals(this.contents.subarray(0, this.length)), 'the region has other contents')
  }
}

describe('a region', () => {
  for (const expected of [0, 1, 100, 5000, 70_000, 2 ** 32, 2 ** 53 - 1]) {
    it(`has room for what is needed, whatever is expected: ${expected}`, () => {
      const heap = heapWithRoom()
      for (const needed of [1, 100, 176, 177, 1008, 1009, 4080, 4081, 16_368, 16_369, 65_520, 65_521, 200_000]) {
        const region = new Region(heap, needed, expected, () => undefined)
        assert.ok(region.capacity >= needed)
        const lead = (region.pointer - HEADROOM) % PAGE // where in its page it begins, for blocks of whole pages
        assert.equal(region.size, region.capacity + HEADROOM + (region.size < PAGE ? 0 : lead))
        assert.equal(region.size, Region.size(needed, expected), 'it holds what was foreseen')
        assert.ok(region.size < 2 * needed + 2 * PAGE, 'it does not take what is only announced')
        region.release()
      }
      assert.equal(heap.used, 0)
    })
  }

  for (const [needed, expected, size] of [
    [100, 100, 192],
    [100, 2 ** 53 - 1, 1024], // twice of what is needed
    [3000, 3100, 4096], // but no more than is expected
    [40_000, 2 ** 53 - 1, 2 * PAGE],
    [40_000, 45_000, PAGE],
    [1_000_000, 2 ** 53 - 1, 17 * PAGE], // a page more than is needed
    [1_000_000, 0, 16 * PAGE],
  ] as const) {
    it(`takes ${size} bytes if ${needed} are needed and ${expected} expected`, () => {
      assert.equal(Region.size(needed, expected), size)
    })
  }

  it('keeps its bytes as it grows a few bytes at a time, in place and from block to block', () => {
    const heap = heapWithRoom()
    const filled = new Filled(heap, new Random(seed).bytes(20_000), 1, 20_000)
    const places = new Set([filled.region.pointer])
    for (let length = 2; length <= 20_000; length += 7) {
      if (length > filled.region.capacity) filled.region.grow(length, filled.length, 20_000)
      filled.fill(length)
      filled.check()
      assert.equal(heap.used, filled.region.size)
      places.add(filled.region.pointer)
    }
    assert.ok(places.size >= 4, 'it moved from class to class')
    assert.ok(places.size <= 6, 'but not each time')
  })

  it('grows in place where its expected length was reserved', () => {
    const heap = heapWithRoom()
    const contents = new Random(seed).bytes(10 * PAGE)
    const filled = new Filled(heap, contents, 2 * PAGE, contents.length)
    const other = new Filled(heap, contents, 2 * PAGE, contents.length)
    const { pointer } = filled.region
    for (let length = 3 * PAGE; length <= contents.length; length += PAGE) {
      filled.region.grow(length, filled.length, contents.length)
      filled.fill(length)
    }
    assert.equal(filled.region.pointer, pointer)
    filled.check()
    other.check()
  })

  it('keeps its bytes among others that grow, move and go', () => {
    const heap = heapWithRoom()
    const random = new Random(seed)
    const all: Filled[] = []
    for (let round = 0; round < 3000; round++) {
      const at = random.below(12)
      const filled = all[at]
      if (filled === undefined) {
        const contents = random.bytes(random.pick([50, 3000, 20_000, 300_000]))
        all.push(new Filled(heap, contents, random.between(1, contents.length), contents.length))
        continue
      }
      filled.check()
      if (filled.length === filled.contents.length) {
        const { size } = filled.region
        filled.region.release()
        assert.deepEqual(filled.freed, [size])
        all.splice(at, 1)
      } else {
        const length = Math.min(filled.contents.length, filled.length + random.between(1, 40_000))
        filled.region.grow(length, filled.length, filled.contents.length)
        filled.fill(length)
        filled.check()
      }
      assert.equal(
        heap.used,
        all.reduce((sum, { region }) => sum + region.size, 0),
      )
    }
    for (const filled of all) {
      filled.check()
      filled.region.release()
    }
    assert.equal(heap.used, 0)
  })

  it('moves its headroom with it', () => {
    const heap = heapWithRoom()
    const region = new Region(heap, 10, 10, () => undefined)
    heap.codec.bytes.write('header', region.pointer - HEADROOM)
    region.grow(100_000, 10, 100_000)
    assert.equal(
      heap.codec.bytes.toString('latin1', region.pointer - HEADROOM, region.pointer - HEADROOM + 6),
      'header',
    )
  })

  it('lives until its last user is done, and then gives back all it has', () => {
    const heap = heapWithRoom()
    const freed: number[] = []
    const region = new Region(heap, 70_000, 70_000, (bytes) => freed.push(bytes))
    const { size } = region
    region.retain()
    region.retain()
    region.release()
    region.release()
    assert.deepEqual([heap.used, freed], [size, []])
    region.release()
    assert.deepEqual([heap.used, freed], [0, [size]])
  })

  it('released twice throws, and frees once', () => {
    const heap = heapWithRoom()
    const freed: number[] = []
    const region = new Region(heap, 100, 100, (bytes) => freed.push(bytes))
    region.release()
    assert.throws(() => region.release(), /released twice/)
    assert.throws(() => region.release(), /released twice/)
    assert.deepEqual([heap.used, freed.length], [0, 1])
  })

  it('that can not grow keeps what it has', () => {
    const heap = heapWithRoom()
    const filled = new Filled(heap, new Random(seed).bytes(100_000), 100_000, 100_000)
    const { pointer, size } = filled.region
    assert.throws(() => filled.region.grow(2 ** 32, 100_000, 2 ** 32), RangeError)
    assert.deepEqual([filled.region.pointer, filled.region.size, heap.used], [pointer, size, size])
    filled.check()
    filled.region.release()
    assert.equal(heap.used, 0)
  })
})
