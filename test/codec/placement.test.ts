// Where the heap places pages: always where a walk along all pages, from the lowest on, would have placed them.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Heap, OutOfMemory } from '../../src/codec/codec.js'
import { type Block, PAGE } from '../../src/codec/heap.js'
import { HEAP } from '../../src/codec/wasm.generated.js'
import { Random, seed } from '../support/random.js'
import { FirstFit } from './firstFit.js'
import { codecOfPages } from './smallCodec.js'

const FIRST = HEAP / PAGE

/** A heap and a walk along all pages that are asked for the same. */
class Pair {
  readonly heap: Heap
  readonly walk: FirstFit
  readonly live: { block: Block; owner: number }[] = []

  constructor(codec = codecOfPages(FIRST + 8), preferred = 0) {
    this.heap = new Heap(codec)
    this.walk = new FirstFit(FIRST, codec.maximumPages)
    this.heap.prefer(preferred * PAGE)
    this.walk.prefer(preferred)
  }

  /** True if there was room. */
  place(held: number, reserved: number): boolean {
    const expected = this.walk.place(held, reserved)
    if (expected === undefined) {
      assert.throws(() => this.heap.allocate(held * PAGE, reserved * PAGE), OutOfMemory)
      return false
    }
    const block = this.heap.allocate(held * PAGE, reserved * PAGE)
    assert.equal(block.pointer / PAGE, expected.first)
    this.live.push({ block, owner: expected.owner })
    return true
  }

  extend(index: number, pages: number): void {
    const block = this.live[index]?.block
    if (block === undefined) return
    const held = block.size / PAGE
    const expected = this.walk.extend(block.pointer / PAGE, Math.max(held, pages))
    assert.equal(this.heap.extend(block, pages * PAGE), expected)
    assert.equal(block.size / PAGE, expected ? Math.max(held, pages) : held)
  }

  free(index: number): void {
    const [held] = this.live.splice(index, 1)
    if (held === undefined) return
    this.heap.free(held.block)
    this.walk.release(held.owner)
  }

  step(random: Random, most: number): void {
    const index = random.below(this.live.length)
    if (random.chance(this.live.length / most)) this.free(index)
    else if (random.chance(0.2)) this.extend(index, random.between(1, 12))
    else this.place(random.between(1, 8), random.pick([0, 1, 4, 16, 60]))
  }
}

describe('pages are placed where a walk along all of them places them', () => {
  const codec = codecOfPages(FIRST + 8)
  for (const preferred of [0, 3, 8]) {
    it(`in every split of eight pages, of which ${preferred} are preferred, at every length and reservation`, () => {
      for (let split = 0; split < 256; split++) {
        for (let held = 1; held <= 9; held++) {
          for (const reserved of [0, held, held + 1, held + 2, 8, 9]) {
            const pair = new Pair(codec, preferred)
            for (let page = 0; page < 8; page++) assert.ok(pair.place(1, 1))
            for (let page = 7; page >= 0; page--) if (split & (1 << page)) pair.free(page)
            pair.place(held, reserved)
          }
        }
      }
    })
  }

  for (const [pages, preferred, most] of [
    [40, 25, 12],
    [300, 300, 60],
    [300, 0, 60],
    [1500, 700, 250],
  ] as const) {
    it(`at random, in ${pages} pages of which ${preferred} are preferred`, () => {
      for (let round = 0; round < 4; round++) {
        const random = new Random(seed + round)
        const pair = new Pair(codecOfPages(FIRST + pages), preferred)
        try {
          for (let steps = 0; steps < 1500; steps++) pair.step(random, most)
          while (pair.live.length > 0) pair.free(random.below(pair.live.length))
          assert.ok(pair.place(pages, 0), 'all pages are free again')
        } catch (error) {
          throw new Error(`SEED=${seed + round}`, { cause: error })
        }
      }
    })
  }
})
