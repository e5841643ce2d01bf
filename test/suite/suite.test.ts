// Whoever runs `npm test` believes its last line. The runner is tried on programs that pass, fail, break, hang and print
// bytes; and what the quick suite leaves out must be in the full one.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { codeOf, read, sourcesIn, tokensOf } from '../structure/source.js'
import { ALONE, FIRST, ON_BOTH_BUILDS, processesOf, type TestFile, TOGETHER, testFiles } from './files.js'
import { type Outcome, type RunOptions, run, runTogether } from './process.js'
import { failuresOf, lineOf, skipsOf, tallyOf } from './summary.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-suite-test-'))
after(() => rmSync(folder, { recursive: true }))
const EFFORT = new URL('../support/effort.js', import.meta.url).href

/** A program as a test file. */
function fileOf(program: string, codec: TestFile['codec'] = 'release', name = 'room/tried'): TestFile {
  const path = join(folder, `${Math.random()}.test.mjs`)
  writeFileSync(path, `import { describe, test } from 'node:test'\n${program}`)
  return { name, room: 'room', path, alone: false, together: false, codec }
}

function tried(
  program: string,
  { timeout = 20, name, codec }: Partial<RunOptions & Pick<TestFile, 'codec'>> = {},
): Promise<Outcome> {
  return run(fileOf(program, codec), { timeout, name })
}

describe('the runner', () => {
  test('counts what passes, what fails and what is skipped, and names each by its suites', async () => {
    const outcome = await tried(`
      test('a', () => {})
      describe('b', () => {
        test('c', () => { throw new Error('broken') })
        test('d', { skip: 'no reason' }, () => {})
        test('e', async (t) => { await t.test('f', () => {}) })
      })
      describe('g', { skip: 'no Redis' }, () => {})`)
    assert.deepEqual(
      outcome.verdicts.map(({ path, outcome }) => `${path.join(' > ')}: ${outcome}`),
      ['a: passed', 'b > c: failed', 'b > d: skipped', 'b > e > f: passed', 'b > e: passed', 'g: skipped'],
    )
    assert.deepEqual(tallyOf([outcome]), { passed: 3, failed: 1, skipped: 2 })
    assert.match(failuresOf(outcome), /^FAILED room\/tried > b > c\n {2}Error: broken\n/)
    assert.deepEqual(skipsOf([outcome, outcome]), ['skipped 2: no reason', 'skipped 2: no Redis'])
    assert.match(lineOf('room', [outcome]), /^room +1 file +\d\.\d s +3 passed, 2 skipped, 1 FAILED$/)
  })

  for (const [what, program, problem] of [
    ['has no test', '', /there is no test in it/],
    ['is no program', 'this is not JavaScript', /ended with 1/],
    ['ends before its tests do', "test('a', () => {}); process.exit(7)", /ended with 7/],
    ['is killed', "test('a', () => process.kill(process.pid, 'SIGKILL'))", /ended with SIGKILL/],
    ['throws outside of its tests', "test('a', () => {}); setTimeout(() => { throw new Error('late') })", /late/],
    [
      'fails in a hook',
      "import { after } from 'node:test'; test('a', () => {}); after(() => { throw new Error('hook') })",
      /hook/,
    ],
  ] as const) {
    test(`a file that ${what} has failed`, async () => {
      const outcome = await tried(program)
      assert.ok(tallyOf([outcome]).failed > 0, JSON.stringify(outcome))
      assert.match(failuresOf(outcome), problem)
    })
  }

  test('a file that never ends has failed, and what it has started ends with it', async () => {
    const server =
      "require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })"
    const outcome = await tried(
      `import { spawn } from 'node:child_process'
      test('a', () => new Promise(() => {
        spawn(process.execPath, ['-e', ${JSON.stringify(server)}], { stdio: 'inherit' })
        setInterval(() => {}, 1000)
      }))`,
      { timeout: 3 },
    )
    assert.match(failuresOf(outcome), /was not over after 3 seconds/)
    const port = Number(/\d+/.exec(outcome.printed)?.[0])
    assert.ok(port > 0, outcome.printed)
    await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), /ECONNREFUSED/)
  })

  test('what is printed is text, whatever a test prints, and only of a file that fails', async () => {
    const print = "process.stdout.write(Buffer.from([27, 91, 50, 74, 0, 255, 254])); console.error('aside')"
    assert.equal(failuresOf(await tried(`test('a', () => { ${print} })`)), '')
    const text = failuresOf(await tried(`test('a', () => { ${print}; throw new Error('\\x07') })`))
    assert.match(text, /aside/)
    assert.match(text, /\\u\{1b\}/)
    assert.doesNotMatch(text, /[^\P{C}\n]/u)
  })

  test('runs one test by its name, and says nothing of the others', async () => {
    const program = `
      test('one', () => {})
      test('another', () => { throw new Error('not asked for') })
      describe('some', () => test('one more', () => {}))`
    const outcome = await tried(program, { name: '^one' })
    assert.deepEqual(
      outcome.verdicts.map(({ path, outcome }) => `${path.join(' > ')}: ${outcome}`),
      ['one: passed', 'some > one more: passed'],
    )
    assert.deepEqual(tallyOf([await tried(program, { name: 'nobody' })]), { passed: 0, failed: 0, skipped: 0 })
  })

  test('a name that no test has is told, and is no success', () => {
    const args = [fileURLToPath(new URL('run.js', import.meta.url)), 'protocol/cookies', '--name', 'no such test']
    const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    assert.match(stdout, /no test's name matches no such test\n/)
    assert.equal(status, 1)
  })

  test('has the debug build of the codec check its assertions, and the release build not', async () => {
    const program = `
      import { codecOfThread } from '${new URL('../../src/codec/codec.js', import.meta.url)}'
      test('a', () => codecOfThread().call.header(70_000, 0x82, -1))`
    assert.deepEqual(tallyOf([await tried(program)]), { passed: 1, failed: 0, skipped: 0 })
    assert.match(failuresOf(await tried(program, { codec: 'debug' })), /RuntimeError: unreachable/)
  })

  test('a stack trace shows lines of TypeScript', async () => {
    const outcome = await tried(`
      import { read } from '${new URL('../structure/source.js', import.meta.url)}'
      test('a', () => read('no such file'))`)
    assert.match(failuresOf(outcome), /at read \(.*test[/\\]structure[/\\]source\.ts:\d+:\d+\)/)
  })

  test('a test whose name is no text has failed', async () => {
    const outcome = await tried("test('\\x00', () => {})")
    assert.match(failuresOf(outcome), /^FAILED room\/tried > \\u\{0\}\n {2}its name is no text/)
  })
})

