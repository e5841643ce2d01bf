// Turns a histogram of node:perf_hooks, which tells percentiles only, into counts a person can look at.
import type { Histogram } from 'node:perf_hooks'

/** The upper end of a bucket in microseconds, and how many values were in it. */
export type Bucket = readonly [microseconds: number, count: number]

type Values = Pick<Histogram, 'count' | 'percentile'>

const STEPS = [1, 2, 5]
const NANOSECONDS = 1000

/** The buckets from the first that holds a value to the last. The histogram counts nanoseconds. */
export function bucketsOf(histogram: Values): Bucket[] {
  const { count } = histogram
  const buckets: Bucket[] = []
  let below = 0
  for (let index = 0; below < count; index++) {
    const edge = (STEPS[index % STEPS.length] ?? 1) * 10 ** Math.floor(index / STEPS.length)
    const upTo = countUpTo(histogram, edge * NANOSECONDS, below)
    if (upTo > 0) buckets.push([edge, upTo - below])
    below = upTo
  }
  return buckets
}

/** How many values are at most `value`, known to be `least` or more: the percentiles are searched for the last of them. */
function countUpTo(histogram: Values, value: number, least: number): number {
  let low = least
  let high = histogram.count
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    // A quarter less, so that neither rounding up nor rounding to the nearest makes it the next value.
    const nth = histogram.percentile(((middle - 0.25) / histogram.count) * 100)
    if (nth <= value) low = middle
    else high = middle - 1
  }
  return low
}
