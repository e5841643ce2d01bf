// The comparison of ws and millrace/ws must go on working: each of its rows is measured for a moment.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { rows } from '../../bench/ws/rows.js'
import { onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('each row has a figure of both engines', { skip: onlyInFull, timeout: 120_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-ws-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'figures.json')
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'ws', '--quick', '--json', json], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const { rows: found }: { rows: { name: string; ws: number; millrace: number }[] } = JSON.parse(
    readFileSync(json, 'utf8'),
  )
  assert.deepEqual(
    found.map(({ name }) => name),
    rows.map(({ name }) => name),
  )
  for (const { name, ws, millrace } of found.filter((row) => !row.name.startsWith('idle'))) {
    assert.ok(ws > 0 && millrace > 0, name)
  }
})
