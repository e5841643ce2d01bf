// Deno and Bun run what is written for Node.js, and their sockets are not Node's. The same checks must hold on all of them:
// `npm install deno bun` in some folder, and DENO and BUN say where the programs are.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { onlyInFull } from '../support/effort.js'

const CHECKS = fileURLToPath(new URL('../../../test/runtimes/checks.mjs', import.meta.url))
const DIST = fileURLToPath(new URL('../..', import.meta.url))
const { DENO = 'deno', BUN = 'bun' } = process.env

const PUBLIC = { MILLRACE_PUBLIC_API: '1' }

/** Why a runtime can't be tried here; false if it can. In CI it always is, and fails if it is missing. */
function missing(program: string, variable: string): string | false {
  if (process.env['CI'] === 'true') return false
  const { status } = spawnSync(program, ['--version'], { timeout: 20_000, stdio: 'ignore' })
  return status === 0 ? false : `there is no ${program} here: npm install it, and set ${variable} to its path`
}

/** Runs the checks; resolves with what they print and how they end. */
function run(program: string, flags: readonly string[], variables: object = {}): Promise<[string, number | null]> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...variables }
    const child = spawn(program, [...flags, CHECKS, DIST], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.on('error', reject)
    child.on('close', (code) => resolve([output, code]))
  })
}

describe('the same checks hold', () => {
  for (const [name, program, flags, variable, variables] of [
    ['on Node.js', process.execPath, [], ''],
    ['on Node.js, by its public API', process.execPath, [], '', PUBLIC],
    ['on Deno, with nothing in the environment', DENO, ['run', '-A', '--node-modules-dir=manual'], 'DENO'],
    ['on Bun, with nothing in the environment', BUN, [], 'BUN'],
  ] as const satisfies readonly (readonly [string, string, readonly string[], string, object?])[]) {
    // By either API, Node.js is in every other test, too.
    const skip = variable === '' ? variables === PUBLIC && onlyInFull : missing(program, variable)
    test(name, { skip, timeout: 120_000 }, async () => {
      const [output, code] = await run(program, flags, variables)
      assert.equal(code, 0, output)
      const [, held, all] = /^(\d+) of (\d+) hold$/m.exec(output) ?? []
      assert.equal(held, all)
      assert.ok(Number(all) > 20, output)
      assert.doesNotMatch(output, /warning/i)
    })
  }
})
