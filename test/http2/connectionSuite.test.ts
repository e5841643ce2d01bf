// The tests of connections that were written for sockets run once more, each as a stream of an HTTP/2 session: the third
// transport. Between their clients and servers stands a proxy (test/support/http2Bridge.ts).
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../support/effort.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Files that ask about a socket itself, and why. */
const ABOUT_SOCKETS: Readonly<Record<string, string>> = {
  'cost.test.ts': 'counts what a message allocates, in a process of its own that serves HTTP/1.1',
  'faults.test.ts': 'serves HTTP/1.1 by a server of its own, and spoils its sockets',
  'trace.test.ts': 'reads what a program prints that serves HTTP/1.1',
}

/** Whether a test has clients that are sockets. */
const CLIENTS = /support\/(?:pairs|serving|socketClient)\.js'/

const files = readdirSync(join(root, 'test/connection')).filter(
  (name) =>
    name.endsWith('.test.ts') &&
    ABOUT_SOCKETS[name] === undefined &&
    CLIENTS.test(readFileSync(join(root, 'test/connection', name), 'utf8')),
)

for (const name of files) {
  test(`${name} over HTTP/2`, { skip: onlyInFull, timeout: 180_000 }, async () => {
    const path = join(root, 'dist/test/connection', name.replace(/ts$/, 'js'))
    const { NODE_TEST_CONTEXT: _, ...environment } = process.env
    const env = { ...environment, MILLRACE_WIRE: 'http2', MILLRACE_SUITE: 'quick' }
    const child = spawn(process.execPath, ['--test', '--test-reporter=tap', path], { env })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    const [status] = await once(child, 'close')
    assert.equal(status, 0, failuresIn(output))
  })
}

function failuresIn(output: string): string {
  const lines = output.split('\n')
  const at = lines.flatMap((line, index) => (/^\s*not ok /.test(line) ? lines.slice(index, index + 12) : []))
  return at.slice(0, 100).join('\n')
}
