// One test file in a process of its own, with nothing of the others in it, or several that need none of their own in one,
// one after the other. What they print is kept, and shown if they fail.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Coverage } from './coverage.js'
import type { TestFile } from './files.js'
import { inTypeScript } from './traces.js'
import type { Verdict } from './verdict.js'

export interface Outcome {
  readonly file: TestFile
  readonly verdicts: readonly Verdict[]
  readonly seconds: number
  /** What it printed, if it failed. */
  readonly printed: string
}

const REPORTER = new URL('reporter.js', import.meta.url).href
const TOGETHER = fileURLToPath(new URL('together.js', import.meta.url))
const DEBUG_CODEC = new URL('../support/debugCodec.js', import.meta.url).href
/** How much of what a test file prints is kept: its last characters. */
const MOST_PRINTED = 20_000

/** The groups of processes that run now, by their leaders. */
const running = new Set<number>()

/** Ends what runs, and whatever it has started. */
export function endAll(): void {
  for (const leader of running) endGroup(leader)
}

function endGroup(leader: number): void {
  try {
    // Windows has no groups of processes.
    process.kill(process.platform === 'win32' ? leader : -leader, 'SIGKILL')
  } catch {
    // All of it has ended already.
  }
}

/** How a test file is run. */
export interface RunOptions {
  /** Seconds after which it has failed. */
  readonly timeout: number
  /** Runs only the tests whose names match this regular expression, and those in suites that do. */
  readonly name?: string | undefined
  /** Takes what the file and all that it starts run of src. */
  readonly coverage?: Coverage | undefined
}

/** What a process of tests has said. */
interface Told {
  readonly verdicts: readonly Verdict[]
  readonly seconds: number
  /** Stack traces in it show lines of TypeScript. */
  readonly printed: string
  /** How the process ended, if not well. */
  readonly problem: string
}

/** Runs a test file. Stack traces in what it says show lines of TypeScript. */
export async function run(file: TestFile, options: RunOptions): Promise<Outcome> {
  const told = await tell(file.codec, [file.path], options)
  const { problem, seconds } = told
  const verdicts = told.verdicts.filter(({ outcome }) => outcome !== 'noted')
  const notes = told.verdicts.flatMap(({ outcome, text }) => (outcome === 'noted' ? `\n${text}` : []))
  const failed = verdicts.some(({ outcome }) => outcome === 'failed')
  if (problem !== '' && !failed) verdicts.push({ path: [], outcome: 'failed', text: problem + notes.join('') })
  else if (verdicts.length === 0 && options.name === undefined) verdicts.push(EMPTY)
  return { file, verdicts, seconds, printed: failed || problem !== '' ? told.printed : '' }
}

/**
 * Runs test files in one process, one after the other, all on the same build of the codec. Where it ends before the last
 * test has, each runs in a process of its own, which tells whose fault that is; if nobody's, the last that is known to have begun has failed.
 */
export async function runTogether(files: readonly TestFile[], options: RunOptions): Promise<Outcome[]> {
  const [first] = files
  if (first === undefined) return []
  if (files.length === 1) return [await run(first, options)]
  const told = await tell(first.codec, [TOGETHER, ...files.map(({ path }) => path)], options)
  const outcomes = apart(files, told)
  const isTold = outcomes.some(({ verdicts }) => verdicts.some(({ outcome }) => outcome === 'failed'))
  if (outcomes.length === files.length && (told.problem === '' || isTold)) return outcomes
  const alone: Outcome[] = []
  for (const file of files) alone.push(await run(file, options))
  const ran = Math.max(0, outcomes.length - 1)
  return alone.map((outcome, at) => {
    if (at !== ran) return outcome
    const names = files.map(({ name }) => name).join(', ')
    const verdict: Verdict = { path: [], outcome: 'failed', text: `in one process, ${names}: ${told.problem}` }
    return { ...outcome, verdicts: [...outcome.verdicts, verdict], printed: outcome.printed + told.printed }
  })
}

/** What each of the files has said that have begun. */
function apart(files: readonly TestFile[], { verdicts, seconds, printed }: Told): Outcome[] {
  const begins = verdicts.flatMap(({ outcome }, at) => (outcome === 'begins' ? at : []))
  const began = begins.map((at) => Number(verdicts[at]?.text))
  return files.slice(0, begins.length).map((file, at): Outcome => {
    const own = verdicts.slice((begins[at] ?? 0) + 1, begins[at + 1]).filter(({ outcome }) => outcome !== 'noted')
    const took = (began[at + 1] ?? seconds) - (at === 0 ? 0 : (began[at] ?? 0))
    return { file, verdicts: own.length === 0 ? [EMPTY] : own, seconds: took, printed }
  })
}

const EMPTY: Verdict = { path: [], outcome: 'failed', text: 'there is no test in it' }

async function tell(codec: TestFile['codec'], program: string[], options: RunOptions): Promise<Told> {
  const { timeout, name, coverage } = options
  const folder = mkdtempSync(join(tmpdir(), 'millrace-suite-'))
  const results = join(folder, 'results')
  const reports = coverage === undefined ? undefined : join(folder, 'coverage')
  const began = performance.now()
  try {
    const { printed, problem } = await end([...optionsOf(codec, results, name), ...program], timeout, reports)
    if (reports !== undefined) coverage?.add(reports)
    const verdicts = read(results).map((verdict) => ({ ...verdict, text: inTypeScript(verdict.text) }))
    const seconds = (performance.now() - began) / 1000
    return { verdicts, seconds, printed: inTypeScript(printed), problem }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function optionsOf(codec: TestFile['codec'], results: string, name: string | undefined): string[] {
  const options = [`--test-reporter=${REPORTER}`, `--test-reporter-destination=${results}`]
  if (codec === 'debug') options.push(`--import=${DEBUG_CODEC}`)
  if (name !== undefined) options.push(`--test-name-pattern=${name}`)
  return options
}

function end(
  program: readonly string[],
  timeout: number,
  reports: string | undefined,
): Promise<{ printed: string; problem: string }> {
  return new Promise((resolve) => {
    // Where this runs in a test of `node --test`, that one's way of telling results is not this one's.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, program, {
      env: reports === undefined ? env : { ...env, NODE_V8_COVERAGE: reports },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own: what a test has started ends with it.
      detached: process.platform !== 'win32',
    })
    let printed = ''
    let problem = ''
    const keep = (chunk: Buffer): void => {
      printed = (printed + chunk.toString('latin1')).slice(-MOST_PRINTED)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const { pid } = child
    if (pid !== undefined) running.add(pid)
    const timer = setTimeout(() => {
      problem = `it was not over after ${timeout} seconds`
      if (pid !== undefined) endGroup(pid)
    }, timeout * 1000)
    child.once('error', ({ message }) => {
      problem = message
    })
    // What it has left behind would hold its output open.
    child.once('exit', () => pid !== undefined && endGroup(pid))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      if (pid !== undefined) running.delete(pid)
      if (code !== 0) problem ||= `its process ended with ${code ?? signal}`
      resolve({ printed: Buffer.from(printed, 'latin1').toString(), problem })
    })
  })
}

function read(results: string): Verdict[] {
  try {
    const lines = readFileSync(results, 'utf8').split('\n')
    return lines.filter((line) => line.endsWith('}')).map((line): Verdict => JSON.parse(line))
  } catch {
    return []
  }
}
