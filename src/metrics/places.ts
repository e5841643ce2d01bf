// Where the counters of each metric lie in one array of numbers, in the order of the table.
import { bounds, type Metrics, metricTable } from './table.js'

/** A metric of the table. */
export type MetricName = keyof Metrics

/** All metrics, in the order of the table. */
export const metricNames = Object.keys(metricTable) as readonly MetricName[]

const starts = new Map<MetricName, number>()
/** Where the numbers of each metric lie, by the value of its label. */
const labelled = new Map<MetricName, ReadonlyMap<string, number>>()
let size = 0
for (const name of metricNames) {
  const [values = []] = Object.values<readonly string[]>(metricTable[name].labels)
  const start = size
  starts.set(name, start)
  labelled.set(name, new Map(values.map((value, at) => [value, start + at])))
  size += widthOf(name)
}

/** Numbers of all metrics. */
export const SIZE = size

/** Where the numbers of a metric begin. */
export function startOf(name: MetricName): number {
  return starts.get(name) ?? 0
}

/** How many numbers a metric has: of a histogram, its buckets, those above all bounds, and the sum. */
export function widthOf(name: MetricName): number {
  const { kind, labels } = metricTable[name]
  if (kind === 'histogram') return bounds.length + 2
  return Object.values(labels).reduce((width, values) => width * values.length, 1)
}

/** Where the number of a metric with one label lies; undefined for a value that the label has not. */
export function placeOf(name: MetricName, value: string): number | undefined {
  return labelled.get(name)?.get(value)
}
