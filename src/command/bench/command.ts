// `millrace bench`: runs a load until its time is over or somebody presses Ctrl+C, and prints what was measured.
import { constants } from 'node:os'
import { type LoadOptions, type LoadResult, load } from '../../load/load.js'
import type { BenchCommand } from './arguments.js'
import { heading, report } from './report.js'

/** One press of Ctrl+C can arrive twice, from the terminal and from npm: within this time, they are one. */
const SAME_SIGNAL = 300

/** Runs a load and prints it; returns the exit code. Rejects with a ConnectError if the server can't be reached. */
export async function bench({ load: options, json }: Extract<BenchCommand, { name: 'bench' }>): Promise<number> {
  const stopper = new Stopper()
  const result = await load(options, stopper.signal, () => {
    // A benchmark samples the server's CPU time from then on.
    if (json) console.error('measuring')
    else console.log(heading(options))
  })
  const measured = result.messages > 0
  if (json && (measured || stopper.stoppedBy === undefined)) console.log(jsonOf(options, result))
  else if (measured) console.log(report(options, result))
  if (result.error !== undefined) return fail(`${options.url.href} failed: ${result.error}`)
  if (measured) return 0
  if (stopper.stoppedBy === undefined) return fail(`${options.url.href} answered nothing in ${options.duration} s`)
  fail('stopped before anything was measured')
  return 128 + constants.signals[stopper.stoppedBy]
}

function fail(problem: string): number {
  console.error(`millrace: ${problem}`)
  return 1
}

/** Everything a program needs to compare this load with another. */
function jsonOf(options: LoadOptions, result: LoadResult): string {
  return JSON.stringify({ ...options, url: options.url.href, ...result, error: result.error ?? null })
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
