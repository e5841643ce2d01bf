// The heap hands out the memory of every peer: two blocks that overlap would show one peer's bytes to another.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, Heap } from '../../src/codec/codec.js'
import { DEFLATER_BYTES, INFLATER_SIZE } from '../../src/codec/deflate.generated.js'
import { PAGE, sizeOfBlock } from '../../src/codec/heap.js'
import { HEAP, SLOT_SIZE } from '../../src/codec/wasm.generated.js'
import { Random, seed } from '../support/random.js'
import { HeapModel } from './heapModel.js'
import { codecOfPages } from './smallCodec.js'

const FIRST = HEAP / PAGE

/** One step of a random life: more is freed the more is held. */
function step(random: Random, model: HeapModel, full: number): void {
  const index = random.below(model.live.length)
  if (random.chance(model.live.length / full)) return model.free(index)
  switch (random.below(7)) {
    case 0:
      return model.extend(index, random.below(12 * PAGE))
    case 1:
      return model.allocateSlot()
    case 2:
      return model.allocateFixed(random.pick([DEFLATER_BYTES, INFLATER_SIZE]))
    case 3:
      return model.allocateFixed(random.pick([512, 1024, 4096, 16_384, 20_000, 32_768, PAGE]))
    case 4:
      return model.allocate(random.between(1, 8 * PAGE), random.below(16 * PAGE))
    default:
      return model.allocate(random.between(1, 20_000))
  }
}

describe('the heap', () => {
  it('keeps blocks apart and their contents, whatever is allocated, extended and freed', () => {
    const heap = new Heap(new Codec())
    heap.prefer(300 * PAGE)
    const model = new HeapModel(heap)
    let pages = 0
    for (let round = 0; round < 12; round++) {
      const random = new Random(seed + round)
      try {
        for (let steps = 0; steps < 800; steps++) step(random, model, 60)
        while (model.live.length > 0) model.free(random.below(model.live.length))
      } catch (error) {
        throw new Error(`SEED=${seed + round}`, { cause: error })
      }
      assert.equal(heap.used, 0)
      if (round === 2) pages = heap.codec.pages
    }
    assert.ok(
      heap.codec.pages < 2 * pages,
      `freed memory is used again, but it went from ${pages} pages to ${heap.codec.pages}`,
    )
  })

  it('keeps them apart where memory is short, too', () => {
    const model = new HeapModel(new Heap(codecOfPages(FIRST + 40)))
    model.heap.prefer(30 * PAGE)
    const random = new Random(seed)
    let refused = 0
    for (let steps = 0; steps < 5000; steps++) {
      try {
        step(random, model, 60)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        refused++
        model.free(random.below(model.live.length))
      }
    }
    assert.ok(refused > 50, `refused ${refused} times`)
    while (model.live.length > 0) model.free(0)
    assert.equal(model.heap.used, 0)
  })

  for (const [bytes, size] of [
    [1, SLOT_SIZE],
    [SLOT_SIZE, SLOT_SIZE],
    [SLOT_SIZE + 1, 1024],
    [1024, 1024],
    [1025, 4096],
    [4097, 16_384],
    [16_384, 16_384],
    [16_385, PAGE],
    [PAGE, PAGE],
    [PAGE + 1, 2 * PAGE],
  ] as const) {
    it(`gives ${size} bytes for ${bytes}`, () => {
      const heap = new Heap(new Codec())
      assert.equal(heap.allocate(bytes).size, size)
      assert.deepEqual([sizeOfBlock(bytes), heap.used], [size, size])
    })
  }

  it('puts small blocks of a size in the same page and takes freed ones first', () => {
    const heap = new Heap(new Codec())
    const blocks = Array.from({ length: PAGE / 1024 }, () => heap.allocate(1000))
    const pages = new Set(blocks.map(({ pointer }) => Math.floor(pointer / PAGE)))
    assert.equal(pages.size, 1)
    const [first, second] = blocks
    assert.ok(first !== undefined && second !== undefined)
    heap.free(first)
    heap.free(second)
    const again = [heap.allocate(1000).pointer, heap.allocate(1000).pointer]
    assert.deepEqual(again.sort(), [first.pointer, second.pointer].sort())
    assert.ok(!pages.has(Math.floor(heap.allocate(1000).pointer / PAGE)), 'a full page takes no more')
  })

  it('gives an empty page back, but keeps the last of a size', () => {
    const heap = new Heap(new Codec())
    const blocks = Array.from({ length: 12 }, () => heap.allocate(16_384))
    for (const block of blocks) heap.free(block)
    const free = [heap.allocate(PAGE), heap.allocate(PAGE)].map(({ pointer }) => pointer / PAGE)
    assert.ok(
      free.every((page) => page < FIRST + 3),
      `two of three pages are free again, got ${free}`,
    )
  })

  it('uses low addresses first', () => {
    const heap = new Heap(new Codec())
    const [low, high] = [heap.allocate(3 * PAGE), heap.allocate(PAGE)]
    heap.free(low)
    assert.equal(heap.allocate(2 * PAGE).pointer, low.pointer)
    assert.equal(heap.allocate(PAGE).pointer, low.pointer + 2 * PAGE)
    assert.equal(heap.allocate(PAGE).pointer, high.pointer + PAGE)
  })

  it('tells of a small block freed twice, once its page is gone', () => {
    const heap = new Heap(new Codec())
    const blocks = Array.from({ length: 8 }, () => heap.allocate(16_384))
    for (const block of blocks) heap.free(block)
    const [first, last] = [blocks[0], blocks.at(-1)]
    assert.ok(first !== undefined && last !== undefined)
    assert.throws(() => {
      heap.free(first)
      heap.free(last)
    }, /freed twice/)
  })
})

