// `millrace bench`: runs a load until its time is over or somebody presses Ctrl+C, and prints what was measured.
import { constants } from 'node:os'
import type { Recorded } from '../../load/latencies.js'
import type { LoadResult } from '../../load/load.js'
import { loadBy } from '../../load/processes/loadBy.js'
import type { Found } from '../../load/search.js'
import type { Interval } from '../../load/timeline.js'
import { mustBeWritable, writeReport } from '../reportFiles.js'
import { print } from '../standardStreams.js'
import type { BenchCommand } from './arguments.js'
import { comparisonOf, intervalsIn } from './comparison.js'
import { conclusionOf, found as foundBy } from './find.js'
import { hgrmOf } from './hgrm.js'
import { htmlOf } from './html.js'
import { jsonOf } from './json.js'
import { Otlp } from './otlp.js'
import { unitOf } from './patternWords.js'
import { Progress } from './progress.js'
import { heading, report } from './report.js'
import { withScript } from './script.js'
import { type Verdict, verdictOn } from './threshold.js'

/** One press of Ctrl+C can arrive twice, from the terminal and from npm: within this time, they are one. */
const SAME_SIGNAL = 300

type Bench = Extract<BenchCommand, { name: 'bench' }>

/**
 * Runs a load and prints it; returns the exit code. Rejects with a ConnectError if the server can't be reached, and with a
 * UsageError if a file can't be written.
 */
export async function bench(asked: Bench, version: string): Promise<number> {
  const { output } = asked
  mustBeWritable([
    ['html', output.html],
    ['hgrm', output.hgrm],
  ])
  const command = { ...asked, load: await withScript(asked.load, asked.script) }
  const earlier = output.compare === undefined ? undefined : intervalsIn(output.compare)
  const otlp = output.otlp && new Otlp(output.otlp, command.load, version)
  const stopper = new Stopper()
  const outcome = await outcomeOf(command, stopper.signal, otlp).catch((error: unknown) => {
    otlp?.abandon()
    throw error
  })
  const { done, result, search } = outcome
  const { load: options } = done
  const found = result.messages > 0
  const verdicts = output.thresholds.map((threshold) => verdictOn(threshold, result))
  if (output.json && (found || stopper.stoppedBy === undefined)) print(jsonOf(done, result, verdicts, search))
  else if (found) print(report(options, result, verdicts))
  if (found && earlier !== undefined) {
    const compared = comparisonOf(output.compare ?? '', earlier, result.intervals)
    if (output.json) console.error(compared)
    else print(`\n${compared}`)
  }
  const unsent = await otlp?.end(result)
  const unwritten = [...(found ? writeFiles(done, result, verdicts) : []), ...(unsent === undefined ? [] : [unsent])]
  const code = codeOf(outcome, verdicts, stopper)
  return unwritten.map(fail).at(-1) ?? code
}

/** The exit code, and on standard error what it is for. */
function codeOf({ done, result, search }: Outcome, verdicts: readonly Verdict[], { stoppedBy }: Stopper): number {
  const { load: options } = done
  if (search !== undefined && (search.rate > 0 || stoppedBy === undefined)) {
    return searched(done, search, verdicts)
  }
  if (result.error !== undefined) return fail(`${options.url.href} failed: ${result.error}`)
  if (result.messages > 0) return verdictOf(verdicts)
  if (stoppedBy === undefined) return fail(`${options.url.href} answered nothing in ${options.duration} s`)
  fail('stopped before anything was measured')
  return 128 + constants.signals[stoppedBy]
}

/** What was done in the end: after a search, the load that confirms it. */
interface Outcome {
  readonly done: Bench
  readonly result: LoadResult
  readonly search?: Found
}

async function outcomeOf(command: Bench, signal: AbortSignal, otlp: Otlp | undefined): Promise<Outcome> {
  const { find, load } = command
  if (find === undefined) return { done: command, result: await measured(command, signal, otlp) }
  const search = await foundBy(command, find, signal)
  const rate = search.rate > 0 ? search.rate : (search.steps.at(-1)?.rate ?? 0)
  return { done: { ...command, load: { ...load, rate } }, result: search.result, search }
}

function searched({ load, output, find = 0 }: Bench, search: Found, verdicts: readonly Verdict[]): number {
  const conclusion = conclusionOf(search, find)
  if (search.rate === 0) return fail(`${load.url.href}: ${conclusion}`)
  if (output.json) console.error(conclusion)
  else print(`\nfound      ${conclusion}`)
  return verdictOf(verdicts)
}

/** Runs the load, and shows how it goes. */
async function measured(
  { load: options, processes, output }: Bench,
  signal: AbortSignal,
  otlp: Otlp | undefined,
): Promise<LoadResult> {
  const shown = output.progress || process.stderr.isTTY === true
  const progress = new Progress(options.duration, process.stderr.isTTY === true, unitOf(options))
  const measuring = (): void => {
    otlp?.begin()
    // A benchmark samples the server's CPU time from then on.
    if (output.json) console.error('measuring')
    else print(heading(options))
  }
  try {
    const interval = (ended: Interval, recorded: () => Recorded): void => {
      if (shown) progress.show(ended)
      otlp?.interval(ended, recorded)
    }
    const watch = shown || otlp !== undefined ? { interval } : {}
    return await loadBy(processes, options, signal, measuring, () => progress.end(), watch)
  } finally {
    progress.end()
  }
}

/** Returns what went wrong, a sentence for each file that could not be written. */
function writeFiles({ load: options, output }: Bench, result: LoadResult, verdicts: readonly Verdict[]): string[] {
  const { hgrm, html } = output
  const problems = [
    hgrm !== undefined && writeReport(hgrm, hgrmOf(result.latencies)),
    html !== undefined && writeReport(html, htmlOf(options, result, verdicts)),
  ]
  return problems.flatMap((problem) => problem || [])
}

function verdictOf(verdicts: readonly Verdict[]): number {
  const failed = verdicts.filter(({ ok }) => !ok).map(({ threshold }) => threshold.text)
  return failed.length === 0 ? 0 : fail(`${failed.join(' and ')} ${failed.length === 1 ? 'does' : 'do'} not hold`)
}

function fail(problem: string): number {
  console.error(`millrace: ${problem}`)
  return 1
}

/** The first signal ends the load; another one, a moment later, ends the program. */
class Stopper {
  stoppedBy: 'SIGINT' | 'SIGTERM' | undefined
  readonly #controller = new AbortController()
  #at = 0

  constructor() {
    process.on('SIGINT', this.#stop)
    process.on('SIGTERM', this.#stop)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  readonly #stop = (name: 'SIGINT' | 'SIGTERM'): void => {
    const now = performance.now()
    if (this.stoppedBy === undefined) {
      this.stoppedBy = name
      this.#at = now
      this.#controller.abort()
    } else if (now - this.#at > SAME_SIGNAL) process.exit(128 + constants.signals[name])
  }
}
