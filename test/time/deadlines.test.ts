// The wheel that every timeout turns on: never early, soon enough, whatever is set, moved and cleared meanwhile; and it
// costs nothing while nothing is due.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import { Deadlines, type Expiring, TICK, ticksOf } from '../../src/time/deadlines.js'
import { delay, eventually } from '../support/socketClient.js'

/** Notes when it expired, in milliseconds since it was made. */
class Key implements Expiring {
  due = 0
  place = 0
  readonly made = performance.now()
  readonly at: number[] = []
  andThen: () => void = () => undefined

  expired(): void {
    this.at.push(performance.now() - this.made)
    this.andThen()
  }
}

/** The timers of this process; the wheel's is one. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

test('ticks are never less than the milliseconds', () => {
  assert.deepEqual(
    [0, 1, TICK - 1, TICK, TICK + 1, 10 * TICK].map((time) => ticksOf(time)),
    [0, 1, 1, 1, 2, 10],
  )
})

test('never early, and not much later, from any moment between two ticks', async () => {
  const wheel = new Deadlines(() => true) // ticks from the first on
  wheel.start()
  const keys: [Key, number][] = []
  for (let n = 0; n < 40; n++) {
    for (const after of [1, 50, 100, 101, 250, 400]) {
      const key = new Key()
      keys.push([key, after])
      wheel.set(key, after)
    }
    await delay(7)
  }
  await eventually(() => keys.every(([key]) => key.at.length > 0), 'all deadlines')
  const late: number[] = []
  for (const [{ at, due }, after] of keys) {
    assert.equal(at.length, 1)
    assert.equal(due, 0)
    const [taken = 0] = at
    // Timers of Node may be a millisecond early.
    assert.ok(taken >= after - 2, `${taken} ms instead of ${after}`)
    late.push(taken - after)
  }
  const median = late.sort((a, b) => a - b)[late.length / 2] ?? Infinity
  assert.ok(median <= 3 * TICK, `${median} ms late, half of them`)
})

test('clear, and set again: only the last counts', async () => {
  const wheel = new Deadlines(() => false)
  const [cleared, moved, later, never, control] = Array.from({ length: 5 }, () => new Key())
  assert.ok(cleared && moved && later && never && control)
  wheel.set(cleared, 100)
  wheel.set(moved, 600)
  wheel.set(moved, 100)
  wheel.set(later, 100)
  wheel.set(later, 700)
  wheel.set(never, 100)
  wheel.set(never, 0)
  wheel.set(control, 350)
  wheel.clear(cleared)
  wheel.clear(cleared)
  await eventually(() => control.at.length === 1, 'the control')
  assert.deepEqual([cleared.at.length, moved.at.length, later.at.length, never.at.length], [0, 1, 0, 0])
  await eventually(() => later.at.length === 1, 'the later one')
  assert.ok((later.at[0] ?? 0) >= 698)
  assert.equal(moved.at.length, 1)
})

test('a deadline in the past is the next tick', async () => {
  const wheel = new Deadlines(() => false)
  const key = new Key()
  wheel.setTick(key, wheel.now)
  await eventually(() => key.at.length === 1, 'the deadline')
  const again = new Key()
  wheel.setTick(again, 1)
  await eventually(() => again.at.length === 1, 'the other')
})

test('what expires may set itself again, set others, and clear those that expire with it', async () => {
  const wheel = new Deadlines(() => false)
  const [again, victim, other] = Array.from({ length: 3 }, () => new Key())
  assert.ok(again && victim && other)
  again.andThen = () => {
    wheel.clear(victim)
    if (again.at.length < 3) wheel.set(again, 100)
    else wheel.setTick(other, wheel.now)
  }
  wheel.set(again, 100)
  wheel.set(victim, 100)
  await eventually(() => other.at.length === 1, 'the chain')
  assert.equal(again.at.length, 3)
  assert.ok((again.at[2] ?? 0) >= 298)
  assert.deepEqual(victim.at, [])
})

test('thousands of deadlines, set and moved, expire once each', async () => {
  const wheel = new Deadlines(() => false)
  const keys = Array.from({ length: 20_000 }, () => new Key())
  for (const [n, key] of keys.entries()) wheel.set(key, 1 + (n % 500))
  for (const [n, key] of keys.entries()) if (n % 3 === 0) wheel.set(key, 1 + ((n * 7) % 500))
  for (const [n, key] of keys.entries()) if (n % 5 === 0) wheel.clear(key)
  await eventually(() => keys.every(({ due }) => due === 0), 'all deadlines')
  assert.ok(keys.every(({ at }, n) => at.length === (n % 5 === 0 ? 0 : 1)))
})

test('the timer runs while something is due or watched, and no longer; it starts again', async () => {
  const before = timers()
  let watched = 0
  let watching = true
  const wheel = new Deadlines(() => {
    watched++
    return watching
  })
  assert.equal(timers(), before)
  const key = new Key()
  for (let round = 1; round <= 2; round++) {
    watching = true
    wheel.set(key, 100)
    await eventually(() => key.at.length === round && watched > 0, 'the deadline')
    const ticks = watched
    await eventually(() => watched > ticks + 2, 'ticks for whoever watches')
    watching = false
    await delay(3 * TICK)
    const stopped = watched
    const { now } = wheel
    await delay(5 * TICK)
    assert.equal(watched, stopped)
    assert.equal(wheel.now, now)
  }
})

test('time in which the process stood still counts little', async () => {
  const wheel = new Deadlines(() => false)
  const key = new Key()
  wheel.set(key, 800)
  await delay(150)
  const until = performance.now() + 900
  while (performance.now() < until) Math.sqrt(2)
  await delay(2 * TICK)
  assert.equal(key.at.length, 0, 'nobody could have met this deadline')
  await eventually(() => key.at.length === 1, 'the deadline')
})

test('what expires runs outside of the context of whoever set it', async () => {
  const storage = new AsyncLocalStorage<string>()
  const wheel = new Deadlines(() => false)
  const seen: unknown[] = []
  const key = new Key()
  key.andThen = () => void seen.push(storage.getStore())
  storage.run('whoever sets it', () => wheel.set(key, 50))
  await eventually(() => seen.length === 1, 'the deadline')
  assert.deepEqual(seen, [undefined])
})

test('many that expire at once let others have their turns meanwhile', async () => {
  const wheel = new Deadlines(() => false)
  let [expired, most, before] = [0, 0, 0]
  const until = performance.now() + 10_000
  for (let n = 0; n < 200; n++) {
    const key = new Key()
    key.andThen = () => {
      expired++
      for (const end = performance.now() + 1; performance.now() < end; );
    }
    wheel.set(key, TICK)
  }
  while (expired < 200 && performance.now() < until) {
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, expired - before)
    before = expired
  }
  assert.equal(expired, 200)
  assert.ok(most < 20, `${most} in one turn`)
})
