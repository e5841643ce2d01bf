// The benchmark of topics must go on working: each of its figures is measured for a moment.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../support/effort.js'

const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

test('publishing and coming back have figures', { skip: onlyInFull, timeout: 60_000 }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-topics-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const json = join(folder, 'figures.json')
  const { status, stderr } = spawnSync(process.execPath, [MAIN, 'topics', '--quick', '--json', json], {
    encoding: 'utf8',
    timeout: 50_000,
  })
  assert.equal(status, 0, stderr)
  const { cost, resume } = JSON.parse(readFileSync(json, 'utf8'))
  assert.ok(cost.plain > 0 && cost.history > 0)
  for (const { time, p99 } of [resume.first, resume.later]) assert.ok(time > 0 && p99 > 0)
  assert.equal(resume.clients, 50)
})
