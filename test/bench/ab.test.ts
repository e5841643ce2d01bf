// The comparison of two checkouts: its verdict must be right, or a slower server is let in; and it must go on working.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Compared, judge } from '../../bench/ab/compare.js'
import { rows } from '../../bench/ab/rows.js'
import type { Usage } from '../../bench/support/process.js'
import { Program } from '../../bench/support/talk.js'
import { effort } from '../support/effort.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const SERVER = fileURLToPath(new URL('../../bench/ab/server.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-ab-'))
after(() => rmSync(folder, { recursive: true }))

function ab(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, 'ab', ...args], { encoding: 'utf8', timeout: 120_000 })
}

describe('the verdict on four least figures', () => {
  it('lets a change pass that is at most three percent', () => {
    assert.equal(judge([100, 100, 102.9, 120]).ok, true)
    assert.equal(judge([100, 100, 103.1, 120]).ok, false)
  })

  it('lets a change pass that is at most what the two servers of A differ by', () => {
    assert.equal(judge([100, 110, 109, 109]).ok, true)
    assert.equal(judge([110, 100, 109, 111]).ok, true)
    assert.equal(judge([100, 110, 111, 111]).ok, false)
  })

  it('compares the better server of each checkout, and tells by how much they differ', () => {
    const { change, spread } = judge([102, 100, 90, 80])
    assert.deepEqual([change.toFixed(3), spread.toFixed(3)], ['-0.200', '0.020'])
  })

  it('knows what to do with nothing', () => {
    assert.deepEqual(judge([0, 0, 0, 0]), { change: 0, spread: 0, ok: true })
    assert.equal(judge([0, 0, 5, 5]).ok, false)
  })
})

describe('a server under measurement', () => {
  it('tells its own CPU time and memory, for systems that do not tell them of other processes', async (t) => {
    const program = new Program(0, SERVER, [root, 'echo'], { flags: ['--expose-gc'] })
    t.after(() => program.stop())
    const { cpu } = await program.ask<Usage>('usage')
    assert.ok(cpu > 1000, `${cpu} µs`)
    assert.ok((await program.ask<number>('resident')) > 2 ** 20)
  })
})

describe('npm run bench -- ab', () => {
  it('finds a figure of each server in each row, and prints them', () => {
    const file = join(folder, 'ab.json')
    const only = effort({ quick: ['--only', 'B × 64'], full: [] })
    const { status, stdout, stderr } = ab(root, root, '--quick', '--json', file, ...only)
    assert.equal(status, 0, stderr)
    const { quick, rows: found }: { quick: boolean; rows: Compared[] } = JSON.parse(readFileSync(file, 'utf8'))
    assert.equal(quick, true)
    const expected = rows.filter(({ name }) => only.length === 0 || name.includes('B × 64')).map(({ name }) => name)
    assert.deepEqual(
      found.map(({ name }) => name),
      expected,
    )
    for (const { name, unit, least, rounds } of found) {
      assert.ok(stdout.includes(name), name)
      assert.deepEqual(rounds, [least], 'one round is the least')
      // So few connections may fit into memory that was there.
      assert.ok(least.length === 4 && (unit === 'bytes per connection' || least.every((figure) => figure > 0)), name)
    }
    assert.match(stdout, /A +A' +B +B' +change +spread of A +verdict/)
  })

  it('refuses fewer rounds than mean something, and folders in which nothing is built', () => {
    const few = ab(root, root, '--rounds', '8')
    assert.equal(few.status, 1)
    assert.match(few.stderr, /--rounds must be a whole number from 9 on/)
    const empty = ab(root, folder)
    assert.equal(empty.status, 1)
    assert.match(empty.stderr, /is no built checkout: there is no dist\/src\/index\.js in it/)
    assert.match(ab(root).stderr, /ab takes DIR_A DIR_B/)
    assert.match(ab(root, root, '--only', 'nonsense').stderr, /there is no row nonsense/)
  })
})
