// `millrace bench`: runs a load until its time is over or somebody presses Ctrl+C, and prints what was measured.
import { writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { type LoadResult, load } from '../../load/load.js'
import type { Interval } from '../../load/timeline.js'
import type { BenchCommand } from './arguments.js'
import { comparisonOf, intervalsIn } from './comparison.js'
import { hgrmOf } from './hgrm.js'
import { htmlOf } from './html.js'
import { jsonOf } from './json.js'
import { unitOf } from './patternWords.js'
import { Progress } from './progress.js'
import { heading, report } from './report.js'
import { withScript } from './script.js'
import { type Verdict, verdictOn } from './threshold.js'

/** One press of Ctrl+C can arrive twice, from the terminal and from npm: within this time, they are one. */
const SAME_SIGNAL = 300

type Bench = Extract<BenchCommand, { name: 'bench' }>

/** Runs a load and prints it; returns the exit code. Rejects with a ConnectError if the server can't be reached. */
export async function bench(asked: Bench): Promise<number> {
  const { output } = asked
  const options = await withScript(asked.load, asked.script)
  const command = { ...asked, load: options }
  const earlier = output.compare === undefined ? undefined : intervalsIn(output.compare)
  const stopper = new Stopper()
  const result = await measured(command, stopper.signal)
  const found = result.messages > 0
  const verdicts = output.thresholds.map((threshold) => verdictOn(threshold, result))
  if (output.json && (found || stopper.stoppedBy === undefined)) console.log(jsonOf(command, result, verdicts))
  else if (found) console.log(report(options, result, verdicts))
  if (found && earlier !== undefined) {
    const compared = comparisonOf(output.compare ?? '', earlier, result.intervals)
    if (output.json) console.error(compared)
    else console.log(`\n${compared}`)
  }
  if (found) writeFiles(command, result, verdicts)
  if (result.error !== undefined) return fail(`${options.url.href} failed: ${result.error}`)
  if (found) return verdictOf(verdicts)
  if (stopper.stoppedBy === undefined) return fail(`${options.url.href} answered nothing in ${options.duration} s`)
  fail('stopped before anything was measured')
  return 128 + constants.signals[stopper.stoppedBy]
}

/** Runs the load, and shows how it goes. */
async function measured({ load: options, output }: Bench, signal: AbortSignal): Promise<LoadResult> {
  const shown = output.progress || process.stderr.isTTY === true
  const progress = new Progress(options.duration, process.stderr.isTTY === true, unitOf(options))
  const measuring = (): void => {
    // A benchmark samples the server's CPU time from then on.
    if (output.json) console.error('measuring')
    else console.log(heading(options))
  }
  try {
    const interval = (ended: Interval): void => progress.show(ended)
    return await load(options, signal, measuring, () => progress.end(), shown ? { interval } : {})
  } finally {
    progress.end()
  }
}

function writeFiles({ load: options, output }: Bench, result: LoadResult, verdicts: readonly Verdict[]): void {
  if (output.hgrm !== undefined) writeFileSync(output.hgrm, hgrmOf(result.latencies))
  if (output.html !== undefined) writeFileSync(output.html, htmlOf(options, result, verdicts))
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
