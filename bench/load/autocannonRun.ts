// One run of autocannon, with percentiles of our own: its histogram holds whole milliseconds, and an echo takes less.
// Its `workers` are not used: client and server have a core each, so threads would only share the client's, and a
// worker's `setupClient` is a path, which can't be told a length. Above some 40,000 messages per second the client is the
// limit; src/load is for that.
import { createHistogram, performance } from 'node:perf_hooks'
import autocannon from 'autocannon'

/** Latencies in microseconds. */
export interface Latency {
  readonly p50: number
  readonly p97_5: number
  readonly p99: number
  readonly max: number
}

/** What one run found. */
export interface AutocannonRun {
  readonly name: string
  readonly length: number
  readonly connections: number
  readonly answers: number
  readonly answersPerSecond: number
  readonly megabytesPerSecond: number
  readonly latency: Latency
  /** Answers with another status than expected, connections that failed, requests without an answer. */
  readonly failures: number
}

export interface Target {
  readonly name: string
  /** Payload bytes of an answer. */
  readonly length: number
  /** The status that counts, and those that neither count nor fail. */
  readonly status: number
  readonly ignored?: number
  readonly options: autocannon.Options
}

/** Seconds that a run takes, and those before that don't count. */
export interface Timing {
  readonly seconds: number
  readonly warmup: number
}

export const QUICK: Timing = { seconds: 0.15, warmup: 0 }
export const FULL: Timing = { seconds: 3, warmup: 0.5 }
/** autocannon looks at the clock this often, in milliseconds. */
const SAMPLE = 50
const MICROSECOND = 1000

export async function autocannonRun(target: Target, { seconds, warmup }: Timing): Promise<AutocannonRun> {
  const histogram = createHistogram()
  const { status, ignored, length, options } = target
  let unexpected = 0
  const begin = performance.now() + warmup * 1000
  let end = begin
  const instance: unknown = autocannon({ sampleInt: SAMPLE, timeout: 5, ...options, duration: seconds + warmup })
  // It is an event emitter and a promise at once; its types say one or the other.
  const run = instance as autocannon.Instance & Promise<autocannon.Result>
  run.on('response', (_, code, __, milliseconds) => {
    if (code !== status) {
      if (code !== ignored) unexpected++
      return
    }
    const now = performance.now()
    if (now < begin) return
    end = now
    histogram.record(Math.max(1, Math.round(milliseconds * 1e6)))
  })
  const result = await run
  const answersPerSecond = histogram.count / Math.max((end - begin) / 1000, 1e-3)
  return {
    name: target.name,
    length,
    connections: result.connections,
    answers: histogram.count,
    answersPerSecond,
    megabytesPerSecond: (answersPerSecond * length) / 1e6,
    latency: latencyOf(histogram),
    failures: unexpected + result.errors,
  }
}

type Percentiles = Pick<ReturnType<typeof createHistogram>, 'percentile' | 'max' | 'count'>

function latencyOf(histogram: Percentiles): Latency {
  const at = (percent: number): number => (histogram.count === 0 ? 0 : histogram.percentile(percent) / MICROSECOND)
  return { p50: at(50), p97_5: at(97.5), p99: at(99), max: histogram.count === 0 ? 0 : histogram.max / MICROSECOND }
}
