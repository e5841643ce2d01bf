// The pipe beside the cluster's channel must carry bytes both ways, and end with the acceptor: topics rely on it.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('./linkProgram.js', import.meta.url))

test('a megabyte goes there and back, and the end is noticed', { skip: process.platform === 'win32' }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM], { encoding: 'utf8', timeout: 20_000 })
  assert.deepEqual({ stdout, stderr }, { stdout: 'same\nclosed\n', stderr: '' })
})
