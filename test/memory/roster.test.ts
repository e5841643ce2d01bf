// Those who come and go with each message stand in rosters: in order, and leaving nothing behind that the collector must find.
import assert from 'node:assert/strict'
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Roster, type Rostered } from '../../src/memory/roster.js'

interface Member extends Rostered {
  readonly name: number
}

const member = (name: number): Member => ({ name })
const names = (roster: Roster<Member>): number[] => [...roster].map(({ name }) => name)

test('members stand in the order in which they came, whoever goes', () => {
  const roster = new Roster<Member>()
  const model = new Set<Member>()
  let seed = 1
  for (let name = 0; name < 5000; name++) {
    seed = (seed * 48_271) % 2_147_483_647
    const leaves = [...model][seed % (model.size + 1)]
    if (leaves !== undefined && (model.size > 100 || seed % 2 === 0)) {
      assert.equal(roster.delete(leaves), true)
      model.delete(leaves)
    }
    const comes = member(name)
    roster.add(comes)
    model.add(comes)
    assert.equal(roster.size, model.size)
    assert.equal(roster.first, model.values().next().value)
    if (name % 100 === 0)
      assert.deepEqual(
        names(roster),
        [...model].map((one) => one.name),
      )
  }
})

test('who stands in another roster, or in none, does not leave this one', () => {
  const [one, other] = [new Roster<Member>(), new Roster<Member>()]
  const [a, b] = [member(1), member(2)]
  one.add(a)
  other.add(b)
  assert.equal(one.delete(b), false)
  assert.equal(one.has(b), false)
  assert.equal(other.has(b), true)
  one.add(a)
  assert.equal(one.size, 1, 'once is enough')
  assert.equal(one.delete(a), true)
  assert.equal(one.delete(a), false)
  assert.equal(one.first, undefined)
})

test('who goes while the roster is gone through is named all the same, and who comes is not', () => {
  const roster = new Roster<Member>()
  const all = [1, 2, 3].map(member)
  for (const one of all) roster.add(one)
  const seen: number[] = []
  for (const one of roster) {
    seen.push(one.name)
    roster.delete(one)
    if (one.name === 1) roster.add(member(4))
  }
  assert.deepEqual(seen, [1, 2, 3])
  assert.deepEqual(names(roster), [4])
})

/** How much more the heap holds after some collections of the young than before them, while members come and go. */
async function growth(come: (one: Member) => void, go: (one: Member) => void): Promise<number> {
  const held: Member[] = []
  const churn = (): void => {
    for (let name = 0; name < 20_000; name++) {
      const one = { name, ballast: new Array<number>(20).fill(name) }
      held.push(one)
      come(one)
      const gone = held.length > 5 ? held.shift() : undefined
      if (gone !== undefined) go(gone)
    }
  }
  let young = 0
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (kindOf(entry) === constants.NODE_PERFORMANCE_GC_MINOR) young++
  })
  observer.observe({ entryTypes: ['gc'] })
  churn()
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc')
  gc() // what is there is old from now on
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 20; round++) {
    churn()
    gc({ type: 'minor' })
    await nextTurn()
  }
  observer.disconnect()
  assert.ok(young >= 20, 'the young were collected')
  return process.memoryUsage().heapUsed - before
}

function kindOf(entry: object): unknown {
  return Object(Reflect.get(entry, 'detail')).kind
}

test('collections of the young free what has come and gone, which they do not where it stood in a Set', async () => {
  const roster = new Roster<Member>()
  const grown = await growth(
    (one) => roster.add(one),
    (one) => roster.delete(one),
  )
  const set = new Set<Member>()
  const leaked = await growth(
    (one) => set.add(one),
    (one) => set.delete(one),
  )
  assert.ok(grown < 1_000_000, `${grown} bytes`)
  assert.ok(leaked > 5 * Math.max(grown, 0), `${leaked} bytes with a Set: then a Set would do`)
})
