// Work on many is cut into turns: whatever else waits for the thread has its turn in between.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import { Budget, type Claimant, type WatchedPayload } from '../../src/memory/budget.js'
import { Drainage } from '../../src/server/drainage.js'
import { farewell } from '../../src/server/farewell.js'
import { inTurns } from '../../src/time/inTurns.js'

const MANY = 200

/** Holds the thread for a millisecond, as ending a few connections does. */
function spin(): void {
  const until = performance.now() + 1
  while (performance.now() < until);
}

/** How many of `MANY` are done by `start`, by the turns of the event loop: after each of them, until all are. */
async function progress(count: () => number, start: () => unknown): Promise<number[]> {
  start()
  const seen = [count()]
  const deadline = performance.now() + 4000
  while (count() < MANY && performance.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve))
    if (count() !== seen.at(-1)) seen.push(count())
  }
  assert.equal(count(), MANY)
  return seen
}

/** The most that were done in one turn. */
function mostAtOnce(seen: readonly number[]): number {
  return Math.max(...seen.map((count, at) => count - (seen[at - 1] ?? 0)))
}

/** A connection that takes a millisecond to be closed. */
function connection(closed: () => void): Connection<unknown> {
  const close = (): void => {
    spin()
    closed()
  }
  return { close } as unknown as Connection<unknown>
}

test('as many as fit into a share of this turn are done at once, the rest in turns of their own, then `done`', async () => {
  const worked: number[] = []
  let over = 0
  const items = Array.from({ length: MANY }, (_, at) => at)
  const seen = await progress(
    () => worked.length,
    () =>
      inTurns(
        items,
        (item) => {
          spin()
          worked.push(item)
        },
        () => over++,
      ),
  )
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(worked, items)
  assert.equal(over, 1)
  assert.ok((seen[0] ?? 0) > 0, 'some at once')
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
  inTurns([], spin, () => over++)
  assert.equal(over, 2, 'and where there is nothing to do, `done` is called before it returns')
})

test('uploads that have all stopped are ended in turns', async () => {
  const budget = new Budget(2 ** 24)
  let stalled = 0
  for (let n = 0; n < MANY; n++) {
    const payload: WatchedPayload = {
      claimant: claimant(() => budget.stalls.unwatch(payload)),
      lastArrival: 0,
      timeout: 100,
    }
    budget.stalls.watch(payload)
  }
  function claimant(unwatch: () => void): Claimant {
    const payloadStalled = (): void => {
      spin()
      stalled++
      unwatch()
    }
    return { held: 0, gone: false, evicted: () => undefined, budgetFreed: () => undefined, payloadStalled }
  }
  const now = performance.now()
  const seen = await progress(
    () => stalled,
    () => [0, 100, 200, 300].forEach((after) => void budget.stalls.check(now + after)),
  )
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
  assert.equal(budget.stalls.watched, 0)
})

test('regions that nobody fills while others wait for memory are ended in turns', async () => {
  const budget = new Budget(2 ** 24, 2 ** 20)
  const size = 2 ** 17
  let stalled = 0
  const party = (payloadStalled: () => void): Claimant => ({
    held: 0,
    gone: false,
    evicted: () => undefined,
    budgetFreed: () => undefined,
    payloadStalled,
  })
  const begun = budget.stalls.clock.now
  const quiet = { timeout: 60_000, lastArrival: begun, lastGrowth: begun }
  const waiting = { ...quiet, claimant: party(() => undefined), size }
  budget.begin({ ...quiet, claimant: party(() => undefined), size: 0 }) // the oldest, which has room of its own
  budget.begin(waiting)
  for (let n = 0; n < MANY; n++) {
    const payload = { ...quiet, claimant: party(stop), size: 1 }
    function stop(): void {
      spin()
      stalled++
      budget.end(payload)
    }
    budget.begin(payload)
  }
  assert.equal(budget.allows(waiting, 2 ** 26), false)
  const now = performance.now()
  const seen = await progress(
    () => stalled,
    () => {
      for (let after = 0; after <= 1500; after += 100) budget.stalls.check(now + after)
    },
  )
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
})

test('a server that closes says so in turns, also to those that were busy', async () => {
  let closed = 0
  let busy = true
  const connections = new Set(Array.from({ length: MANY }, () => connection(() => closed++)))
  const half = new Set([...connections].slice(MANY / 2))
  const answers = (one: Connection<unknown>): boolean => busy && half.has(one)
  let over = false
  const seen = await progress(
    () => closed,
    () => {
      setTimeout(() => {
        busy = false
      }, 150)
      void farewell({ connections, answers }, { code: 1001, reason: '' }, 1000).then(() => {
        over = true
      })
    },
  )
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(over, true)
})

test('those who are still busy when its patience is over are sent Close in turns', async () => {
  let closed = 0
  const connections = new Set(Array.from({ length: MANY }, () => connection(() => closed++)))
  const audience = { connections, answers: () => true }
  const seen = await progress(
    () => closed,
    () => void farewell(audience, { code: 1001, reason: '' }, 20),
  )
  assert.equal(seen[0], 0)
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
})

test('a server that drains in a short time does not close all in one go', async () => {
  let closed = 0
  const connections = new Set(Array.from({ length: MANY }, () => connection(() => closed++)))
  const drainage = new Drainage(
    connections,
    () => false,
    () => undefined,
  )
  const seen = await progress(
    () => closed,
    () => drainage.obey({ code: 1001, reason: '', drainAfter: 0, drainOver: 1 }),
  )
  assert.ok(mostAtOnce(seen) < 20, `${mostAtOnce(seen)} in one turn`)
})
