// Who goes when memory is short: those who are there and hold the most, and nobody waits while there is room.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, type Claimant, type UnfinishedPayload } from '../../src/memory/budget.js'
import { settle } from '../support/settle.js'

const KiB = 1024
const MiB = 1024 * KiB

class Party implements Claimant {
  held = 0
  gone = false
  evictions = 0
  told = 0
  stalls = 0
  evicted(): void {
    this.evictions++
  }
  budgetFreed(): void {
    this.told++
  }
  payloadStalled(): void {
    this.stalls++
  }
}

/** A payload that arrives without end, and whose region nobody looks at. */
function payload(claimant: Claimant): UnfinishedPayload {
  return { claimant, timeout: 0, lastArrival: Infinity, lastGrowth: 0, size: 0 }
}

test('who has left with much unread stands in nobody else’s place when memory is short', async () => {
  const budget = new Budget(8 * MiB, MiB)
  const [left, hoarder, honest] = [new Party(), new Party(), new Party()]
  assert.ok(budget.keep(left, 4 * MiB))
  left.gone = true // as a connection that has closed: then it gives back what it held
  budget.release(left, 4 * MiB)
  budget.leave(left)
  assert.ok(budget.keep(hoarder, 4 * MiB))
  for (let n = 0; n < 40; n++) budget.keep(honest, 64 * KiB)
  await settle()
  assert.equal(left.evictions, 0)
  assert.equal(hoarder.evictions, 1)
  assert.equal(honest.evictions, 0)
})

test('who has left is not counted among those who hold anything, whatever is given back after that', async () => {
  const budget = new Budget(8 * MiB, MiB)
  const [left, hoarder] = [new Party(), new Party()]
  assert.ok(budget.keep(left, 4 * MiB))
  left.gone = true
  budget.release(left, MiB)
  budget.leave(left)
  budget.release(left, 2 * MiB)
  assert.ok(budget.keep(hoarder, MiB))
  for (let n = 0; n < 80; n++) budget.keep(new Party(), 64 * KiB)
  await settle()
  assert.equal(left.evictions, 0)
  assert.equal(hoarder.evictions, 1)
})

test('who was promised memory and does not take it keeps nobody else waiting', async () => {
  const budget = new Budget(8 * MiB, MiB)
  const [oldest, first, second] = [new Party(), new Party(), new Party()]
  budget.begin(payload(oldest))
  const [one, other] = [payload(first), payload(second)]
  budget.begin(one)
  budget.begin(other)
  budget.resized(0, 4 * MiB)
  assert.equal(budget.allows(one, 3 * MiB), false)
  assert.equal(budget.allows(other, 3 * MiB), false)
  budget.resized(4 * MiB, 0)
  await settle()
  assert.deepEqual([first.told, second.told], [1, 0], 'there is room for one')
  budget.stalls.check(performance.now()) // the first is paused by its application, and takes nothing
  await settle()
  assert.equal(second.told, 1)
})
