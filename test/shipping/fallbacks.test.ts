// Nobody chooses the Node a server runs under: its operator adds flags and limits. Under each of them the same server
// must come up, echo, and end by itself; where it can't, it must say why.
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { effort } from '../support/effort.js'
import { EchoProgram, echoSource } from './echoProgram.js'
import { missing, temporary } from './installed.js'

const options = { timeout: 60_000 }
const folder = temporary()
const program = join(folder, 'echo.mjs')
const index = new URL('../../src/index.js', import.meta.url).href
writeFileSync(program, echoSource(`import { createServer } from ${JSON.stringify(index)}`))
after(() => rmSync(folder, { recursive: true }))

const [major = 0] = process.versions.node.split('.').map(Number)
/** It has another name on Node 20, and guards the network from Node 25 on. */
const permission = [
  major < 22 ? '--experimental-permission' : '--permission',
  '--allow-fs-read=*',
  ...(major >= 25 ? ['--allow-net'] : []),
]
/** That a flag is experimental is Node's warning, not ours. */
const quiet = '--disable-warning=ExperimentalWarning'

describe('it echoes and ends', () => {
  const ways = [
    ['without a flag', []],
    ['under the permission model', [quiet, ...permission]],
    ['where deprecations throw, pending ones too', ['--pending-deprecation', '--throw-deprecation']],
    ['with the public API alone', [], { MILLRACE_PUBLIC_API: '1' }],
    ['with the public API alone, where deprecations throw', ['--throw-deprecation'], { MILLRACE_PUBLIC_API: '1' }],
    ['where strings make no code', ['--disallow-code-generation-from-strings']],
  ] as const satisfies readonly (readonly [string, readonly string[], Record<string, string>?])[]
  // Without a flag, package.test.ts starts it, too.
  for (const [name, flags, env] of ways.filter((_, at) => at % 2 >= effort({ quick: 1, full: 0 }))) {
    test(name, options, () => EchoProgram.prove(process.execPath, [...flags, program], { env: env ?? {} }))
  }
})

// `ulimit -v` as containers and hosting panels set it. Node 20 and 22 reserve 10 GB for any WebAssembly memory, so that
// its bounds need no checks, unless told not to.
const unlimited = process.platform === 'linux' ? missing('bash') : 'only Linux limits the address space'

describe('with 8 GB of address space', { skip: unlimited }, () => {
  const limited = (...flags: string[]): [string, string[]] => [
    'bash',
    ['-c', 'ulimit -v 8000000; exec "$0" "$@"', process.execPath, ...flags, program],
  ]

  test('it echoes and ends, without the trap handler', options, async () => {
    await EchoProgram.prove(...limited('--disable-wasm-trap-handler'))
  })

  test(
    'with the trap handler, it does from Node 24 on; before, it says that memory is what it lacks',
    options,
    async (t) => {
      if (major >= 24) return EchoProgram.prove(...limited())
      const failing = new EchoProgram(...limited())
      t.after(() => failing.kill())
      const { code, signal, stdout, stderr } = await failing.ended
      assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' })
      assert.match(stderr, /^RangeError: the system refuses .* need the option --disable-wasm-trap-handler$/m)
    },
  )
})
