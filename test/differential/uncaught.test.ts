// What ws lets out as an exception that nobody catches: a listener that throws, an error that nobody listens to. Each
// program is a process of its own, and what it prints and how it ends is compared.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { effort } from '../support/effort.js'
import { type Engine, engines } from './engines.js'

const program = fileURLToPath(new URL('throwing.js', import.meta.url))

/** What the program does, each by the name of its case. */
const FEW = ['message listener throws', 'message listener throws, caught', 'error without a listener']
const ALL = [
  ...FEW,
  'message listener of addEventListener throws, caught',
  'ping listener throws, caught',
  'pong listener throws, caught',
  'close listener throws, caught',
  'error listener throws, caught',
  'connection listener throws, caught',
  'headers listener throws, caught',
  'verifyClient throws, caught',
  'handleProtocols throws, caught',
  'send callback throws, caught',
  'send callback throws before another, caught',
  'ping callback throws, caught',
  'close callback throws, caught',
  'error without a listener, caught',
  'async listener rejects, caught',
]

for (const name of effort({ quick: FEW, full: ALL })) {
  test(`in a process of its own: ${name}`, async () => {
    const [expected, actual] = await Promise.all(engines.map((engine) => run(engine, name)))
    assert.ok(expected !== undefined && expected.output.length > 0)
    assert.deepEqual(actual, expected)
  })
}

interface Ended {
  readonly output: readonly string[]
  readonly complaint: string | undefined
  readonly status: number | null
}

function run({ specifier }: Engine, name: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, specifier, name], { timeout: 20_000 })
    let [output, complaint] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.stderr.on('data', (chunk: Buffer) => {
      complaint += chunk
    })
    child.on('error', reject)
    child.on('close', (status) => {
      resolve({ output: output.trim().split('\n'), complaint: /^\w*Error.*$/m.exec(complaint)?.[0], status })
    })
  })
}
