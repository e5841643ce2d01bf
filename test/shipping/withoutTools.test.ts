// npm runs `prepare` behind every installation of a clone, also where the tools to build are left out (--omit=dev,
// NODE_ENV=production), as in the last stage of an image. What was built must survive that, and each command says in
// words what it needs.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { effort, onlyInFull } from '../support/effort.js'
import { missing, root, temporary } from './installed.js'

const skip = missing('npm')
/** What tests build in place of a whole dist. */
const BUILT = ['dist/src/cli.js', 'dist/src/index.js', 'dist/bench/main.js']
/** Scripts that need tools, and scripts that need a build. npm takes half a second for each. */
const TOOLS = effort({
  quick: [],
  full: ['build', 'build:codec', 'build:server', 'lint', 'docs', 'test'],
})
const PROGRAMS = effort({
  quick: ['start'],
  full: ['start', 'bench', 'bench:quick', 'bench:compare', 'suite', 'coverage'],
})

/** A clone without node_modules; `built`, there are programs in dist. */
function clone(t: TestContext, { built }: { built: boolean }): string {
  const folder = temporary()
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of ['package.json', 'asconfig.json', 'tsconfig.json', 'assembly']) {
    cpSync(join(root, name), join(folder, name), { recursive: true })
  }
  for (const name of built ? BUILT : []) write(join(folder, name), "console.log('it runs')")
  return folder
}

function write(path: string, text: string): void {
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

/** Runs a script of package.json as npm does where no tool is installed, also in no folder of PATH. */
function npmRun(folder: string, script: string): { status: number | null; said: string } {
  const { PATH = '', ...others } = process.env
  const env = Object.fromEntries(Object.entries(others).filter(([name]) => !/^npm_|^NODE_TEST/i.test(name)))
  const folders = PATH.split(delimiter).filter((path) => !path.includes('node_modules'))
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--no-update-notifier', script], {
    cwd: folder,
    env: { ...env, NODE_ENV: 'production', PATH: folders.join(delimiter) },
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  return { status, said: stdout + stderr }
}

function filesIn(folder: string): string[] {
  return readdirSync(join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).toSorted()
}

describe('where the development tools are not installed', { skip }, () => {
  test('an installation of a clone that is built succeeds, and leaves what is built alone', (t) => {
    const folder = clone(t, { built: true })
    const before = filesIn(folder)
    const { status, said } = npmRun(folder, 'prepare')
    assert.equal(status, 0, said)
    assert.match(said, /dist stays as it was/)
    assert.deepEqual(filesIn(folder), before)
    assert.match(npmRun(folder, 'start').said, /it runs/)
  })

  test('an installation of a clone that is not built fails, and says what to do', (t) => {
    const { status, said } = npmRun(clone(t, { built: false }), 'prepare')
    assert.equal(status, 1)
    assert.match(said, /development tools are not installed.*\n.*npm ci --include=dev/)
    assert.doesNotMatch(said, /not found|node:internal/)
  })

  test('an installation of nothing but package.json fails, and says what to do', (t) => {
    const folder = clone(t, { built: false })
    rmSync(join(folder, 'assembly'), { recursive: true })
    const { status, said } = npmRun(folder, 'prepare')
    assert.equal(status, 1)
    assert.match(said, /Copy the whole repository first, or install with --ignore-scripts/)
    assert.doesNotMatch(said, /node:internal/)
  })

  for (const script of TOOLS) {
    test(`npm run ${script} says so, and deletes nothing`, (t) => {
      const folder = clone(t, { built: true })
      const before = filesIn(folder)
      const { status, said } = npmRun(folder, script)
      assert.equal(status, 1)
      assert.match(said, /npm ci --include=dev/)
      assert.doesNotMatch(said, /not found|node:internal/)
      assert.deepEqual(filesIn(folder), before)
    })
  }
})

describe('where it is not built', { skip }, () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

  for (const script of PROGRAMS) {
    test(`npm run ${script} says what to do`, (t) => {
      const { status, said } = npmRun(clone(t, { built: false }), script)
      assert.equal(status, 1)
      assert.match(said, /it is not built yet\. Run npm ci/)
      assert.doesNotMatch(said, /node:internal/)
    })
  }

  test('so does every script that runs what is built', () => {
    for (const [name, script] of Object.entries(scripts)) {
      // What builds first needs no word about that: `build:server` says itself what it needs.
      if (!script.includes('node dist/') || script.startsWith('npm run build:server && ')) continue
      const first = scripts[`pre${name}`] ?? script
      assert.match(first, /^npm run --silent built(?: && |$)/, name)
    }
  })
})

test('with its tools, an installation builds anew', {
  skip: skip || onlyInFull || process.platform === 'win32',
}, (t) => {
  const folder = clone(t, { built: true })
  const { devDependencies }: { devDependencies: object } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const name of Object.keys(devDependencies)) write(join(folder, 'node_modules', name, 'package.json'), '{}')
  for (const tool of ['asc', 'tsc']) {
    const path = join(folder, 'node_modules/.bin', tool)
    // Nothing is built when the codec is compiled: dist is cleaned before.
    write(path, `#!/bin/sh\nls dist 2>/dev/null\necho "${tool} runs"\nmkdir -p dist/by\ntouch dist/by/${tool}\n`)
    chmodSync(path, 0o755)
  }
  for (const step of ['charts', 'embed', 'declarations', 'shipped'])
    writeFileSync(join(folder, `assembly/${step}.mjs`), '')
  const { status, said } = npmRun(folder, 'prepare')
  assert.equal(status, 0, said)
  assert.match(said, /asc runs\n(.*\n)*tsc runs\n/)
  assert.doesNotMatch(said, /^src$/m)
  assert.equal(existsSync(join(folder, 'dist/src')), false)
  assert.deepEqual(filesIn(folder), ['by', 'by/asc', 'by/tsc'])
})
