// The comparison of both versions of HTTP must go on working: each of its rows is measured for a moment.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { rows } from '../../bench/http2/rows.js'
import { onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('each row has a figure of both versions', { skip: onlyInFull, timeout: 120_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-http2-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'figures.json')
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'http2', '--quick', '--json', json], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const figures: { rows: { name: string; http1: number; http2: number }[] } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual(
    figures.rows.map(({ name }) => name),
    rows.map(({ name }) => name),
  )
  for (const { name, http1, http2 } of figures.rows) {
    if (!name.includes('memory')) assert.ok(http1 > 0 && http2 > 0, name)
  }
})
