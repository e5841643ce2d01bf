// Runs one comparison with tinybench. A call is timed with a clock that costs more than unmasking 20 bytes, so short
// operations are repeated inside of each timed call, and the figures are medians: others use the machine, too.
import { Bench } from 'tinybench'
import { type TierLength, tiers } from '../support/tiers.js'
import { endCase } from './material.js'

/** One way to do the work of a case. */
export interface Way {
  readonly name: string
  /** millrace's own; all others are peers that it is compared with. */
  readonly ours?: boolean
  /**
   * Does the operation `repeats` times. May return how long that took, in milliseconds, where wall-clock time is not
   * what counts.
   */
  run(repeats: number): undefined | Promise<Duration>
}

/** How tinybench takes a duration that a task has measured for itself. */
export interface Duration {
  readonly overriddenDuration: number
}

/** Ways to do the same work: millrace's, and those of its peers. */
export interface Case {
  readonly label: string
  /** Bytes that one operation handles. */
  readonly length: number
  readonly ways: readonly Way[]
  /** Operations in each timed call; by default as many as make the clock's cost vanish. */
  readonly repeats?: number
  /** Operations that one run of a way's body counts for, such as the frames of a span. */
  readonly perRun?: number
}

/** What a case says of itself where its label and its length are those of a tier. */
export type Measured = Omit<Case, 'label' | 'length'>

/** One thing that the codec does. */
export interface Step {
  readonly name: string
  /** What each side does, so that a reader can judge whether it is fair. */
  readonly note: string
  /** What one operation is. */
  readonly operation: string
  cases(): Iterable<Case>
  /** What the figures say about a default, in a line. */
  conclude?(results: readonly CaseResult[]): string
}

export interface Row {
  readonly name: string
  readonly ours: boolean
  readonly nanoseconds: number
  readonly operationsPerSecond: number
  /** How many times as fast as the best peer: 2 takes half as long. Null where there is no peer. */
  readonly timesBestPeer: number | null
  readonly samples: number
}

export interface CaseResult {
  readonly label: string
  readonly length: number
  readonly rows: readonly Row[]
}

export interface StepResult {
  readonly name: string
  readonly note: string
  readonly operation: string
  readonly cases: readonly CaseResult[]
  readonly conclusion: string | null
}

/** Bytes that a timed call handles at least, and the most operations it consists of. */
const BYTES_PER_CALL = 64 * 1024
const MOST_REPEATS = 256

export async function runStep(step: Step, quick: boolean): Promise<StepResult> {
  const cases: CaseResult[] = []
  for (const one of step.cases()) {
    cases.push({ label: one.label, length: one.length, rows: await measure(one, quick) })
    endCase()
  }
  const { name, note, operation } = step
  return { name, note, operation, cases, conclusion: step.conclude?.(cases) ?? null }
}

async function measure({ ways, length, repeats, perRun = 1 }: Case, quick: boolean): Promise<Row[]> {
  const times = quick ? 1 : (repeats ?? Math.min(MOST_REPEATS, Math.ceil(BYTES_PER_CALL / (length + 1))))
  const bench = new Bench({
    time: quick ? 1 : 150,
    iterations: quick ? 1 : 8,
    warmup: !quick,
    warmupTime: 40,
    warmupIterations: 2,
    throws: true,
  })
  for (const { name, run } of ways) bench.add(name, () => run(times))
  const tasks = await bench.run()
  const figures = tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name} was not measured: it is ${result.state}`)
    const nanoseconds = (result.latency.p50 * 1e6) / (times * perRun)
    return { name, nanoseconds, samples: result.latency.samplesCount }
  })
  return withRatios(ways, figures)
}

type Figure = Pick<Row, 'name' | 'nanoseconds' | 'samples'>

function withRatios(ways: readonly Way[], figures: readonly Figure[]): Row[] {
  const ours = new Set(ways.filter((one) => one.ours).map(({ name }) => name))
  const best = Math.min(...figures.filter(({ name }) => !ours.has(name)).map(({ nanoseconds }) => nanoseconds))
  return figures.map((figure) => ({
    ...figure,
    ours: ours.has(figure.name),
    operationsPerSecond: 1e9 / figure.nanoseconds,
    timesBestPeer: Number.isFinite(best) ? best / figure.nanoseconds : null,
  }))
}

/** A way whose operation is a plain function, called `repeats` times. */
export function way(name: string, operation: () => unknown, ours = false): Way {
  return {
    name,
    ours,
    run(repeats) {
      for (let at = 0; at < repeats; at++) operation()
      return undefined
    },
  }
}

/** A step that is measured at each length. */
export function byTier(
  step: Omit<Step, 'cases'>,
  caseOf: (length: number) => Measured,
  lengths: readonly TierLength[] = tiers,
): Step {
  return {
    ...step,
    *cases() {
      for (const { label, length } of lengths) yield { label, length, ...caseOf(length) }
    },
  }
}

/** The figure of one way, in nanoseconds; NaN without one. */
export function timeOf(result: CaseResult | undefined, name: string): number {
  return result?.rows.find((row) => row.name === name)?.nanoseconds ?? Number.NaN
}
