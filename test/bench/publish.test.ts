// What the README shows comes from the last comparison, whole: its charts in both themes, its table, its machine.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publication, README } from '../../bench/comparison/publish.js'
import type { Results } from '../../bench/comparison/results.js'
import { withSection } from '../../bench/support/publish.js'

const round = { cpu: 7.25, busy: 1, rate: 1000, latency: undefined, peakMemory: 0 }

const results: Results = {
  date: '2026-01-02T03:04:05Z',
  machine: { node: 'v20.0.0', cpu: 'a processor', cores: 2, memory: 0, system: '', pinned: true },
  versions: { node: '20.0.0' },
  missing: {},
  rows: [
    {
      id: 'a',
      group: 'growth',
      title: '125 B over 10 connections',
      unit: 'µs per message',
      servers: { millrace: { rounds: [round] }, ws: { rounds: [{ ...round, cpu: 14.5 }] } },
    },
  ],
}

test('the section has the table, the machine, and a picture for each chart', () => {
  const { section, files } = publication(results)
  assert.match(section, /\| 125 B over 10 connections \| – \| 7\.25 \| – \| – \| 14\.5 \|.* 0\.50 \|/)
  assert.match(section, /2026-01-02, a processor, 2 cores, server and client on one each; node 20\.0\.0/)
  assert.deepEqual([...files.keys()].toSorted(), ['docs/charts/growth-dark.svg', 'docs/charts/growth-light.svg'])
  for (const [file, svg] of files) {
    assert.ok(section.includes(file))
    assert.match(svg, /^<svg.*<\/svg>$/s)
  }
  assert.notEqual(files.get('docs/charts/growth-dark.svg'), files.get('docs/charts/growth-light.svg'))
})

test('the section replaces the one before and nothing else', () => {
  const mark = '<!-- figures: npm run bench && npm run bench:publish -->\n'
  const readme = `above\n${mark}old\n<!-- end of figures -->\nbelow\n`
  assert.equal(
    withSection(withSection(readme, 'new', README), 'newer', README),
    `above\n${mark}\nnewer\n<!-- end of figures -->\nbelow\n`,
  )
  assert.throws(() => withSection('no marks', 'new', README), /lacks its marks/)
})
