// The program of all benchmarks: what it lists must be there, and what is typed wrong must not measure something else.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { textTable } from '../../bench/support/table.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const MAIN = fileURLToPath(new URL('../../bench/main.js', import.meta.url))

function bench(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8', timeout: 60_000 })
}

/** What each suite says of itself: in one process, which reads the program anew for each, and what it loads once. */
function helpsOf(names: readonly string[]): { name: string; status: number; stdout: string }[] {
  const program = `
    const told = []
    for (const name of ${JSON.stringify(names)}) {
      let stdout = ''
      console.log = (line) => { stdout += line + '\\n' }
      process.argv = [process.execPath, 'bench', name, '--help']
      await import(${JSON.stringify(pathToFileURL(MAIN).href)} + '?' + name)
      told.push({ name, status: process.exitCode, stdout })
    }
    process.stdout.write(JSON.stringify(told))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout)
}

describe('npm run bench', () => {
  const { stdout: help } = bench('--help')
  const names = [...help.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, name]) => name ?? '')

  it('lists the suites, and each of them says what it takes', () => {
    assert.deepEqual(names, [
      'peers',
      'table',
      'deflate',
      'compare',
      'publish',
      'codec',
      'load',
      'large',
      'attacks',
      'ws',
      'client',
      'loadself',
      'http2',
      'topics',
      'counters',
      'ab',
    ])
    for (const { name, status, stdout } of helpsOf(names)) {
      assert.equal(status, 0, name)
      assert.ok(stdout.startsWith(`npm run bench -- ${name}`), name)
      assert.match(stdout, /^ {2}--help +prints this$/m)
      const measures = !['compare', 'publish'].includes(name)
      assert.equal(/^ {2}--quick .*\n {2}--json FILE /m.test(stdout), measures, name)
    }
  })

  it('has every suite that a script of package.json or the documentation names', () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
    const run = Object.values(scripts).flatMap((script) => [
      ...script.matchAll(/dist\/bench\/(\S+?)(?: (\w+))?(?: |$)/g),
    ])
    assert.ok(run.length > 8)
    for (const [, file, name = 'peers'] of run) assert.deepEqual([file, names.includes(name)], ['main.js', true], name)
    const readme = readFileSync(`${root}README.md`, 'utf8')
    for (const [, name = ''] of readme.matchAll(/npm run (bench:\w+)/g)) assert.ok(name in scripts, name)
    for (const [, name = ''] of readme.matchAll(/npm run bench -- (\w+)/g)) assert.ok(names.includes(name), name)
  })

  it('refuses suites, options and numbers that there are not', () => {
    const wrong: readonly (readonly [args: readonly string[], message: RegExp])[] = [
      [['nonsense'], /there is no suite nonsense\n.*npm run bench -- SUITE/],
      [['compare', '--fast'], /--fast/],
      [['publish', 'now'], /publish takes options only/],
      [['compare', 'old.json'], /compare takes OLD\.json NEW\.json/],
      [['peers', '--rounds', 'many'], /--rounds must be a number above zero, not "many"/],
      [['peers', '--peers', 'nobody'], /there is no nobody/],
    ]
    for (const [args, message] of wrong) {
      const { status, stderr } = bench(...args)
      assert.deepEqual([status, message.test(stderr)], [1, true], `${args}: ${stderr}`)
    }
  })
})

describe('a table', () => {
  it('lines up names to the left and figures to the right', () => {
    const rows = [
      ['', '', 'µs'],
      ['a', 'long', '1'],
      ['bcd', '', '100'],
    ]
    assert.deepEqual(textTable(rows), ['            µs', 'a    long    1', 'bcd        100'])
  })
})
