// A memory that is used up ends one connection, in words. So whoever asks for memory must be told in a way that can be
// told from a mistake, and the heap must be as it was before.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, Heap, OutOfMemory } from '../../src/codec/codec.js'
import { type Block, PAGE } from '../../src/codec/heap.js'
import { HEAP } from '../../src/codec/wasm.generated.js'
import { Random, seed } from '../support/random.js'
import { codecOfPages, RefusedCodec } from './smallCodec.js'

const FIRST = HEAP / PAGE

/** Takes what there is of the memory behind all blocks, and lets it grow no more. */
function exhaust(heap: Heap, codec: RefusedCodec): Block {
  codec.granted = codec.pages
  const last = heap.allocate(PAGE, 0)
  heap.extend(last, codec.bytes.length - last.pointer)
  return last
}

describe('a memory that is used up', () => {
  it('throws a RangeError, changes nothing, and serves what still fits', () => {
    const heap = new Heap(codecOfPages(FIRST + 10))
    const block = heap.allocate(6 * PAGE)
    const { used } = heap
    assert.throws(() => heap.allocate(5 * PAGE), RangeError)
    assert.throws(() => heap.allocate(2 ** 53 - 1), RangeError)
    assert.equal(heap.extend(block, 11 * PAGE), false)
    assert.equal(heap.used, used)
    assert.equal(heap.allocate(4 * PAGE).pointer, block.pointer + 6 * PAGE)
    assert.throws(() => heap.allocateSlot(), RangeError)
    heap.free(block)
    assert.equal(heap.allocate(6 * PAGE).pointer, block.pointer)
  })

  it('has no more than 4 GiB', () => {
    const heap = new Heap(new Codec())
    assert.throws(() => heap.allocate(2 ** 32), RangeError)
    assert.equal(heap.used, 0)
  })

  it('is served again once the system gives memory, and loses nothing by the refusal', () => {
    const codec = new RefusedCodec()
    const heap = new Heap(codec)
    codec.granted = codec.pages
    assert.throws(() => heap.allocate(100 * PAGE), RangeError)
    assert.equal(heap.used, 0)
    assert.equal(heap.allocate(PAGE).pointer, HEAP, 'what was refused holds no addresses')
  })

  it('leaves a block that could not be extended as it was', () => {
    const codec = new RefusedCodec()
    const heap = new Heap(codec)
    const block = heap.allocate(PAGE)
    codec.granted = codec.pages
    assert.throws(() => heap.extend(block, 100 * PAGE), RangeError)
    assert.deepEqual([block.size, heap.used], [PAGE, PAGE])
  })

  it('throws an error of its own kind, with what the system said', () => {
    const codec = new RefusedCodec()
    const heap = new Heap(codec)
    const last = exhaust(heap, codec)
    const refusals = [
      () => heap.allocate(1000),
      () => heap.allocate(100 * PAGE),
      () => heap.allocateSlot(),
      () => heap.extend(last, 100 * PAGE),
    ]
    for (const refusal of refusals) {
      assert.throws(refusal, (error) => error instanceof OutOfMemory && /not to be had/.test(String(error.cause)))
    }
    assert.throws(() => heap.allocate(2 ** 40), { name: 'OutOfMemory', message: /no room for 1099511627776 more/ })
  })

  it('uses what others only reserve before it asks a system that gives no more', () => {
    const codec = new RefusedCodec()
    const heap = new Heap(codec)
    heap.prefer(100 * PAGE)
    const block = heap.allocate(PAGE, 6 * PAGE)
    const above = heap.allocate(PAGE)
    assert.equal(above.pointer, block.pointer + 6 * PAGE)
    exhaust(heap, codec)
    assert.equal(heap.allocate(2 * PAGE).pointer, block.pointer + PAGE)
    assert.throws(() => heap.allocate(6 * PAGE), OutOfMemory)
  })

  it('places what comes later as if nothing had been refused', () => {
    const random = new Random(seed)
    const codecs = [new RefusedCodec(), new RefusedCodec()] as const
    const [asked, spared] = codecs.map((codec) => new Heap(codec)) as [Heap, Heap]
    for (const heap of [asked, spared]) heap.prefer(50 * PAGE)
    const live: [Block, Block][] = []
    for (let steps = 0; steps < 3000; steps++) {
      const bytes = random.pick([100, 1000, 4000, 16_000, PAGE, 3 * PAGE])
      const reserve = random.below(20 * PAGE)
      codecs[0].granted = 0 // nothing more, for now
      for (const refused of [2 ** 20 * PAGE, 500 * PAGE]) assert.throws(() => asked.allocate(refused), OutOfMemory)
      const extended = live[random.below(live.length)]?.[0]
      if (extended?.extent?.next === undefined && extended?.extent !== undefined) {
        assert.throws(() => asked.extend(extended, 600 * PAGE), OutOfMemory)
      }
      codecs[0].granted = Infinity
      if (random.chance(live.length / 60)) {
        const [first, second] = live.splice(random.below(live.length), 1)[0] ?? []
        if (first !== undefined) asked.free(first)
        if (second !== undefined) spared.free(second)
      } else {
        const pair: [Block, Block] = [asked.allocate(bytes, reserve), spared.allocate(bytes, reserve)]
        assert.deepEqual([pair[0].pointer, asked.used], [pair[1].pointer, spared.used], `SEED=${seed}`)
        live.push(pair)
      }
    }
  })
})
