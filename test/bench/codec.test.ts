// The codec's benchmarks must go on working when the codec changes: nobody runs them every day. What they measure is not
// tested, only that each way does its work (they check that themselves) and that the figures are all there.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { StepResult } from '../../bench/codec/measure.js'
import { tiers } from '../../bench/support/tiers.js'
import { LONGEST_7_BIT, LONGEST_16_BIT } from '../../src/codec/frames.js'
import { effort, onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-codec-'))
after(() => rmSync(folder, { recursive: true }))

/** Steps that go through all tiers, with how many ways each has. */
const BY_TIER: Readonly<Record<string, number>> = {
  unmask: 3,
  mask: 3,
  'parse, binary': 3,
  'parse, text': 3,
  serialize: 4,
  'validate, ASCII': 4,
  'validate, characters of 1 to 3 bytes': 4,
  'copy or region': 3,
}

/** Steps that say in a sentence what follows from their figures. */
const CONCLUDED: readonly string[] = [
  'hand-over to a thread',
  'work on the main thread',
  'copy or region',
  'heap: allocate and free',
  'count',
]

/** The quick suite looks at two of them; the benchmarks of CI run them all. */
const CHOSEN = effort({ quick: ['--only', 'parse'], full: [] })
const byTier = Object.entries(BY_TIER).filter(([name]) => CHOSEN.length === 0 || name.startsWith('parse'))

describe('the tiers', () => {
  it('lie on both sides of each border of the wire format, in order', () => {
    const lengths = tiers.map(({ length }) => length)
    assert.deepEqual(
      lengths,
      [...new Set(lengths)].toSorted((a, b) => a - b),
    )
    for (const border of [LONGEST_7_BIT, LONGEST_16_BIT]) {
      assert.ok(lengths.includes(border) && lengths.includes(border + 1), `${border}`)
    }
    for (const { tier, length } of tiers) {
      const expected = length <= LONGEST_7_BIT ? '7-bit' : length <= LONGEST_16_BIT ? '16-bit' : '64-bit'
      assert.equal(tier, expected, `${length}`)
    }
  })
})

describe('npm run bench:codec -- --quick', () => {
  const file = join(folder, 'codec.json')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [MAIN, 'codec', '--quick', '--json', file, ...CHOSEN],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  )

  it('succeeds, and writes what it prints', () => {
    assert.equal(status, 0, stderr)
    const { quick, steps }: { quick: boolean; steps: StepResult[] } = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(quick, true)
    for (const { name, cases } of steps) {
      assert.ok(stdout.includes(`\n${name} (`), name)
      for (const { label, rows } of cases) {
        assert.ok(stdout.includes(label))
        for (const row of rows) {
          const { nanoseconds, operationsPerSecond, samples } = row
          assert.ok(nanoseconds > 0 && operationsPerSecond > 0 && samples > 0, `${name}, ${label}: ${row.name}`)
        }
      }
    }
  })

  it('compares every step of the codec with its peers at all lengths', () => {
    const { steps }: { steps: StepResult[] } = JSON.parse(readFileSync(file, 'utf8'))
    for (const [name, ways] of byTier) {
      const cases = steps.find((step) => step.name === name)?.cases ?? []
      assert.deepEqual(
        cases.map(({ label }) => label),
        tiers.map(({ label }) => label),
        name,
      )
      for (const { rows } of cases) {
        assert.equal(rows.length, ways, name)
        assert.ok(rows.some(({ ours }) => ours) && rows.every(({ timesBestPeer }) => (timesBestPeer ?? 0) > 0))
      }
    }
  })

  it('finds what defaults are set by', { skip: onlyInFull }, () => {
    const { steps }: { steps: StepResult[] } = JSON.parse(readFileSync(file, 'utf8'))
    const others = steps.filter(({ name }) => BY_TIER[name] === undefined)
    assert.deepEqual(
      others.map(({ name, cases }) => [name, cases.length]),
      [
        ['validate, characters of one kind', 8],
        ['deflate', 8],
        ['inflate', 8],
        ['levels of compression', 6],
        ['hand-over to a thread', 2],
        ['work on the main thread', 8],
        ['inbox size', 5],
        ['heap: allocate and free', 3],
        ['count', 10],
        ['page offset of a region', 4],
        ['page offset of a write', 4],
      ],
    )
    assert.deepEqual(
      steps.filter(({ conclusion }) => conclusion !== null).map(({ name }) => name),
      CONCLUDED,
    )
  })
})
