// The line of JSON that a load ends with: the members that it has always had, all that was measured, and `metrics` in the shape of
// k6's summary (what its handleSummary is given), so that what reads one reads the other.
import type { Latencies } from '../../load/latencies.js'
import type { LoadOptions, LoadResult } from '../../load/load.js'
import type { Found } from '../../load/search.js'
import type { BenchCommand } from './arguments.js'
import { searchOf } from './find.js'
import { errorsOf, type Verdict } from './threshold.js'

type Bench = Extract<BenchCommand, { name: 'bench' }>

/** Everything a program needs to compare this load with another. */
export function jsonOf(bench: Bench, result: LoadResult, verdicts: readonly Verdict[], search?: Found): string {
  const { load, processes, find = 0 } = bench
  const { reach, more, ...options } = load
  const { latencies: _, connecting: __, lateness: ___, disorder, ...measured } = result
  return JSON.stringify({
    version: 1,
    ...options,
    processes,
    url: load.url.href,
    ...(more && { more: more.map(({ href }) => href) }),
    ...(reach?.unix !== undefined && { unix: reach.unix }),
    ...measured,
    ...(disorder && { disorder }),
    error: result.error ?? null,
    ...(search && { search: searchOf(search, find) }),
    metrics: metricsOf(load, result, verdicts),
  })
}

interface Metric {
  readonly type: 'counter' | 'trend' | 'gauge'
  readonly contains: 'default' | 'time' | 'data'
  readonly values: Readonly<Record<string, number>>
  readonly thresholds?: Readonly<Record<string, { readonly ok: boolean }>>
}

/** Names that k6 has are k6's; the others are ours. Times are in milliseconds. */
function metricsOf(options: LoadOptions, result: LoadResult, verdicts: readonly Verdict[]): Record<string, Metric> {
  const { seconds, latencies, connecting } = result
  const bytes = (megabytesPerSecond: number): number => Math.round(megabytesPerSecond * 1e6 * seconds)
  const held = (...of: string[]): Pick<Metric, 'thresholds'> => thresholdsOf(verdicts, of)
  return {
    ws_sessions: counter(result.counts?.['opened'] ?? options.connections, seconds),
    ws_connecting: { ...trend(connecting), ...held('connecting') },
    ws_msgs_sent: counter(sentIn(options, result), seconds),
    ws_msgs_received: { ...counter(receivedIn(options, result), seconds), ...held('rate', 'count') },
    data_sent: { ...counter(bytes(result.sentMegabytesPerSecond), seconds), contains: 'data' },
    data_received: { ...counter(bytes(result.receivedMegabytesPerSecond), seconds), contains: 'data' },
    ws_message_latency: { ...trend(latencies), ...held('latency') },
    ws_message_errors: { ...counter(errorsOf(result), seconds), ...held('errors') },
  }
}

/** Messages that were sent and answered; of other patterns, what they have sent. */
function sentIn({ pattern }: LoadOptions, { messages, counts }: LoadResult): number {
  if (pattern?.name === 'fanout') return counts?.['published'] ?? 0
  return pattern?.name === 'connect' || pattern?.name === 'script' ? 0 : messages
}

function receivedIn({ pattern }: LoadOptions, { messages, counts }: LoadResult): number {
  if (pattern?.name === 'reply') return messages * pattern.answers
  if (pattern?.name === 'script') return counts?.['received'] ?? 0
  return pattern?.name === 'connect' ? 0 : messages
}

function counter(count: number, seconds: number): Metric {
  return { type: 'counter', contains: 'default', values: { count, rate: seconds > 0 ? count / seconds : 0 } }
}

function trend(latencies: Latencies): Metric {
  const { mean, min, max } = latencies
  const [med = 0, p90 = 0, p95 = 0, p99 = 0] = latencies.percentiles([50, 90, 95, 99])
  const values = { avg: mean, min, med, max, 'p(90)': p90, 'p(95)': p95, 'p(99)': p99 }
  const inMilliseconds = Object.entries(values).map(([name, nanoseconds]) => [name, nanoseconds / 1e6])
  return { type: 'trend', contains: 'time', values: Object.fromEntries(inMilliseconds) }
}

function thresholdsOf(verdicts: readonly Verdict[], of: readonly string[]): Pick<Metric, 'thresholds'> {
  const isOne = ({ threshold: { statistic, metric } }: Verdict): boolean =>
    of.includes(['rate', 'count', 'errors'].includes(statistic) ? statistic : metric)
  const those = verdicts.filter(isOne).map(({ threshold, ok }) => [threshold.text, { ok }])
  return those.length === 0 ? {} : { thresholds: Object.fromEntries(those) }
}
