// Runs cases against a server: some at a time, each within its bounds, and none of them is kept from the next by a server
// that fails.

import { runAsClient, type Target, Unreachable } from './asClient.js'
import { type AnswerOptions, boundsOf } from './bounds.js'
import type { Case, Outcome } from './case.js'
import { type Deviation, verdictOf } from './deviation.js'

export interface RunOptions extends AnswerOptions {
  readonly target: Target
  readonly cases: readonly Case[]
  /** How many cases run at once. */
  readonly parallel: number
  /** Called with each outcome, in no order. */
  ended?(outcome: Outcome): void
}

/** So many cases in a row without a connection, and the server is gone. */
const GONE = 10

/** Runs the cases; their outcomes are in the order of the cases. Rejects with an Unreachable if the server is gone. */
export async function runCases(options: RunOptions): Promise<readonly Outcome[]> {
  const { cases, parallel } = options
  const run = new Run(options)
  // Heavy ones come last and one by one: they must not take the memory away that another case needs.
  await run.all(
    cases.filter(({ heavy }) => heavy !== true),
    parallel,
  )
  await run.all(
    cases.filter(({ heavy }) => heavy === true),
    1,
  )
  return cases.flatMap((one) => run.outcomes.get(one) ?? [])
}

class Run {
  readonly outcomes = new Map<Case, Outcome>()
  readonly #options: RunOptions
  #unreached = 0

  constructor(options: RunOptions) {
    this.#options = options
  }

  async all(cases: readonly Case[], parallel: number): Promise<void> {
    const left = cases.values()
    const work = async (): Promise<void> => {
      for (const one of left) await this.#run(one)
    }
    await Promise.all(Array.from({ length: Math.min(parallel, cases.length) }, work))
  }

  async #run(one: Case): Promise<void> {
    const { cases, ended } = this.#options
    if (this.#unreached >= GONE)
      throw new Unreachable(`can't be reached any more, after ${this.outcomes.size} of ${cases.length} cases`)
    const outcome = await runCase(one, this.#options)
    this.#unreached = outcome.came.startsWith(UNREACHABLE) ? this.#unreached + 1 : 0
    this.outcomes.set(one, outcome)
    ended?.(outcome)
  }
}

const UNREACHABLE = 'no connection: '

async function runCase(one: Case, options: RunOptions): Promise<Outcome> {
  const begun = performance.now()
  const { patience, bounds } = boundsOf(one, options)
  const deviations = await within(runAsClient(one, options.target, patience, bounds), options.timeout)
  return outcomeOf(one, deviations, performance.now() - begun)
}

/** A case that does not end by itself within its time fails. */
async function within(run: Promise<readonly Deviation[]>, timeout: number): Promise<readonly Deviation[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<readonly Deviation[]>((resolve) => {
    const deviation: Deviation = { weight: 'rule', expected: 'an end of the case', came: `none within ${timeout} ms` }
    timer = setTimeout(resolve, timeout, [deviation])
  })
  const failed = run.catch((error: unknown): readonly Deviation[] => {
    const why = error instanceof Error ? error.message : String(error)
    return [{ weight: 'rule', expected: 'a connection', came: `${UNREACHABLE}${why}` }]
  })
  const deviations = await Promise.race([failed, late])
  clearTimeout(timer)
  return deviations
}

/** The outcome of a case, with the first deviation that counts. */
export function outcomeOf(one: Case, deviations: readonly Deviation[], milliseconds: number): Outcome {
  const verdict = verdictOf(one, deviations)
  const worst = deviations.find(({ weight }) => weight === 'rule') ?? deviations[0]
  return {
    case: one,
    verdict,
    expected: worst?.expected ?? '',
    came: worst?.came ?? '',
    milliseconds: Math.round(milliseconds * 10) / 10,
  }
}
