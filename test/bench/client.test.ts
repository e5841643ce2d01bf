// The comparison of clients must go on working: each of its rows is measured for a moment.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ENGINES } from '../../bench/client/engines.js'
import { rows } from '../../bench/client/rows.js'
import { onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('each row has a figure of each client', { skip: onlyInFull, timeout: 120_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-client-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'figures.json')
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'client', '--quick', '--json', json], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
  const { rows: found }: { rows: { name: string; least: Record<string, number> }[] } = JSON.parse(
    readFileSync(json, 'utf8'),
  )
  assert.deepEqual(
    found.map(({ name }) => name),
    rows.map(({ name }) => name),
  )
  for (const { name, least } of found.filter((row) => !row.name.startsWith('idle'))) {
    assert.deepEqual(Object.keys(least).sort(), [...ENGINES].sort(), name)
    for (const figure of Object.values(least)) assert.ok(figure > 0, name)
  }
})
