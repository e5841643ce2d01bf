// The private API is asked for once, lazily, and never where asking would warn or throw. Every way to switch it off runs
// a program of its own: the bindings must be gone, nothing may be printed, and the echo must work over the public API.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { effort } from '../support/effort.js'
import type { EchoReport } from '../support/socketEchoProgram.js'

const PROGRAM = fileURLToPath(new URL('../support/socketEchoProgram.js', import.meta.url))
const [major = 0] = process.versions.node.split('.').map(Number)

interface Run {
  readonly code: number | null
  readonly output: string
  readonly errors: string
}

/** Runs Node with these arguments and variables, and nothing of what this test was started with. */
function run(args: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Run> {
  const env = { PATH: process.env['PATH'], ...variables }
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  let output = ''
  let errors = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output, errors }))
  })
}

async function echo(flags: readonly string[], variables?: Readonly<Record<string, string>>): Promise<EchoReport> {
  const { code, output, errors } = await run([...flags, PROGRAM], variables)
  assert.equal(errors, '')
  assert.equal(code, 0)
  return JSON.parse(output)
}

/** The permission model has another name on Node 20, and guards the network from Node 25 on. */
const permission = [
  major < 22 ? '--experimental-permission' : '--permission',
  '--allow-fs-read=*',
  ...(major >= 25 ? ['--allow-net'] : []),
]
/** That the flag itself is experimental is not our warning. */
const quiet = '--disable-warning=ExperimentalWarning'

test('by default the private API is there, without a warning', async () => {
  const report = await echo([])
  assert.deepEqual(report, { privateApi: true, echo: 'echo', large: true, warnings: [] } satisfies EchoReport)
})

describe('the public API serves', () => {
  const none: EchoReport = { privateApi: false, echo: 'echo', large: true, warnings: [] }
  const ways = [
    ['--pending-deprecation', ['--pending-deprecation']],
    ['--pending_deprecation, which Node reads the same', ['--pending_deprecation']],
    ['--pending-deprecation and --throw-deprecation', ['--pending-deprecation', '--throw-deprecation']],
    ['NODE_PENDING_DEPRECATION', [], { NODE_PENDING_DEPRECATION: '1' }],
    ['NODE_OPTIONS', [], { NODE_OPTIONS: '--pending-deprecation' }],
    ['NODE_OPTIONS, among others', [], { NODE_OPTIONS: '--stack-trace-limit=5 --pending-deprecation --no-warnings' }],
    ['NODE_OPTIONS, in quotes', [], { NODE_OPTIONS: '"--pending-deprecation"' }],
    ['the permission model', [quiet, ...permission]],
    ['the permission model, by NODE_OPTIONS', [quiet], { NODE_OPTIONS: permission.join(' ') }],
    ['MILLRACE_PUBLIC_API', [], { MILLRACE_PUBLIC_API: '1' }],
  ] as const satisfies readonly (readonly [string, readonly string[], Record<string, string>?])[]
  // Each is a process of its own. Every other one has one of each kind: by flag, by variable, and by NODE_OPTIONS.
  for (const [name, flags, variables] of ways.filter((_, at) => at % effort({ quick: 2, full: 1 }) === 0)) {
    test(`under ${name}`, async () => {
      const report = await echo(flags, variables)
      // Node says of the permission model itself that it is experimental, where it is.
      const warnings = report.warnings.filter((warning) => !warning.startsWith('ExperimentalWarning'))
      assert.deepEqual({ ...report, warnings }, none)
    })
  }
})

describe('in a process that has loaded everything', () => {
  const index = new URL('../../src/index.js', import.meta.url).href
  const node = new URL('../../src/internals/node.js', import.meta.url).href

  test('nothing was asked for before the first use', async () => {
    const script = `
      const binding = process.binding
      let asked = 0
      process.binding = (name) => { asked++; return binding.call(process, name) }
      await import(${JSON.stringify(index)})
      const { bindings } = await import(${JSON.stringify(node)})
      const before = asked
      const first = bindings()
      const after = asked
      console.log(JSON.stringify([before, after > 0, bindings() === first, asked === after]))`
    const { output, errors } = await run(['--input-type=module', '-e', script])
    assert.equal(errors, '')
    assert.deepEqual(JSON.parse(output), [0, true, true, true])
  })

  for (const [name, sabotage] of Object.entries({
    'that is gone': 'process.binding = undefined',
    'that throws': "process.binding = () => { throw new Error('no') }",
    'that knows nothing': 'process.binding = () => ({})',
    'whose TCP handles lack useUserBuffer':
      "delete process.binding('tcp_wrap').TCP.prototype.useUserBuffer; Object.getPrototypeOf(process.binding('tcp_wrap').TCP.prototype).useUserBuffer = undefined; process.binding('tcp_wrap').TCP.prototype.useUserBuffer = undefined",
    'whose state is something else':
      "const real = process.binding; process.binding = (name) => name === 'stream_wrap' ? { ...real.call(process, name), streamBaseState: [] } : real.call(process, name)",
    'whose TCP handles are written in JavaScript, as those of Deno are':
      "const real = process.binding; class TCP { useUserBuffer() {} writeBuffer() {} readStart() {} readStop() {} shutdown() {} close() {} } process.binding = (name) => name === 'tcp_wrap' ? { TCP } : real.call(process, name)",
    'whose WriteWrap is written in JavaScript':
      "const real = process.binding; process.binding = (name) => name === 'stream_wrap' ? { ...real.call(process, name), WriteWrap: class {} } : real.call(process, name)",
    'of Deno, which calls itself Node': "Object.defineProperty(process.versions, 'deno', { value: '2.9.6' })",
    'of Bun, which calls itself Node': "Object.defineProperty(process.versions, 'bun', { value: '1.4.5' })",
    'without the indices':
      "const real = process.binding; process.binding = (name) => name === 'stream_wrap' ? { ...real.call(process, name), kReadBytesOrError: undefined } : real.call(process, name)",
  })) {
    test(`a private API ${name} is as good as none, and never asked again`, async () => {
      const script = `
        ${sabotage}
        const { bindings } = await import(${JSON.stringify(node)})
        console.log(JSON.stringify([bindings() === undefined, bindings() === undefined]))`
      const { output, errors } = await run(['--input-type=module', '-e', script])
      assert.equal(errors, '')
      assert.deepEqual(JSON.parse(output), [true, true])
    })
  }
})