describe('files in one process', () => {
  const said = (outcomes: readonly Outcome[]): string[] =>
    outcomes.map(({ file, verdicts }) => `${file.name}: ${verdicts.map(({ outcome }) => outcome).join(' ')}`)
  const PASSES = "test('a', () => {}); describe('b', () => test('c', () => {}))"

  test('each have their own results', async () => {
    const files = [
      fileOf(`globalThis.pid = process.pid; ${PASSES}`, 'release', 'one'),
      fileOf("test('a', () => { throw new Error('broken') })", 'release', 'two'),
      fileOf("test('a', { skip: globalThis.pid === process.pid && 'the same process' }, () => {})", 'release', 'three'),
      fileOf('', 'release', 'four'),
    ]
    const outcomes = await runTogether(files, { timeout: 20 })
    assert.deepEqual(said(outcomes), ['one: passed passed', 'two: failed', 'three: skipped', 'four: failed'])
    assert.match(
      outcomes.map(failuresOf).join(''),
      /^FAILED two > a\n {2}Error: broken\n[\s\S]*FAILED four\n {2}there is no test in it/,
    )
  })

  test('run in one each where that ends early, and the one that ended it has failed', async () => {
    const ends = "test('a', () => new Promise(() => setTimeout(() => process.exit(7), 200)))"
    const files = [fileOf(PASSES, 'release', 'one'), fileOf(ends, 'release', 'two'), fileOf(PASSES, 'release', 'three')]
    const outcomes = await runTogether(files, { timeout: 20 })
    assert.deepEqual(said(outcomes), ['one: passed passed', 'two: failed failed', 'three: passed passed'])
    assert.match(outcomes.map(failuresOf).join(''), /ended with 7[\s\S]*in one process, one, two, three: .* 7/)
  })

  test('are those that say so, on the same build, some at a time, in the order of all', () => {
    const files = testFiles()
    const processes = processesOf(files)
    assert.deepEqual(new Set(processes.flat()), new Set(files))
    assert.equal(processes.flat().length, files.length)
    for (const group of processes.filter(({ length }) => length > 1)) {
      assert.ok(group.length <= 8)
      assert.equal(new Set(group.map(({ codec }) => codec)).size, 1)
      for (const { name, room, alone } of group) {
        assert.ok(TOGETHER.includes(name.replace('+debug', '')) || TOGETHER.includes(room), name)
        assert.equal(alone, false)
      }
    }
  })

  test('have no hooks of their own around the tests of all, and set nothing of the process', () => {
    for (const { name } of testFiles(TOGETHER).filter(({ codec }) => codec === 'release')) {
      const source = read(`test/${name}.test.ts`)
      // Node.js 24 runs what is after all tests when those that it knows so far are done.
      assert.doesNotMatch(source, /^(?:before|after|beforeEach|afterEach|.*\b(?:servingAll|listeningAll))\(/m, name)
      assert.doesNotMatch(source, /^poisonMemory\(|^\s*process\.env\[[^\]]*\] = /m, name)
    }
  })
})

const LOADING_BOTH = 'test/codec/assertions.test.ts'
/** Any other test of the codec that says one of these words drives it. */
const DRIVING = ['acceptKey', 'Agreement', 'CodecParser', 'Counted', 'parse', 'maskedFrame', 'mask', 'validate']

/** The names that a program of tests has, in one of the suites. */
function namesIn(suite: string, path: string): string[] {
  const env = { ...process.env, MILLRACE_SUITE: suite, NODE_TEST_CONTEXT: undefined }
  const { stdout } = spawnSync(process.execPath, ['--test-reporter=tap', path], { env, encoding: 'utf8' })
  return stdout.split('\n').filter((line) => /^ *(?:not )?ok /.test(line))
}

describe('the quick suite and the full one', () => {
  test('run the same files, and all of them', () => {
    const names = testFiles()
      .filter(({ codec }) => codec === 'release')
      .map(({ name }) => `test/${name}.test.ts`)
      .toSorted()
    assert.deepEqual(
      names,
      sourcesIn('test').filter((path) => path.endsWith('.test.ts')),
    )
    const quick = spawnSync(process.execPath, [fileURLToPath(new URL('run.js', import.meta.url)), '--list'], {
      encoding: 'utf8',
    })
    const full = spawnSync(process.execPath, [fileURLToPath(new URL('run.js', import.meta.url)), '--list', '--full'], {
      encoding: 'utf8',
    })
    assert.equal(quick.stdout, full.stdout)
    assert.equal(quick.stdout.trim().split('\n').length, testFiles().length)
  })

  test('run the tests of the codec on both of its builds', () => {
    const tests = sourcesIn('test/codec').filter((path) => path.endsWith('.test.ts') && path !== LOADING_BOTH)
    const driving = tests.filter((path) => {
      const code = codeOf(read(path).replaceAll('JSON.parse', '')) // which has no part in the codec
      return code.some(({ text }) => DRIVING.includes(text))
    })
    assert.deepEqual(
      ON_BOTH_BUILDS.map((name) => `test/${name}.test.ts`),
      driving,
    )
    assert.deepEqual(
      testFiles()
        .filter(({ codec }) => codec === 'debug')
        .map(({ name }) => name),
      ON_BOTH_BUILDS.map((name) => `${name}+debug`),
    )
    assert.deepEqual(
      testFiles(['codec/utf8']).map(({ name }) => name),
      ['codec/utf8', 'codec/utf8+debug'],
    )
    assert.deepEqual(
      testFiles(['codec/utf8+debug']).map(({ name }) => name),
      ['codec/utf8+debug'],
    )
  })

  test('know the files that they treat in a way of their own', () => {
    const names = testFiles().map(({ name }) => name)
    for (const name of [...ALONE.flat(), ...FIRST]) assert.ok(names.includes(name), name)
    assert.throws(() => testFiles(['nowhere']), /no room and no test called nowhere/)
    assert.deepEqual(
      testFiles(['types', 'suite/suite'], ['types']).map(({ name }) => name),
      ['suite/suite'],
    )
  })

  test('differ only by what effort.ts tells', () => {
    const knowing = sourcesIn('test').filter((path) =>
      tokensOf(read(path)).some(({ kind, text }) => kind === 'string' && text === 'MILLRACE_SUITE'),
    )
    assert.deepEqual(knowing, ['test/suite/run.ts', 'test/suite/suite.test.ts', 'test/support/effort.ts'])
  })

  test('name the same tests; only what says so is left out, and more is done in the full one', () => {
    const path = join(folder, 'effort.mjs')
    writeFileSync(
      path,
      `import { test } from 'node:test'
      import { effort, onlyInFull } from '${EFFORT}'
      test('a soak', { skip: onlyInFull }, () => {})
      test('rounds', (t) => t.test(String(effort({ quick: 5, full: 5000 })), () => {}))`,
    )
    const [quick, full] = [namesIn('quick', path), namesIn('full', path)]
    assert.deepEqual(quick, [
      'ok 1 - a soak # SKIP in the full suite: npm run test:full',
      '    ok 1 - 5',
      'ok 2 - rounds',
    ])
    assert.deepEqual(full, ['ok 1 - a soak', '    ok 1 - 5000', 'ok 2 - rounds'])
  })
})
