// Whether a load has gone otherwise than an earlier one: the intervals of both are samples, of which the means of the logarithms are
// compared (Welch's interval), so that a difference is told with how sure it is.
import { readFileSync } from 'node:fs'
import type { Interval } from '../../load/timeline.js'
import { UsageError } from '../options.js'

/** Two-sided, 95 %, by degrees of freedom from 1 on; beyond the table, what the normal distribution has. */
const QUANTILES = [
  ...[12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131],
  ...[2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042],
]
const LARGE = 1.96
/** With fewer intervals there is no saying. */
const FEWEST = 3

/** By what factor something has changed, and the ends of the confidence interval. */
export interface Change {
  readonly factor: number
  readonly from: number
  readonly to: number
}

/** The change from `before` to `after`; undefined where there is too little to say. */
export function changeOf(before: readonly number[], after: readonly number[]): Change | undefined {
  const [a, b] = [before, after].map((values) => momentsOf(values.filter((value) => value > 0).map(Math.log)))
  if (a === undefined || b === undefined || Math.min(a.count, b.count) < FEWEST) return undefined
  const [va, vb] = [a.variance / a.count, b.variance / b.count]
  const freedom = va + vb === 0 ? Infinity : (va + vb) ** 2 / (va ** 2 / (a.count - 1) + vb ** 2 / (b.count - 1))
  const margin = (QUANTILES[Math.floor(freedom) - 1] ?? LARGE) * Math.sqrt(va + vb)
  const difference = b.mean - a.mean
  return { factor: Math.exp(difference), from: Math.exp(difference - margin), to: Math.exp(difference + margin) }
}

function momentsOf(values: readonly number[]): { count: number; mean: number; variance: number } {
  const count = values.length
  const mean = values.reduce((sum, value) => sum + value, 0) / count
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1)
  return { count, mean, variance }
}

/** The intervals in a file that an earlier load has written. Throws a UsageError where there are none. */
export function intervalsIn(file: string): readonly Interval[] {
  try {
    const { intervals } = JSON.parse(readFileSync(file, 'utf8'))
    if (Array.isArray(intervals) && intervals.every(isInterval)) return intervals
  } catch (error) {
    throw new UsageError(`--compare: ${file} can't be read (${error instanceof Error ? error.message : error})`)
  }
  throw new UsageError(`--compare: ${file} has no intervals: write it with millrace bench --json`)
}

function isInterval(value: unknown): value is Interval {
  return typeof value === 'object' && value !== null && 'messagesPerSecond' in value && 'p50' in value && 'p99' in value
}

/** What has changed, a line for each. */
export function comparisonOf(file: string, before: readonly Interval[], after: readonly Interval[]): string {
  const rows = [
    ['rate', ({ messagesPerSecond }: Interval) => messagesPerSecond, true],
    ['p50', ({ p50 }: Interval) => p50, false],
    ['p99', ({ p99 }: Interval) => p99, false],
  ] as const
  const lines = rows.map(
    ([name, of, more]) => `  ${name.padEnd(9)}${said(changeOf(before.map(of), after.map(of)), more)}`,
  )
  return [`compared   with ${file}, means of intervals, 95 % confidence`, ...lines].join('\n')
}

/** `more` is better, or less is. */
function said(change: Change | undefined, more: boolean): string {
  if (change === undefined) return 'too few intervals to compare'
  const { factor, from, to } = change
  const verdict = from <= 1 && to >= 1 ? 'no difference' : factor > 1 === more ? 'better' : 'worse'
  return `${percent(factor).padStart(8)}  (${percent(from)} to ${percent(to)})  ${verdict}`
}

function percent(factor: number): string {
  const value = (factor - 1) * 100
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(1)} %`
}
