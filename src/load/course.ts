// How a load goes, whatever its connections do: when it begins and ends, what counts meanwhile, and what is told of it.
import { once, setMaxListeners } from 'node:events'
import { bucketsOf } from './buckets.js'
import { Generator } from './generator.js'
import { Latencies, type Recorded } from './latencies.js'
import type { LoadOptions } from './options.js'
import type { Others } from './others.js'
import { type LoadResult, latencyOf } from './result.js'
import type { Disorder } from './sequence.js'
import { type Interval, Timeline } from './timeline.js'

/** What is told of a load while it runs. */
export interface LoadWatch {
  /** All connections are open: the load begins when the promise is fulfilled. */
  opened?(): Promise<void>
  /** An interval is over; `recorded` makes the latencies of it. */
  interval?(interval: Interval, recorded: () => Recorded): void
  /** The other processes of this load. Default: there are none. */
  readonly others?: Others
}

/** Called when the warm-up is over, and when the time is, before the connections end. */
export interface Moments {
  readonly measuring: (() => void) | undefined
  readonly measured: (() => void) | undefined
}

/** A kind of load. */
export interface Course {
  readonly stop: () => void
  /** Opens what must be open before the load begins. Rejects with a ConnectError if it can't be opened. */
  open(): Promise<void>
  measure(moments: Moments): Promise<LoadResult>
  /** Ends all connections. */
  close(): Promise<void>
}

/** What a kind of load adds to its result. */
interface Told {
  readonly negotiated?: string | undefined
  readonly disorder?: Disorder | undefined
  readonly error?: string | undefined
  readonly counts?: LoadResult['counts']
  readonly refusals?: LoadResult['refusals']
}

export class Measurement {
  readonly latency = new Latencies()
  readonly connecting = new Latencies()
  readonly generator = new Generator()
  stopped = false
  measuring = false
  messages = 0
  bytes = 0
  sent = 0
  greetings = 0
  heard = 0
  /** When it began to measure; 0 before. */
  started = 0
  readonly #options: LoadOptions
  readonly #timeline: Timeline
  /** Aborts when the load is over, for whatever reason. */
  readonly #over = new AbortController()
  #error: string | undefined

  constructor(options: LoadOptions, { interval }: LoadWatch) {
    this.#options = options
    this.#timeline = new Timeline(this, interval)
    setMaxListeners(0, this.signal)
  }

  /** What was lost, doubled or reordered, or went wrong otherwise, so far. */
  get errors(): number {
    return 0
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  get error(): string | undefined {
    return this.#error
  }

  readonly stop = (): void => this.#over.abort()

  /** The load can't go on. */
  failed(reason: string): void {
    if (!this.signal.aborted) this.#error ??= reason
    this.stop()
  }

  /** Begins to measure, for about so many seconds. */
  begin(seconds: number, measuring: (() => void) | undefined): void {
    this.measuring = true
    this.started = performance.now()
    this.#timeline.begin(seconds)
    this.generator.begin()
    measuring?.()
  }

  /** Ends to measure; returns the seconds that it took. */
  end(measured: (() => void) | undefined): number {
    if (!this.measuring) return 0
    const seconds = (performance.now() - this.started) / 1000
    this.#timeline.end()
    measured?.()
    return seconds
  }

  /** Runs `load` until the time is over, or the load is. Returns the seconds that were measured. */
  async timed(load: () => void, { measuring, measured }: Moments): Promise<number> {
    const { duration, warmup } = this.#options
    if (this.signal.aborted) return 0
    const over = once(this.signal, 'abort')
    // A timer that is late must not make the measured time shorter, so the second one starts with the first one's end.
    let timer = setTimeout(() => {
      this.begin(duration, undefined)
      timer = setTimeout(this.stop, duration * 1000)
      measuring?.()
    }, warmup * 1000)
    load()
    await over
    clearTimeout(timer)
    return this.end(measured)
  }

  result(seconds: number, { negotiated, disorder, error = this.#error, counts, refusals }: Told): LoadResult {
    const { messages, bytes, sent, greetings, latency, connecting } = this
    const rate = seconds > 0 ? messages / seconds : 0
    return {
      messages,
      seconds,
      messagesPerSecond: rate,
      megabytesPerSecond: (rate * this.#options.size) / 1e6,
      receivedMegabytesPerSecond: seconds > 0 ? bytes / seconds / 1e6 : 0,
      sentMegabytesPerSecond: seconds > 0 ? sent / seconds / 1e6 : 0,
      negotiated,
      greetings,
      latency: latencyOf(latency),
      histogram: bucketsOf(latency),
      disorder,
      latencies: latency,
      connecting,
      intervals: this.#timeline.intervals,
      lateness: this.generator.lateness,
      generator: this.generator.end(this.#options.rate),
      ...(counts && { counts }),
      ...(refusals && { refusals }),
      error,
    }
  }
}
