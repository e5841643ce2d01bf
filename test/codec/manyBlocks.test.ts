// 100,000 connections hold 100,000 blocks and more: the heap must keep these apart, and find room without walking past
// them. Each allocation took half a millisecond when it did.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Codec, Heap } from '../../src/codec/codec.js'
import { PAGE } from '../../src/codec/heap.js'
import { HEAP } from '../../src/codec/wasm.generated.js'
import { Random, seed } from '../support/random.js'
import { HeapModel } from './heapModel.js'

const MANY = 100_000
/** Pages that stay with the size classes: the last of each. */
const KEPT = 4
/** Sizes with a border on each side of most of them, the small ones more often. */
const SIZES = [1, 192, 192, 193, 1024, 1024, 1025, 4096, 4096, 4097, 16_384, 16_385, PAGE, PAGE + 1]

function step(random: Random, model: HeapModel): void {
  const index = random.below(model.live.length)
  if (model.live.length >= MANY && random.chance(0.5)) return model.free(index)
  if (random.chance(0.4)) return model.allocateSlot()
  if (random.chance(0.05)) return model.extend(index, random.below(4 * PAGE))
  const bytes = random.pick(SIZES)
  if (bytes > PAGE / 4 && random.chance(0.7)) return model.allocateSlot() // pages, too, but not most of 4 GiB
  model.allocate(bytes, random.below(8 * PAGE))
}

describe('a heap with 100,000 blocks', () => {
  it('keeps them apart and their contents, and has all its pages again when all are free', () => {
    const random = new Random(seed)
    const model = new HeapModel(new Heap(new Codec()), 64)
    model.heap.prefer(2000 * PAGE)
    try {
      for (let steps = 0; steps < 1.5 * MANY; steps++) step(random, model)
      assert.ok(model.live.length > 0.9 * MANY, `${model.live.length} are held`)
      const { pages } = model.heap.codec
      while (model.live.length > 0) model.free(random.below(model.live.length))
      assert.equal(model.heap.used, 0)
      for (let page = HEAP / PAGE + KEPT; page < pages; page++) model.allocate(PAGE, 0)
      assert.equal(model.heap.codec.pages, pages, 'the memory did not grow')
    } catch (error) {
      throw new Error(`SEED=${seed}`, { cause: error })
    }
  })

  it('allocates and frees without walking past them', () => {
    const heap = new Heap(new Codec())
    for (let block = 0; block < MANY; block++) heap.allocate(block % 2 === 0 ? 192 : PAGE)
    const started = process.cpuUsage()
    for (let round = 0; round < 5000; round++) {
      const blocks = [192, 1024, 16_384, 16_384, 16_384, 16_384, PAGE, 5 * PAGE].map((bytes) => heap.allocate(bytes))
      for (const block of blocks) heap.free(block)
    }
    const { user } = process.cpuUsage(started)
    // 80,000 operations take some 20 ms, and 20 s if each of them walks.
    assert.ok(user < 3_000_000, `it took ${user / 1000} ms`)
  })
})
