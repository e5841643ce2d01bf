// Who loads a server beside what is measured has its core only while nobody else wants it: else the server would be charged for
// the time for which the client that measures waits for that one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { canPin, pinned, succeeds } from '../../bench/support/process.js'
import { goes } from '../../bench/support/talk.js'

/** SCHED_IDLE, as /proc tells it. */
const IDLE = '5'
/** Where /proc/PID/stat has the policy, counted behind the name of the program. */
const POLICY = 38

test('a process that goes aside does so with all of its threads, also with those that it starts later', {
  skip: canPin && succeeds('chrt', ['--max']) ? false : 'the system has no taskset and chrt here',
}, async (t) => {
  const program = `
    import { Worker } from 'node:worker_threads'
    const code = "require('node:worker_threads').parentPort.on('message', () => undefined).postMessage(0)"
    const later = () => new Worker(code, { eval: true, execArgv: [] }).on('message', () => console.log('started'))
    process.stdin.once('data', later)
    console.log('there')
  `
  const [command, ...args] = pinned(1, [process.execPath, '--input-type=module', '-e', program])
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  goes('aside', child.pid)
  child.stdin.write('\n')
  await once(child.stdout, 'data')
  const threads = readdirSync(`/proc/${child.pid}/task`).map(
    (id) => readFileSync(`/proc/${child.pid}/task/${id}/stat`, 'latin1').split(') ').at(-1)?.split(' ')[POLICY],
  )
  assert.ok(threads.length > 1)
  assert.deepEqual([...new Set(threads)], [IDLE])
})
