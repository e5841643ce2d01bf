// What must hold for a load to pass, in the words of k6: 'p(99)<5', 'rate>1000', 'errors<1'.
import type { Latencies } from '../../load/latencies.js'
import type { LoadResult } from '../../load/load.js'
import { UsageError } from '../options.js'

const COMPARISONS = {
  '<': (a: number, b: number) => a < b,
  '<=': (a: number, b: number) => a <= b,
  '>': (a: number, b: number) => a > b,
  '>=': (a: number, b: number) => a >= b,
  '==': (a: number, b: number) => a === b,
  '!=': (a: number, b: number) => a !== b,
} as const
type Comparison = keyof typeof COMPARISONS

const SHAPE =
  /^(?:(latency|connecting):)?\s*(avg|min|med|max|rate|count|errors|p\((\d+(?:\.\d+)?)\))\s*(<=|>=|<|>|==|!=)\s*(\d+(?:\.\d+)?)$/

export interface Threshold {
  /** As it was typed. */
  readonly text: string
  /** Which times it is about, where it is about times. */
  readonly metric: 'latency' | 'connecting'
  readonly statistic: string
  readonly percent: number
  readonly comparison: Comparison
  readonly bound: number
}

/** A threshold, and what became of it. */
export interface Verdict {
  readonly threshold: Threshold
  readonly value: number
  readonly ok: boolean
}

/** Throws a UsageError for what is no threshold. */
export function parseThreshold(text: string): Threshold {
  const [, metric = 'latency', statistic = '', percent = '0', comparison = '<', bound = ''] =
    SHAPE.exec(text.trim()) ?? []
  if (statistic === '' || Number(percent) > 100) {
    throw new UsageError(
      `--threshold: ${JSON.stringify(text)} is not a threshold such as 'p(99)<5', 'connecting:p(95)<100', 'rate>1000' or 'errors<1'`,
    )
  }
  return {
    text: text.trim(),
    metric: metric === 'connecting' ? metric : 'latency',
    statistic,
    percent: Number(percent),
    comparison: comparison as Comparison,
    bound: Number(bound),
  }
}

/** Whether it holds. Times are in milliseconds. */
export function verdictOn(threshold: Threshold, result: LoadResult): Verdict {
  const value = measuredOf(threshold, result)
  // A load that has measured nothing holds nothing.
  const ok = result.messages > 0 && COMPARISONS[threshold.comparison](value, threshold.bound)
  return { threshold, value, ok }
}

function measuredOf({ statistic, percent, metric }: Threshold, result: LoadResult): number {
  if (statistic === 'rate') return result.messagesPerSecond
  if (statistic === 'count') return result.messages
  if (statistic === 'errors') return errorsOf(result)
  return timeOf(metric === 'latency' ? result.latencies : result.connecting, statistic, percent)
}

function timeOf(latencies: Latencies, statistic: string, percent: number): number {
  if (statistic === 'avg') return latencies.mean / 1e6
  if (statistic === 'min') return latencies.min / 1e6
  if (statistic === 'max') return latencies.max / 1e6
  return latencies.percentile(statistic === 'med' ? 50 : percent) / 1e6
}

/** Messages that were lost, doubled or reordered, and connections that failed; a failure of the whole load is one, too. */
export function errorsOf({ disorder, refusals = {}, error }: LoadResult): number {
  const { lost = 0, doubled = 0, reordered = 0 } = disorder ?? {}
  const counted = lost + doubled + reordered + Object.values(refusals).reduce((sum, count) => sum + count, 0)
  return counted > 0 ? counted : error === undefined ? 0 : 1
}
