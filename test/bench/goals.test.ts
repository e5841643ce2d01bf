// What was asked of each row: a verdict must be about the row and the peer that it names, and no goal about a row that is
// not measured.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tableOf } from '../../bench/comparison/goalSuite.js'
import { goals, isJudged, isNeeded, verdicts } from '../../bench/comparison/goals.js'
import type { Row } from '../../bench/comparison/results.js'
import { workloads } from '../../bench/comparison/workloads.js'
import type { PeerName } from '../../bench/support/peers.js'

function row(id: string, figures: Partial<Record<PeerName, readonly number[]>>): Row {
  const { group, title, unit } = workloads.find((workload) => workload.id === id) ?? assert.fail(id)
  const round = { busy: 1, rate: 1, latency: undefined, peakMemory: 0 }
  const servers = Object.entries(figures).map(([name, all]) => [
    name,
    { rounds: all.map((cpu) => ({ cpu, ...round })) },
  ])
  return { id, group, title, unit, servers: Object.fromEntries(servers) }
}

test('each goal is about a row that is measured, with the peers that it needs', () => {
  for (const { row: id, peers } of goals) {
    const workload = workloads.find((one) => one.id === id) ?? assert.fail(id)
    assert.ok(isJudged(id))
    for (const peer of peers) assert.ok(workload.peers?.includes(peer) ?? peer !== 'public API', `${id}: ${peer}`)
    for (const peer of peers) assert.ok(isNeeded(id, peer), `${id}: ${peer}`)
  }
  assert.equal(isJudged('growth-10'), false)
  assert.equal(isNeeded('growth-100', 'uWebSockets.js'), true)
  assert.equal(isNeeded('20x1', 'Bun'), false)
})

test('a verdict goes by the least figures, against a peer or another row', () => {
  const rows = [
    row('text-1024', { millrace: [10] }),
    row('utf8-1024', { millrace: [12, 10.2], 'uWebSockets.js': [10, 11] }),
    row('growth-100', { millrace: [5], 'uWebSockets.js': [5] }),
    row('growth-8000', { millrace: [10], 'uWebSockets.js': [12.5] }),
    row('public-125', { millrace: [10], 'public API': [14] }),
    row('20x1', { millrace: [10] }),
  ]
  assert.deepEqual([...verdicts(rows).values()].flat(), [
    ['uWebSockets.js', '1.02', '≤ 1', 'NO'],
    ['text-1024', '1.02', '≤ 1.03', 'yes'],
    ['uWebSockets.js, growth from growth-100', '0.8', '≤ 1', 'yes'],
    ['millrace', '1.4', '≤ 1.3', 'NO'],
    ['uWebSockets.js', '–', '≤ 1', '–'],
  ])
  const machine = { node: '', cpu: '', cores: 2, memory: 0, system: '', pinned: true }
  const table = tableOf({ date: '', machine, versions: { node: '20.0.0' }, missing: {}, rows })
  assert.match(table, /^node 20\.0\.0\n/)
  assert.match(
    table,
    /\| 1 KiB, multi-byte text \| 10\.2 \| 10 \| – .* \| uWebSockets\.js \| 1\.02 \| ≤ 1 \| NO \|\n\| +\|/,
  )
})
