// What a connection keeps that nothing happens on, counted as objects of JavaScript, which does not depend on the machine. What
// the process takes in all is a row of the benchmark of clients.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serving } from '../support/serving.js'
import type { Held } from './idleProgram.js'

const program = fileURLToPath(new URL('./idleProgram.js', import.meta.url))

test('handlers of its own cost a connection little, and neither does a WebSocket', async (t) => {
  const server = await serving(t, {})
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--expose-gc', program, `ws://127.0.0.1:${server.address?.port}/`])
  const { shared, own, page } = JSON.parse(stdout) as Held
  // The object of options and a handler that refers to something of its own are 170 bytes already.
  assert.ok(own - shared < 450, `${own} bytes with handlers of its own, ${shared} with shared ones`)
  assert.ok(page - shared < 2000, `${page} bytes as a WebSocket, ${shared} as a connection`)
})
