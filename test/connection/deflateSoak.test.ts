// A million compressed messages of random sizes over a thousand connections: what the process holds is what it held after the
// first tenth of them. Windows that come and go in a memory that only grows could leave holes that nothing fits into.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { effort } from '../support/effort.js'
import { seed } from '../support/random.js'

const CONNECTIONS = effort({ quick: 50, full: 1000 })
const FIRST = effort({ quick: 20, full: 100 })
const MESSAGES = effort({ quick: 100, full: 1000 })
/** How much more may be resident at the end; few messages do not warm up the engine, which has tens of megabytes itself. */
const MORE = effort({ quick: 1.5, full: 1.1 })

test('compressed messages of random sizes leave no growing memory behind', {
  skip: process.platform !== 'linux' && 'resident memory of another process is read from /proc',
  timeout: 900_000,
}, async (context) => {
  const server = program(context, 'limitedServerProgram.js', ['{"deflate":true}'])
  const { port }: { port: number } = JSON.parse(await server.line())
  const soak = program(context, 'deflateSoak.js', [port, CONNECTIONS, seed].map(String))
  assert.equal(await soak.line(), 'open')
  const after = async (messages: number): Promise<number> => {
    soak.child.stdin?.write(`${messages}\n`)
    assert.equal(await soak.line(), 'done')
    return residentMemory(server.child.pid ?? 0)
  }
  const first = await after(FIRST)
  const last = await after(MESSAGES - FIRST)
  context.diagnostic(`seed ${seed}: ${first >> 20} MiB after the first messages, ${last >> 20} MiB after all`)
  assert.ok(last <= first * MORE, `${first} bytes after the first messages, ${last} after all`)
})

function program(context: TestContext, name: string, args: string[]): { child: ChildProcess; line(): Promise<string> } {
  const path = fileURLToPath(new URL(`../support/${name}`, import.meta.url))
  const env = { ...process.env, NODE_V8_COVERAGE: '' } // what counts calls holds more, the longer a program runs
  const child = spawn(process.execPath, [path, ...args], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  context.after(() => child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, line: async () => String((await lines.next()).value) }
}

function residentMemory(pid: number): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? []
  return Number(kibibytes) * 1024
}
