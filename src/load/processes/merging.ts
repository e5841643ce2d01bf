// What the processes of a load have measured, as one result: counts are summed, and latencies are merged as histograms, because
// the percentile of all can't be told from the percentiles of each.
import { bucketsOf } from '../buckets.js'
import { disorderOf } from '../disorder.js'
import { limitOf } from '../generator.js'
import { Latencies, type Recorded } from '../latencies.js'
import type { LoadOptions } from '../options.js'
import { type LoadResult, latencyOf } from '../result.js'
import type { Disorder } from '../sequence.js'
import type { Interval } from '../timeline.js'

/** What all have found; there must be at least one. `intervals` are those of all, merged already. */
export function mergedOf(
  results: readonly LoadResult[],
  intervals: readonly Interval[],
  options: LoadOptions,
): LoadResult {
  const sum = (of: (result: LoadResult) => number): number => results.reduce((total, one) => total + of(one), 0)
  const counts = named(results, 'counts')
  const messages = messagesOf(results, options, counts.counts)
  const seconds = Math.max(...results.map((one) => one.seconds))
  const perSecond = (of: (result: LoadResult) => number): number =>
    seconds > 0 ? sum((one) => of(one) * one.seconds) / seconds : 0
  const latencies = histogramOf(results, 'latencies')
  const lateness = histogramOf(results, 'lateness')
  const disorder = {
    disorder: summed(results),
    ...(results.some(({ disorderlyReceivers }) => disorderlyReceivers !== undefined) && {
      disorderlyReceivers: sum(({ disorderlyReceivers = 0 }) => disorderlyReceivers),
    }),
  }
  return {
    messages,
    seconds,
    messagesPerSecond: seconds > 0 ? messages / seconds : 0,
    megabytesPerSecond: perSecond((one) => one.megabytesPerSecond),
    receivedMegabytesPerSecond: perSecond((one) => one.receivedMegabytesPerSecond),
    sentMegabytesPerSecond: perSecond((one) => one.sentMegabytesPerSecond),
    negotiated: results.find(({ negotiated }) => negotiated !== undefined)?.negotiated,
    greetings: sum((one) => one.greetings),
    latency: latencyOf(latencies),
    histogram: bucketsOf(latencies),
    ...disorder,
    latencies,
    connecting: histogramOf(results, 'connecting'),
    lateness,
    intervals,
    generator: generatorOf(results, lateness, options),
    ...counts,
    ...named(results, 'refusals'),
    error: errorOf(results, { ...disorder, ...counts }, options),
  }
}

/** An interval, and the latencies of it. */
export interface RecordedInterval {
  readonly interval: Interval
  readonly recorded: Recorded
}

/** An interval of each process as one interval. */
export function mergedInterval(parts: readonly RecordedInterval[]): RecordedInterval {
  const latencies = new Latencies()
  for (const { recorded } of parts) latencies.add(recorded)
  const of = (value: (interval: Interval) => number): number[] => parts.map(({ interval }) => value(interval))
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
  const [p50 = 0, p99 = 0] = latencies.percentiles([50, 99]).map((value) => value / 1000)
  const messagesPerSecond = sum(of((one) => one.messagesPerSecond))
  const messages = sum(of((one) => one.messagesPerSecond * one.seconds))
  const interval: Interval = {
    at: Math.max(...of(({ at }) => at)),
    // The product of both is the number of messages, also where the processes have cut their intervals differently.
    seconds: messages > 0 ? messages / messagesPerSecond : sum(of(({ seconds }) => seconds)) / parts.length,
    messagesPerSecond,
    p50,
    p99,
    errors: sum(of(({ errors }) => errors)),
  }
  return { interval, recorded: latencies.recorded }
}

function histogramOf(results: readonly LoadResult[], name: 'latencies' | 'connecting' | 'lateness'): Latencies {
  const all = new Latencies()
  for (const result of results) all.add(result[name].recorded)
  return all
}

/** What is counted by name: the sums of all names. */
function named(results: readonly LoadResult[], member: 'counts' | 'refusals'): Pick<LoadResult, typeof member> {
  const sums: Record<string, number> = {}
  for (const result of results) {
    for (const [name, count] of Object.entries(result[member] ?? {})) sums[name] = (sums[name] ?? 0) + count
  }
  return results.some((result) => result[member] !== undefined) ? { [member]: sums } : {}
}

function summed(results: readonly LoadResult[]): Disorder | undefined {
  if (results.every(({ disorder }) => disorder === undefined)) return undefined
  const sum = (name: keyof Disorder): number =>
    results.reduce((total, { disorder }) => total + (disorder?.[name] ?? 0), 0)
  return { lost: sum('lost'), doubled: sum('doubled'), reordered: sum('reordered') }
}

/** Messages of all; where a script of one process has heard any, ticks are no messages. */
function messagesOf(
  results: readonly LoadResult[],
  { pattern }: LoadOptions,
  counts: LoadResult['counts'] = {},
): number {
  if (pattern?.name === 'script') return counts['received'] || (counts['ticks'] ?? 0)
  return results.reduce((sum, { messages }) => sum + messages, 0)
}

/** What one of them has found besides disorder, or else the disorder of all. */
function errorOf(
  results: readonly LoadResult[],
  all: Pick<LoadResult, 'disorder' | 'disorderlyReceivers' | 'counts'>,
  options: LoadOptions,
): string | undefined {
  const isDisorder = (one: LoadResult): boolean => one.error !== undefined && one.error === disorderOf(one, options)
  const other = results.find((result) => result.error !== undefined && !isDisorder(result))
  return other === undefined && results.some(isDisorder) ? disorderOf(all, options) : other?.error
}

function generatorOf(
  results: readonly LoadResult[],
  lateness: Latencies,
  { rate, pattern }: LoadOptions,
): LoadResult['generator'] {
  const shares = results.map(({ generator }) => generator.cpu)
  const late = lateness.percentile(99) / 1e6
  return {
    cpu: shares.reduce((total, share) => total + share, 0),
    loopDelay: Math.max(...results.map(({ generator }) => generator.loopDelay)),
    late,
    // Those that only receive of a fan-out are never late, and do not spin: they are the limit when they are busy.
    limit: limitOf(rate, shares, late) ?? (pattern?.name === 'fanout' ? limitOf(0, shares.slice(1), 0) : undefined),
  }
}
