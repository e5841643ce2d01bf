// A histogram of times that can be merged, subtracted and written out, which those of node:perf_hooks can't: each octave has 1024
// steps, so a value is told within a tenth of a percent.

const BITS = 10
const STEPS = 2 ** BITS
/** Octaves above the first two, of which each value has a step of its own: up to 2^50 ns, which are thirteen days. */
const OCTAVES = 39
const LENGTH = STEPS * (OCTAVES + 2)
const LONGEST = 2 ** (BITS + 1 + OCTAVES) - 1
/** Beyond this, shifts of 32 bits do not do. */
const SHIFTED = 21

/** The step of a value, and how many values it has. */
export type Step = readonly [step: number, count: number]

export class Latencies {
  readonly #counts = new Float64Array(LENGTH)
  count = 0
  max = 0
  #sum = 0

  /** Records a time in nanoseconds. */
  record(nanoseconds: number): void {
    const value = Math.min(Math.max(nanoseconds, 1), LONGEST)
    const step = stepOf(value)
    this.#counts[step] = (this.#counts[step] ?? 0) + 1
    this.count++
    this.#sum += value
    if (value > this.max) this.max = value
  }

  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count
  }

  get min(): number {
    const step = this.#counts.findIndex((count) => count > 0)
    return step < 0 ? 0 : topOf(step - 1) + 1
  }

  /** The value that `percent` of all are at most, in nanoseconds. */
  percentile(percent: number): number {
    return this.percentiles([percent])[0] ?? 0
  }

  /** The same of several, which must ascend; `before` is an earlier copy, and only what came since then counts. */
  percentiles(percents: readonly number[], before?: Latencies): number[] {
    const count = this.count - (before?.count ?? 0)
    const earlier = before === undefined ? undefined : before.#counts
    if (count === 0) return percents.map(() => 0)
    const found: number[] = []
    let below = 0
    let step = -1
    for (const percent of percents) {
      const rank = Math.max(1, Math.ceil((percent / 100) * count))
      while (below < rank && step < LENGTH - 1) {
        step++
        below += (this.#counts[step] ?? 0) - (earlier?.[step] ?? 0)
      }
      found.push(Math.min(topOf(step), this.max))
    }
    return found
  }

  /** What was recorded, without the steps that have nothing. */
  get steps(): Step[] {
    const steps: Step[] = []
    for (const [step, count] of this.#counts.entries()) if (count > 0) steps.push([step, count])
    return steps
  }

  /** Adds what another has recorded, in this process or in another one. */
  add({ steps, sum, max }: Recorded): void {
    for (const [step, count] of steps) {
      this.#counts[step] = (this.#counts[step] ?? 0) + count
      this.count += count
    }
    this.#sum += sum
    this.max = Math.max(this.max, max)
  }

  /** All of it, for another process. */
  get recorded(): Recorded {
    return { steps: this.steps, sum: this.#sum, max: this.max }
  }

  /** What came since an earlier copy was made; the longest is that of all. */
  recordedSince(before: Latencies): Recorded {
    const steps: Step[] = []
    for (const [step, count] of this.#counts.entries()) {
      const earlier = before.#counts[step] ?? 0
      if (count > earlier) steps.push([step, count - earlier])
    }
    return { steps, sum: this.#sum - before.#sum, max: this.max }
  }

  /** Becomes a copy of `other`. */
  copy(other: Latencies): void {
    this.#counts.set(other.#counts)
    this.count = other.count
    this.max = other.max
    this.#sum = other.#sum
  }
}

/** What `Latencies` hold, in numbers. */
export interface Recorded {
  readonly steps: readonly Step[]
  readonly sum: number
  readonly max: number
}

function stepOf(value: number): number {
  if (value >= 2 ** 31) return SHIFTED * STEPS + stepOf(Math.floor(value / 2 ** SHIFTED))
  if (value < 2 * STEPS) return Math.floor(value)
  const octave = 31 - Math.clz32(value) - BITS
  return octave * STEPS + (value >>> octave)
}

/** The largest value of a step, in nanoseconds. */
export function topOf(step: number): number {
  if (step < 2 * STEPS) return step
  const octave = Math.floor(step / STEPS) - 1
  return (step - octave * STEPS + 1) * 2 ** octave - 1
}
