// A floor under the coverage is worth what the measure is worth: what ran in any process counts, what never ran does not,
// and the lines that are told are those of TypeScript.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Coverage, judge, LEAST_COVERAGE, linesOf, percentOf } from './coverage.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-coverage-test-'))
after(() => rmSync(folder, { recursive: true }))

/** A program of five lines, which stand two lines lower in its source. */
const CODE = `export function sign(number) {
  if (number < 0) return 'below'
  return 'above'
}
export const never = () => 'never'
//# sourceMappingURL=sign.js.map
`
const MAP = { version: 3, file: 'sign.js', sources: ['sign.ts'], names: [], mappings: 'AAEA;AACA;AACA;AACA;AACA' }
const dist = join(folder, 'dist')
mkdirSync(join(dist, 'room'), { recursive: true })
for (const name of ['sign', 'unread']) {
  writeFileSync(join(dist, 'room', `${name}.js`), CODE)
  writeFileSync(join(dist, 'room', `${name}.js.map`), JSON.stringify(MAP))
}
writeFileSync(join(dist, 'room', 'some.generated.js'), CODE)
writeFileSync(join(dist, 'room', 'left.js'), CODE) // by an earlier build

/** Runs a program as the runner does, and adds what it ran. */
function run(coverage: Coverage, program: string, reports = mkdtempSync(join(folder, 'reports-'))): void {
  const source = `import { sign } from ${JSON.stringify(join(dist, 'room/sign.js'))}\n${program}`
  const env = { ...process.env, NODE_V8_COVERAGE: reports }
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { env })
  assert.equal(status, 0, String(stderr))
  coverage.add(reports)
}

/** The lines of a file that never ran, as a whole or in part. */
function linesLeft(coverage: Coverage, path: string): readonly number[] | undefined {
  return coverage.files.find((file) => file.path === path)?.lines
}

describe('the coverage', () => {
  test('is what ran in any of the processes', () => {
    const coverage = new Coverage(dist)
    run(coverage, 'sign(1)')
    assert.deepEqual(linesLeft(coverage, 'room/sign.ts'), [4, 7])
    run(coverage, 'sign(-1)')
    assert.deepEqual(linesLeft(coverage, 'room/sign.ts'), [7])
  })

  test('counts what a child of a process runs', () => {
    const coverage = new Coverage(dist)
    const child = `import { sign } from ${JSON.stringify(join(dist, 'room/sign.js'))}; sign(-1)`
    const args = JSON.stringify(['--input-type=module', '-e', child])
    run(coverage, `(await import('node:child_process')).spawnSync(process.execPath, ${args}); sign(1)`)
    assert.deepEqual(linesLeft(coverage, 'room/sign.ts'), [7])
  })

  test('leaves out what a process was killed amid of writing', () => {
    const coverage = new Coverage(dist)
    const reports = mkdtempSync(join(folder, 'reports-'))
    writeFileSync(join(reports, 'coverage-1.json'), '{"result":[{"scriptId":"6","url":"')
    run(coverage, 'sign(1)', reports)
    assert.deepEqual(linesLeft(coverage, 'room/sign.ts'), [4, 7])
  })

  test('is nothing of a file that no process loads, and leaves generated files out, and what is left of an earlier build', () => {
    const coverage = new Coverage(dist)
    assert.equal(percentOf(coverage.files), 0)
    run(coverage, 'sign(1)')
    assert.deepEqual(
      coverage.files.map((file) => [file.path, percentOf([file]) > 0]),
      [
        ['room/sign.ts', true],
        ['room/unread.ts', false],
      ],
    )
    const [sign, unread] = coverage.files
    assert.equal(sign?.characters, unread?.characters)
    assert.ok(percentOf(coverage.files) > 20 && percentOf(coverage.files) < 50, String(percentOf(coverage.files)))
    assert.match(
      linesOf(coverage.files).join('\n'),
      /^room +\d+\.\d %\n {2}room\/sign\.ts +\d+\.\d % +4, 7\n.*0\.0 % +3-7$/,
    )
  })

  test('is enough from the floor on, and always for a part of the tests', () => {
    assert.ok(LEAST_COVERAGE > 90)
    assert.equal(judge(LEAST_COVERAGE, true).enough, true)
    assert.deepEqual(judge(LEAST_COVERAGE - 0.01, true), {
      text: `coverage: ${(LEAST_COVERAGE - 0.01).toFixed(2)} % of src, at least ${LEAST_COVERAGE} % by all tests: TOO LITTLE`,
      enough: false,
    })
    assert.equal(judge(1, false).enough, true)
  })

  test('adds nothing where a process has left nothing', () => {
    const coverage = new Coverage(dist)
    coverage.add(join(folder, 'nowhere'))
    assert.equal(percentOf(coverage.files), 0)
  })
})

test('the runner measures src, and has no floor for a part of the tests', () => {
  const args = [fileURLToPath(new URL('run.js', import.meta.url)), 'protocol/cookies', '--coverage']
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
  const cookies = /^ {2}protocol\/cookies\.ts +([\d.]+) %/m.exec(stdout)?.[1] ?? '100'
  assert.ok(Number(cookies) > 90, stdout)
  assert.match(stdout, /^ {2}server\/server\.ts +0\.0 %/m)
  assert.match(stdout, /^coverage: \d\.\d\d % of src, at least [\d.]+ % by all tests$/m)
})
