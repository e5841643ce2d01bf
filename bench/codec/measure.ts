// Runs one comparison with tinybench. A call is timed with a clock that costs more than unmasking 20 bytes, so short
// operations are repeated inside of each timed call, and the figures are medians: others use the machine, too.
import { Bench } from 'tinybench'

/** One way to do the work of a case. */
export interface Contender {
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

/** Contenders that do the same work. */
export interface Case {
  readonly label: string
  /** Bytes that one operation handles. */
  readonly length: number
  readonly contenders: readonly Contender[]
  /** Operations in each timed call; by default as many as make the clock's cost vanish. */
  readonly repeats?: number
  /** Operations that one run of a contender's body counts for, such as the frames of a span. */
  readonly perRun?: number
  free?(): void
}

export interface Suite {
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

export interface SuiteResult {
  readonly name: string
  readonly note: string
  readonly operation: string
  readonly cases: readonly CaseResult[]
  readonly conclusion: string | null
}

/** Bytes that a timed call handles at least, and the most operations it consists of. */
const BYTES_A_CALL = 64 * 1024
const MOST_REPEATS = 256

export async function runSuite(suite: Suite, quick: boolean): Promise<SuiteResult> {
  const cases: CaseResult[] = []
  for (const one of suite.cases()) {
    cases.push({ label: one.label, length: one.length, rows: await measure(one, quick) })
    one.free?.()
  }
  const { name, note, operation } = suite
  return { name, note, operation, cases, conclusion: suite.conclude?.(cases) ?? null }
}

async function measure({ contenders, length, repeats, perRun = 1 }: Case, quick: boolean): Promise<Row[]> {
  const times = quick ? 1 : (repeats ?? Math.min(MOST_REPEATS, Math.ceil(BYTES_A_CALL / (length + 1))))
  const bench = new Bench({
    time: quick ? 1 : 150,
    iterations: quick ? 1 : 8,
    warmup: !quick,
    warmupTime: 40,
    warmupIterations: 2,
    throws: true,
  })
  for (const { name, run } of contenders) bench.add(name, () => run(times))
  const tasks = await bench.run()
  const figures = tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${name} was not measured: it is ${result.state}`)
    const nanoseconds = (result.latency.p50 * 1e6) / (times * perRun)
    return { name, nanoseconds, samples: result.latency.samplesCount }
  })
  return withRatios(contenders, figures)
}

type Figure = Pick<Row, 'name' | 'nanoseconds' | 'samples'>

function withRatios(contenders: readonly Contender[], figures: readonly Figure[]): Row[] {
  const ours = new Set(contenders.filter((contender) => contender.ours).map(({ name }) => name))
  const best = Math.min(...figures.filter(({ name }) => !ours.has(name)).map(({ nanoseconds }) => nanoseconds))
  return figures.map((figure) => ({
    ...figure,
    ours: ours.has(figure.name),
    operationsPerSecond: 1e9 / figure.nanoseconds,
    timesBestPeer: Number.isFinite(best) ? best / figure.nanoseconds : null,
  }))
}

/** A contender whose operation is a plain function, called `repeats` times. */
export function contender(name: string, operation: () => unknown, ours = false): Contender {
  return {
    name,
    ours,
    run(repeats) {
      for (let at = 0; at < repeats; at++) operation()
      return undefined
    },
  }
}
