// The comparison with servers that count nothing is worth nothing where they count, or where they do not serve.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { withoutCounting } from '../../bench/counters/withoutCounting.js'
import { FIN, OPCODE_BINARY } from '../../src/codec/frames.js'
import { Counts } from '../../src/metrics/counts.js'
import { onlyInFull } from '../support/effort.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('the copy counts no messages, everything else, and leaves this build as it is', async () => {
  const copy = await withoutCounting(root)
  try {
    const other: { Counts: typeof Counts } = await import(
      pathToFileURL(join(copy.folder, 'dist/src/metrics/counts.js')).href
    )
    for (const [counts, expected] of [
      [new other.Counts(), 0],
      [new Counts(), 1],
    ] as const) {
      counts.arrived(FIN | OPCODE_BINARY, 20, 0)
      assert.equal(
        counts.values.filter((value) => value === 1).length,
        expected,
        'a message counts once, by its bytes besides',
      )
      counts.add('connectionsOpened')
      assert.equal(counts.values.filter((value) => value === 1).length, expected + 1)
    }
  } finally {
    copy.remove()
  }
  assert.equal(existsSync(copy.folder), false)
})

test('npm run bench -- counters measures both', { skip: onlyInFull, timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'counters', '--quick', '--only', '20 B × 1'], {
    encoding: 'utf8',
    timeout: 110_000,
  })
  assert.equal(status, 0, stderr)
  assert.match(stdout, /^20 B × 1 +µs per message( +\d+\.\d{3}){4} .* -?\d+ ns$/m)
})
