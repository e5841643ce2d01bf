// What happened when: a load is cut into intervals, so that a chart can show them, and two loads be compared by their spread.
import { Latencies, type Recorded } from './latencies.js'

/** An interval of a load. */
export interface Interval {
  /** When it ended, in seconds since the measuring began, and how long it was. */
  readonly at: number
  readonly seconds: number
  readonly messagesPerSecond: number
  /** Latencies in microseconds. */
  readonly p50: number
  readonly p99: number
  /** What was lost, doubled or reordered until then. */
  readonly errors: number
}

/** What is measured: the timeline looks at it whenever an interval ends. */
interface Measured {
  readonly messages: number
  readonly latency: Latencies
  readonly errors: number
}

/** The length of an interval, in milliseconds: a twentieth of a load, but one that a person can follow. */
const PARTS = 20
const SHORTEST = 50
const LONGEST = 1000

export class Timeline {
  readonly intervals: Interval[] = []
  readonly #measured: Measured
  readonly #told: ((interval: Interval, recorded: () => Recorded) => void) | undefined
  readonly #before = new Latencies()
  #messages = 0
  #began = 0
  #last = 0
  #timer: NodeJS.Timeout | undefined

  /** `told` is called with each interval when it ends, and with what makes its latencies. */
  constructor(measured: Measured, told?: (interval: Interval, recorded: () => Recorded) => void) {
    this.#measured = measured
    this.#told = told
  }

  /** The measuring begins now, and is to take so many seconds. */
  begin(duration: number): void {
    this.#began = performance.now()
    this.#last = this.#began
    const length = Math.min(Math.max((duration * 1000) / PARTS, SHORTEST), LONGEST)
    this.#timer = setInterval(() => this.#cut(), length)
  }

  /** The measuring is over. A rest that is too short to say anything is no interval. */
  end(): void {
    clearInterval(this.#timer)
    if (performance.now() - this.#last >= SHORTEST / 2) this.#cut()
  }

  #cut(): void {
    const { messages, latency, errors } = this.#measured
    const now = performance.now()
    const seconds = (now - this.#last) / 1000
    const [p50 = 0, p99 = 0] = latency.percentiles([50, 99], this.#before).map((value) => value / 1000)
    const interval: Interval = {
      at: (now - this.#began) / 1000,
      seconds,
      messagesPerSecond: (messages - this.#messages) / seconds,
      p50,
      p99,
      errors,
    }
    this.intervals.push(interval)
    this.#told?.(interval, () => latency.recordedSince(this.#before))
    this.#before.copy(latency)
    this.#messages = messages
    this.#last = now
  }
}
