// What counts as slower: a ratio to a peer of the same run that grew beyond what the rounds' spread explains.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { regressions } from '../../bench/comparison/compare.js'
import type { Results } from '../../bench/comparison/results.js'
import type { Round } from '../../bench/support/loadClient.js'

function rounds(...cpu: number[]): { rounds: Round[] } {
  const rest = { busy: 1, rate: 1, latency: undefined, peakMemory: 0 }
  return { rounds: cpu.map((value) => ({ cpu: value, ...rest })) }
}

function results(millrace: number[], ws: number[]): Results {
  const servers = { millrace: rounds(...millrace), ws: rounds(...ws) }
  return {
    date: '',
    machine: { node: 'v20.0.0', cpu: '', cores: 2, memory: 0, system: '', pinned: true },
    versions: {},
    missing: {},
    rows: [{ id: 'a', group: 'tiers', title: 'a row', unit: 'µs per message', servers }],
  }
}

test('a slower machine is no regression, a slower server is', () => {
  const before = results([1, 1.02], [10, 10.1])
  assert.deepEqual(regressions(before, results([2, 2.04], [20, 20.2])), [])
  assert.deepEqual(regressions(before, results([0.5, 0.51], [10, 10.1])), [])
  const [found] = regressions(before, results([1.3, 1.32], [10, 10.1]))
  assert.deepEqual(found, { title: 'a row', against: 'ws', before: 0.1, after: 0.13 })
})

test('what the rounds of a row scatter by is tolerated, but not more than a quarter', () => {
  const before = results([1, 1.4], [10, 10.1])
  assert.deepEqual(regressions(before, results([1.15, 1.2], [10, 10.1])), [])
  assert.equal(regressions(before, results([1.3, 1.9], [10, 10.1])).length, 1)
})

test('rows and peers that only one run has are left out', () => {
  const before = results([1], [10])
  assert.deepEqual(regressions({ ...before, rows: [] }, results([9], [10])), [])
  assert.deepEqual(regressions(before, results([9], [])), [])
})
