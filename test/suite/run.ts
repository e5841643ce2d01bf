// Runs the test files side by side, and sums up what a person wants to know.
//
//   node dist/test/suite/run.js [--full] [--list] [--coverage] [--concurrency N] [--failures FILE] [--name TEST] [--except ROOM]... [ROOM | ROOM/NAME]...
//
// `--name` is a regular expression: only the tests whose names match it run, and those of suites whose names do.
// `--failures` is a file to which a line is added for each test that failed, and each file that failed beside others only.
// `--coverage` tells how much of src ran, and fails where it is too little for a run of all tests.
// Each file has a process of its own, but for those that need none. Many of them wait for timers most of the time, so more of them run at once than
// there are processors. The exit code is 1 if anything failed.
import { appendFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Coverage, judge, linesOf, percentOf } from './coverage.js'
import { ALONE, processesOf, type TestFile, testFiles } from './files.js'
import { endAll, type Outcome, run, runTogether } from './process.js'
import { failuresOf, lineOf, skipsOf, slowestOf, tallyOf } from './summary.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: process.env['MILLRACE_SUITE'] === 'full' },
    concurrency: { type: 'string', default: String(3 * availableParallelism()) },
    coverage: { type: 'boolean', default: false },
    failures: { type: 'string' },
    name: { type: 'string' },
    list: { type: 'boolean', default: false },
    except: { type: 'string', multiple: true, default: [] },
  },
})
process.env['MILLRACE_SUITE'] = values.full ? 'full' : 'quick'

/** Seconds after which a file that is not over has failed. */
const TIMEOUT = values.full ? 1800 : 100
const SHIPPED = fileURLToPath(new URL('../../src', import.meta.url))
const coverage = values.coverage ? new Coverage(SHIPPED) : undefined
const options = { timeout: TIMEOUT, name: values.name, coverage }

/** As many files at most run once more. */
const MOST_AGAIN = 8

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endAll()
    process.exit(1)
  })
}

async function runAll(files: readonly TestFile[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const work = async (waiting: TestFile[][]): Promise<void> => {
    for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
      const ended = await runTogether(group, options)
      outcomes.push(...ended)
      for (const outcome of ended) print(failuresOf(outcome))
      for (const room of new Set(group.map((file) => file.room))) {
        const ofRoom = outcomes.filter(({ file }) => file.room === room)
        if (values.name === undefined && ofRoom.length === files.filter((file) => file.room === room).length)
          print(lineOf(room, ofRoom))
      }
    }
  }
  // One test by its name: the others of a process would be no company.
  const groupsOf = (some: readonly TestFile[]): TestFile[][] =>
    values.name === undefined ? processesOf(some) : some.map((file) => [file])
  const together = groupsOf(files.filter(({ alone }) => !alone))
  await Promise.all(Array.from({ length: Number(values.concurrency) }, () => work(together)))
  for (const line of ALONE) {
    await Promise.all(files.filter(({ name }) => line.includes(name)).map((file) => work([[file]])))
  }
  return outcomes
}

/**
 * What failed beside others runs once more with the processors to itself, because a test that waits for a moment may have
 * been starved by its neighbours. It counts as it ends then, and is told. Where much has failed, that is not why.
 */
async function again(outcomes: readonly Outcome[]): Promise<Outcome[]> {
  const failed = outcomes.filter((outcome) => !outcome.file.alone && tallyOf([outcome]).failed > 0)
  if (failed.length > MOST_AGAIN) return [...outcomes]
  const results = outcomes.filter((outcome) => !failed.includes(outcome))
  for (const { file } of failed) {
    const outcome = await run(file, options)
    const passes = tallyOf([outcome]).failed === 0
    if (passes) tell(`STARVED ${file.name} failed beside others, and passes alone`)
    else print(failuresOf(outcome))
    results.push(outcome)
  }
  return results
}

/** Tells how much of src ran; false if that is too little. */
function covers({ files }: Coverage): boolean {
  for (const line of linesOf(files)) print(line)
  const { text, enough } = judge(percentOf(files), positionals.length === 0 && values.name === undefined)
  print(text)
  return enough
}

/** Prints a line that is worth reading once more after much else. */
function tell(line: string): void {
  print(line)
  if (values.failures !== undefined) appendFileSync(values.failures, `${process.version} ${line}\n`)
}

function print(text: string): void {
  if (text !== '') console.log(text)
}

const files = testFiles(positionals, values.except)
if (values.list) {
  const list = files.map(({ name }) => `${name}\n`).join('')
  await new Promise((resolve) => process.stdout.write(list, resolve)) // a pipe may take a part of it first
  process.exit(0)
}
const began = performance.now()
console.log(
  `the ${values.full ? 'full' : 'quick'} suite, on Node.js ${process.version}, ${values.concurrency} files at a time`,
)
const outcomes = await again(await runAll(files))
const { passed, failed, skipped } = tallyOf(outcomes)
const nothing = passed + failed + skipped === 0
for (const line of skipsOf(outcomes)) print(line)
if (nothing) print(`no test's name matches ${values.name}`)
else print(slowestOf(outcomes))
for (const outcome of outcomes) {
  for (const { path } of outcome.verdicts.filter(({ outcome }) => outcome === 'failed')) {
    tell(`FAILED ${[outcome.file.name, ...path].join(' > ')}`)
  }
}
const uncovered = coverage !== undefined && !covers(coverage)
print(`${files.length} files in ${((performance.now() - began) / 1000).toFixed(1)} s`)
print(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 || nothing || uncovered ? 1 : 0
