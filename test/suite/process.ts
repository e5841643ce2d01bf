// One test file in a process of its own, with nothing of the others in it. What it prints is kept, and shown if it fails.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Coverage } from './coverage.js'
import type { TestFile } from './files.js'
import type { Verdict } from './verdict.js'

export interface Outcome {
  readonly file: TestFile
  readonly verdicts: readonly Verdict[]
  readonly seconds: number
  /** What it printed, if it failed. */
  readonly printed: string
}

const REPORTER = new URL('reporter.js', import.meta.url).href
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

/** Runs a test file. Stack traces in what it says show lines of TypeScript. */
export async function run(file: TestFile, { timeout, name, coverage }: RunOptions): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-suite-'))
  const results = join(folder, 'results')
  const reports = coverage === undefined ? undefined : join(folder, 'coverage')
  const began = performance.now()
  try {
    const { printed, problem } = await end([...optionsOf(file, results, name), file.path], timeout, reports)
    if (reports !== undefined) coverage?.add(reports)
    const told = read(results)
    const verdicts = told.filter(({ outcome }) => outcome !== 'noted')
    const notes = told.flatMap(({ outcome, text }) => (outcome === 'noted' ? `\n${text}` : []))
    const failed = verdicts.some(({ outcome }) => outcome === 'failed')
    if (problem !== '' && !failed) verdicts.push({ path: [], outcome: 'failed', text: problem + notes.join('') })
    else if (verdicts.length === 0 && name === undefined)
      verdicts.push({ path: [], outcome: 'failed', text: 'there is no test in it' })
    const seconds = (performance.now() - began) / 1000
    return { file, verdicts, seconds, printed: failed || problem !== '' ? printed : '' }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function optionsOf({ codec }: TestFile, results: string, name: string | undefined): string[] {
  const options = ['--enable-source-maps', `--test-reporter=${REPORTER}`, `--test-reporter-destination=${results}`]
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
