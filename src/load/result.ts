// What a load tells when it is over.
import type { Histogram } from 'node:perf_hooks'
import type { GeneratorUse } from './generator.js'
import type { Latencies } from './latencies.js'
import type { Disorder } from './sequence.js'
import type { Interval } from './timeline.js'

/** Latencies in microseconds: per batch or, at a fixed rate, per message from the moment at which it was due. */
export interface Latency {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface LoadResult {
  /** Messages that were answered, and the seconds that this took. */
  readonly messages: number
  readonly seconds: number
  readonly messagesPerSecond: number
  /** Payload that was sent and answered, before compression. */
  readonly megabytesPerSecond: number
  /** Bytes that came back, as they travel: compressed if the messages were, and with the headers of frames. */
  readonly receivedMegabytesPerSecond: number
  /** The same of what was sent. */
  readonly sentMegabytesPerSecond: number
  /** What the server has answered to the offer of permessage-deflate; undefined if none was made. */
  readonly negotiated: string | undefined
  /** Messages that the server sent before the client had sent any. They are no answers. */
  readonly greetings: number
  readonly latency: Latency
  /** How many latencies fall into each bucket. The buckets end at 1, 2, 5, 10, 20, 50 ... microseconds. */
  readonly histogram: readonly (readonly [microseconds: number, count: number])[]
  /** What became of the messages of the whole load, warm-up included, if they had sequence numbers. */
  readonly disorder: Disorder | undefined
  /** How many receivers of a fan-out have not got each message once and in order. */
  readonly disorderlyReceivers?: number
  /** The latencies that were recorded, and how long the connections took to open; in nanoseconds. */
  readonly latencies: Latencies
  readonly connecting: Latencies
  /** At a fixed rate: how late messages were sent, in nanoseconds. */
  readonly lateness: Latencies
  readonly intervals: readonly Interval[]
  readonly generator: GeneratorUse
  /** What else was counted, by name: each pattern has counts of its own. */
  readonly counts?: Readonly<Record<string, number>>
  /** How many connections were refused, by status or by why, where a pattern goes on without them. */
  readonly refusals?: Readonly<Record<string, number>>
  /** Why the load ended early; undefined if it did not. */
  readonly error: string | undefined
}

/** What a histogram of nanoseconds says in microseconds. */
export function latencyOf(histogram: Pick<Histogram, 'count' | 'max' | 'percentile'>): Latency {
  const { count, max } = histogram
  const at = (quantile: number): number => (count === 0 ? 0 : histogram.percentile(quantile) / 1000)
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: count === 0 ? 0 : max / 1000 }
}
