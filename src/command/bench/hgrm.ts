// The latencies as HdrHistogram writes a percentile distribution (.hgrm), which its plotters read. Values are in milliseconds.
import { type Latencies, topOf } from '../../load/latencies.js'

export function hgrmOf(latencies: Latencies): string {
  const { count, mean, max } = latencies
  const steps = latencies.steps
  const lines = ['       Value     Percentile TotalCount 1/(1-Percentile)', '']
  let below = 0
  let variance = 0
  for (const [step, those] of steps) {
    below += those
    const value = Math.min(topOf(step), max)
    variance += (those / count) * (value - mean) ** 2
    const share = below / count
    const inverse = share === 1 ? '' : ` ${(1 / (1 - share)).toFixed(2).padStart(14)}`
    lines.push(`${milli(value).padStart(12)} ${share.toFixed(12)} ${String(below).padStart(10)}${inverse}`)
  }
  const summary = [
    `#[Mean    = ${milli(mean).padStart(12)}, StdDeviation   = ${milli(Math.sqrt(variance)).padStart(12)}]`,
    `#[Max     = ${milli(max).padStart(12)}, Total count    = ${String(count).padStart(12)}]`,
    '#[Buckets =           41, SubBuckets     =         1024]',
  ]
  return `${[...lines, ...summary].join('\n')}\n`
}

function milli(nanoseconds: number): string {
  return (nanoseconds / 1e6).toFixed(6)
}
