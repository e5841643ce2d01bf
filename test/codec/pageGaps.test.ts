// The tree that finds room for pages: it must agree with a plain list, whatever was noted before and however it grew.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PageGaps } from '../../src/codec/pageGaps.js'
import { Random, seed } from '../support/random.js'

/** The first of the list that is long enough. */
function firstOf(list: readonly number[], length: number): number | undefined {
  const found = list.findIndex((gap) => gap >= length)
  return found < 0 ? undefined : found
}

describe('the gaps', () => {
  for (const pages of [1, 63, 64, 65, 200, 1000]) {
    it(`are found as in a list of ${pages}`, () => {
      const random = new Random(seed)
      const gaps = new PageGaps()
      const list = new Array<number>(pages).fill(0)
      for (let steps = 0; steps < 3000; steps++) {
        const page = random.below(Math.min(pages, steps + 1)) // grows amid the work
        const length = random.pick([0, 0, 1, 2, random.below(20), 65_535])
        gaps.cover(page)
        gaps.set(page, length)
        list[page] = length
        for (const sought of [1, 2, random.between(1, 20), 65_535, 65_536]) {
          assert.equal(gaps.first(sought), firstOf(list, sought), `SEED=${seed}, step ${steps}: ${sought} pages`)
        }
      }
    })
  }

  it('are found at both ends of 4 GiB', () => {
    const gaps = new PageGaps()
    gaps.set(0, 3)
    gaps.cover(65_535)
    gaps.set(65_535, 4)
    assert.deepEqual([gaps.first(3), gaps.first(4), gaps.first(5)], [0, 65_535, undefined])
    gaps.set(65_535, 0)
    assert.equal(gaps.first(4), undefined)
  })

  it('are not found for a length that is no number', () => {
    const gaps = new PageGaps()
    gaps.set(0, 3)
    assert.equal(gaps.first(Number.NaN), undefined)
  })
})
