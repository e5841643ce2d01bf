// Builds and runs the tests that a change concerns, whenever a file is saved: `npm run test:watch -- [ROOM | ROOM/NAME]...`.
// With names, only these run; without, all whose programs reach what has changed.
import { spawn } from 'node:child_process'
import { watch } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Concerned } from './concerned.js'
import { testFiles } from './files.js'
import { Rerun } from './rerun.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const RUNNER = fileURLToPath(new URL('run.js', import.meta.url))
const COMPILER = `${root}node_modules/typescript/bin/tsc`
const CODE = ['src', 'test', 'bench']
const CODEC = 'assembly'

const names = process.argv.slice(2)
const asked = new Set(testFiles(names).map(({ name }) => name))

/** What happens after a change: the codec if it has changed, then the code, then the tests. */
async function react(changed: readonly string[], signal: AbortSignal): Promise<void> {
  const files = new Set(changed)
  if (changed.some((path) => path.startsWith(`${CODEC}/`))) {
    if (!(await succeeds('npm', ['run', 'build:codec'], signal))) return
    files.add('src/codec/wasm.generated.ts')
  }
  const compile = [COMPILER, '-p', 'tsconfig.json', '--removeComments', '--declaration', 'false']
  if (!(await succeeds(process.execPath, compile, signal))) return
  const concerned = new Concerned(root, CODE).by(files).filter((name) => asked.has(name))
  if (concerned.length === 0) console.log('no test is concerned')
  else await succeeds(process.execPath, [RUNNER, ...concerned], signal)
}

function succeeds(command: string, args: readonly string[], signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', signal, shell: process.platform === 'win32' })
    child.once('error', () => resolve(false)) // a later change has ended it
    child.once('close', (code) => resolve(code === 0))
  })
}

const rerun = new Rerun(react)
for (const folder of [...CODE, CODEC]) {
  watch(`${root}${folder}`, { recursive: true }, (_, name) => {
    if (name !== null && /\.(?:ts|mjs)$/.test(name) && !name.includes('.generated.')) {
      rerun.changed(`${folder}/${name.replaceAll('\\', '/')}`)
    }
  })
}
console.log(`watching ${[...CODE, CODEC].join(', ')}; Ctrl+C ends`)
