// The budget keeps room for the longest message, wherever in its block a region began that grows to hold it: where the longest
// one fills its last page but for a few bytes, a region that began half a page in takes one page more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { Assembly } from '../../src/memory/assembly.js'
import { Budget } from '../../src/memory/budget.js'

const PAGE = 65_536

/** Whether a message becomes as long as it may, in regions that double, as one does whose length nobody has announced. */
function becomes(longest: number): boolean {
  const budget = new Budget(0, longest)
  const claimant = { held: 0, gone: false, evicted() {}, budgetFreed() {}, payloadStalled() {} }
  const assembly = new Assembly(budget, claimant, 0)
  let filled = 0
  let goesOn = true
  while (goesOn && filled < longest) {
    const needed = Math.min(Math.max(1008, 2 * filled - 16), longest)
    const grant = ({ capacity }: { readonly capacity: number }): void => {
      filled = Math.min(capacity, longest)
    }
    goesOn = assembly.grow(heapOfThread(), { needed, filled, announced: needed, grant })
  }
  assembly.drop()
  return goesOn
}

test('the oldest message can become as long as any may be, whatever that is', () => {
  for (let pages = 1; pages <= 40; pages++) {
    for (const less of [-1, 0, 1, 15, 16, 17, 36, 2000, 2047, 2048, 2064, 2065, 4096, 30_000]) {
      assert.ok(becomes(pages * PAGE - less), `${pages} pages less ${less} bytes`)
    }
  }
})
