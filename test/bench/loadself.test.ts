// The benchmark of the load client must go on working: each of its rows is measured for a moment, the other program's, too.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Figure, rowsWith } from '../../bench/loadself/rows.js'
import { onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))
const skip = onlyInFull || process.platform === 'win32'

test('each row has its figures', { skip, timeout: 180_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-loadself-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const other = join(folder, 'other')
  writeFileSync(other, '#!/bin/sh\necho "{\\"p99_us\\":$3}"\n')
  chmodSync(other, 0o755)
  const json = join(folder, 'figures.json')
  const given = ['--quick', '--other', other, '--json', json]
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'loadself', ...given], { encoding: 'utf8' })
  assert.equal(status, 0, stderr)
  const { rows: found }: { rows: Figure[] } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual(
    found.map(({ name }) => name),
    rowsWith(other).map(({ name }) => name),
  )
  for (const { name, ours, theirs, ratio } of found) assert.ok(ours > 0 && theirs > 0 && ratio >= 0, name)
  for (const { name, theirs } of found)
    if (name.startsWith('p99')) assert.equal(theirs, 50, 'the number of connections')
})
