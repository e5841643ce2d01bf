// The numbers of one or several processes, as the object of `server.metrics()` and as what processes tell each other.
import { type MetricName, metricNames, SIZE, startOf, widthOf } from './places.js'
import { bounds, type DurationHistogram, type Metrics, metricTable } from './table.js'

/** Numbers that are not 0, each by the name of its metric and the values of its labels: processes may be of two versions. */
export type Told = Readonly<Record<string, number>>

/** The names of all numbers, in the order of their places. */
const names = metricNames.flatMap((metric) =>
  Array.from({ length: widthOf(metric) }, (_, at) => `${metric} ${labelsAt(metric, at)}`.trim()),
)
const placeOfName = new Map(names.map((name, place) => [name, place]))
const isGauge = metricNames.flatMap((metric) =>
  new Array<boolean>(widthOf(metric)).fill(metricTable[metric].kind === 'gauge'),
)

/** The values of the labels of the number `at` of a metric: of a histogram, the bound of a bucket, or `sum`. */
function labelsAt(metric: MetricName, at: number): string {
  if (metricTable[metric].kind === 'histogram') return String([...bounds, Infinity, 'sum'][at])
  const values: string[] = []
  let rest = at
  for (const all of Object.values(metricTable[metric].labels).toReversed()) {
    values.unshift(all[rest % all.length] ?? '')
    rest = Math.floor(rest / all.length)
  }
  return values.join(' ')
}

/** What another process is told of these numbers. */
export function tell(values: Float64Array): Told {
  const told: Record<string, number> = {}
  for (const [place, value] of values.entries()) if (value !== 0) told[names[place] ?? ''] = value
  return told
}

/** Whether another process may have told this. */
export function isTold(value: unknown): value is Told {
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).every((number) => typeof number === 'number')
}

/** The sum of what several processes have told. What this version does not know is left out. */
export function sumOf(all: readonly Told[]): Float64Array {
  const sum = new Float64Array(SIZE)
  for (const told of all) {
    for (const [name, value] of Object.entries(told)) {
      const place = placeOfName.get(name)
      if (place !== undefined) sum[place] = (sum[place] ?? 0) + value
    }
  }
  return sum
}

/** What remains of a process that has ended: its counters, and not what it held. */
export function remainsOf(told: Told): Told {
  return Object.fromEntries(Object.entries(told).filter(([name]) => isGauge[placeOfName.get(name) ?? -1] === false))
}

/** The object that applications get. */
export function metricsOf(values: Float64Array): Metrics {
  const made: object = Object.fromEntries(metricNames.map((metric) => [metric, memberOf(values, metric)]))
  return made as Metrics
}

function memberOf(values: Float64Array, metric: MetricName): unknown {
  const start = startOf(metric)
  const { kind, labels } = metricTable[metric]
  if (kind === 'histogram') return histogramAt(values, start)
  return nested(values, start, Object.values(labels))
}

function nested(values: Float64Array, start: number, [first, ...rest]: readonly (readonly string[])[]): unknown {
  if (first === undefined) return values[start] ?? 0
  const width = rest.reduce((product, label) => product * label.length, 1)
  return Object.fromEntries(first.map((value, at) => [value, nested(values, start + at * width, rest)]))
}

function histogramAt(values: Float64Array, start: number): DurationHistogram {
  let count = 0
  const buckets = bounds.map((seconds, at) => {
    count += values[start + at] ?? 0
    return { seconds, count }
  })
  const longer = values[start + bounds.length] ?? 0
  return { buckets, count: count + longer, sum: values[start + bounds.length + 1] ?? 0 }
}