describe('a block that is freed twice', () => {
  for (const [name, bytes] of [
    ['a small one', 1000],
    ['one of pages', 3 * PAGE],
  ] as const) {
    it(`is refused at once: ${name}`, () => {
      const heap = new Heap(new Codec())
      const [block, other] = [heap.allocate(bytes), heap.allocate(bytes)]
      heap.free(block)
      assert.throws(() => heap.free(block), /freed twice/)
      assert.throws(() => heap.extend(block, 1), /after it was freed/)
      assert.equal(heap.used, other.size)
      heap.free(other)
      assert.equal(heap.used, 0)
    })

    it(`is refused when its memory is another's: ${name}`, () => {
      const heap = new Heap(new Codec())
      const block = heap.allocate(bytes)
      heap.free(block)
      const heir = heap.allocate(bytes)
      assert.equal(heir.pointer, block.pointer)
      assert.throws(() => heap.free(block), /freed twice/)
      assert.equal(heap.used, heir.size)
      assert.notEqual(heap.allocate(bytes).pointer, heir.pointer)
    })
  }

  it('is refused if it is a slot, and so is what is no slot', () => {
    const heap = new Heap(new Codec())
    const [slot, last] = [heap.allocateSlot(), heap.allocateSlot()]
    heap.freeSlot(slot)
    const { used } = heap
    const block = heap.allocate(1000)
    const pages = heap.allocate(PAGE)
    for (const pointer of [
      slot,
      last + 1,
      last + 64,
      last + SLOT_SIZE,
      block.pointer,
      pages.pointer,
      0,
      2 ** 32 + last,
    ]) {
      assert.throws(() => heap.freeSlot(pointer), /freed twice/, `${pointer}`)
    }
    assert.equal(heap.used, used + block.size + pages.size)
    const again = [heap.allocateSlot(), heap.allocateSlot()]
    assert.equal(new Set([...again, last]).size, 3, 'nobody shares a slot')
  })
})

describe('what never grows', () => {
  it('is refused if it is not held, or if what is held there is something else', () => {
    const heap = new Heap(new Codec())
    for (const bytes of [INFLATER_SIZE, 1024, DEFLATER_BYTES, 32_768, PAGE]) {
      const [freed, held] = [heap.allocateFixed(bytes), heap.allocateFixed(bytes)]
      heap.freeFixed(freed, bytes)
      const slot = heap.allocateSlot()
      const { used } = heap
      for (const pointer of [freed, held + 16, slot, 0]) {
        assert.throws(() => heap.freeFixed(pointer, bytes), /freed twice/, `${pointer} of ${bytes}`)
      }
      assert.equal(heap.used, used)
      heap.freeFixed(held, bytes)
      heap.freeSlot(slot)
      assert.equal(heap.used, 0)
    }
  })
})

describe('an extent', () => {
  it('grows in place up to its neighbour, not further', () => {
    const heap = new Heap(new Codec())
    heap.prefer(100 * PAGE)
    const block = heap.allocate(PAGE, 4 * PAGE)
    const neighbour = heap.allocate(PAGE)
    assert.equal(neighbour.pointer, block.pointer + 4 * PAGE, 'the reservation is kept free')
    assert.equal(heap.extend(block, 4 * PAGE), true)
    assert.deepEqual([block.size, heap.used], [4 * PAGE, 5 * PAGE])
    assert.equal(heap.extend(block, 4 * PAGE + 1), false)
    assert.deepEqual([block.size, heap.used], [4 * PAGE, 5 * PAGE])
    heap.free(neighbour)
    assert.equal(heap.extend(block, 6 * PAGE), true)
    assert.equal(heap.extend(block, PAGE), true, 'it has that much')
    assert.equal(block.size, 6 * PAGE, 'and does not shrink')
  })

  it('loses what it only reserves when room is tight', () => {
    const heap = new Heap(new Codec())
    heap.prefer(10 * PAGE)
    const block = heap.allocate(PAGE, 8 * PAGE)
    const beyond = heap.allocate(2 * PAGE)
    const within = heap.allocate(3 * PAGE)
    assert.equal(beyond.pointer, block.pointer + 8 * PAGE)
    assert.equal(within.pointer, block.pointer + PAGE)
    assert.equal(heap.extend(block, 2 * PAGE), false)
    heap.free(within)
    assert.equal(heap.extend(block, 8 * PAGE), true)
  })

  it('reserves nothing beyond what the heap prefers', () => {
    const heap = new Heap(new Codec())
    heap.prefer(2 * PAGE)
    const block = heap.allocate(PAGE, 2 ** 53 - 1)
    assert.equal(heap.allocate(PAGE).pointer, block.pointer + PAGE)
    assert.equal(heap.allocate(3 * PAGE).pointer, block.pointer + 2 * PAGE, 'but places what is needed')
  })
})
