// `acceptors: 'auto'` in a container must count what the container may use: too many processes there only wait for
// each other. The control group's files are made up here.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { processors } from '../../src/cluster/processors.js'

const all = availableParallelism()
const V2 = 'sys/fs/cgroup'

const cases: readonly (readonly [what: string, files: Record<string, string>, expected: number])[] = [
  ['nothing is known', {}, all],
  ['no limit', { 'proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: 'max 100000\n' }, all],
  ['one and a half', { 'proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: '150000 100000\n' }, 1],
  ['a tenth', { 'proc/self/cgroup': '0::/\n', [`${V2}/cpu.max`]: '10000 100000\n' }, 1],
  ['a limit above', { 'proc/self/cgroup': '0::/a/b\n', [`${V2}/a/cpu.max`]: '100000 100000\n' }, 1],
  ['more than there is', { 'proc/self/cgroup': '0::/a\n', [`${V2}/a/cpu.max`]: '9900000 100000\n' }, Math.min(all, 99)],
  ['version 1', { [`${V2}/cpu/cpu.cfs_quota_us`]: '100000\n', [`${V2}/cpu/cpu.cfs_period_us`]: '100000\n' }, 1],
  ['version 1, none', { [`${V2}/cpu/cpu.cfs_quota_us`]: '-1\n', [`${V2}/cpu/cpu.cfs_period_us`]: '100000\n' }, all],
]

for (const [what, files, expected] of cases) {
  test(what, (t) => {
    const root = mkdtempSync(join(tmpdir(), 'millrace-cgroup-'))
    t.after(() => rmSync(root, { recursive: true }))
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    assert.equal(processors(root), expected)
  })
}
