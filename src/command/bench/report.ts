// What `millrace bench` prints for a person: the load in a sentence, then rate, latencies and a histogram.
import type { LoadOptions, LoadResult } from '../../load/load.js'
import { countedLines, latencyOf, sentencesOf, unitOf } from './patternWords.js'
import type { Verdict } from './threshold.js'
import { time, whole } from './words.js'

const BAR = 40

/** What is being measured. */
export function heading(options: LoadOptions): string {
  return `Measuring ${loadOf(options).replaceAll('. ', '\n')}`
}

/** The load in sentences. */
export function loadOf(options: LoadOptions): string {
  return sentencesOf(options)
}

/** What was measured. */
export function report(options: LoadOptions, result: LoadResult, verdicts: readonly Verdict[] = []): string {
  const { messages, seconds, messagesPerSecond, latency, histogram, error } = result
  const unit = unitOf(options)
  return `
rate       ${whole(messagesPerSecond)} ${unit}/s${throughput(options, result)}${negotiated(result)}
${unit.padEnd(11)}${whole(messages)} in ${seconds.toFixed(2)} s${checked(options)}${greeted(result)}${counted(result)}
errors     ${error ?? 'none'}${ordered(result)}
generator  ${generatorOf(result)}

latency    ${latencyOf(options)}
${Object.entries(latency)
  .map(([name, micros]) => `  ${name.replace('p999', 'p99.9').padEnd(9)}${time(micros).padStart(8)}\n`)
  .join('')}
${bars(histogram)}${held(verdicts)}`
}

/** Answers are as long as what was sent, or the load fails; compressed ones tell their length only as they travel. */
function throughput(options: LoadOptions, result: LoadResult): string {
  const said = throughputOf(options, result)
  return said === '' ? '' : `\n           ${said}`
}

function throughputOf({ kind, pattern }: LoadOptions, result: LoadResult): string {
  const { megabytesPerSecond, receivedMegabytesPerSecond, sentMegabytesPerSecond } = result
  if (pattern?.name === 'connect' || pattern?.name === 'churn') return ''
  if (pattern?.name === 'script') return `${megabytes(receivedMegabytesPerSecond)} received`
  if (pattern !== undefined)
    return `${megabytes(sentMegabytesPerSecond)} sent and ${megabytes(receivedMegabytesPerSecond)} received, as they travel`
  if (kind !== 'deflate') return `${megabytes(megabytesPerSecond)} each way`
  const travelled = `${megabytes(sentMegabytesPerSecond)} sent and ${megabytes(receivedMegabytesPerSecond)} received`
  return `${megabytes(megabytesPerSecond)} of text each way; ${travelled}, compressed`
}

function negotiated({ negotiated }: LoadResult): string {
  return negotiated === undefined ? '' : `\nextension  ${negotiated}`
}

function megabytes(perSecond: number): string {
  return `${perSecond.toFixed(perSecond < 10 ? 2 : 1)} MB/s`
}

function greeted({ greetings }: LoadResult): string {
  return greetings === 0 ? '' : `\ngreetings  ${whole(greetings)}, sent before the first message: not counted`
}

function counted(result: LoadResult): string {
  return countedLines(result)
    .map(([name, said]) => `\n${name.padEnd(11)}${said}`)
    .join('')
}

function checked({ verify, pattern }: LoadOptions): string {
  if (pattern !== undefined && !verify) return ''
  return verify ? ', echoes compared' : ', echoes counted'
}

/** A line for each bucket; whatever holds anything shows at least a thin bar. */
function bars(histogram: LoadResult['histogram']): string {
  const total = histogram.reduce((sum, [, count]) => sum + count, 0)
  const most = histogram.reduce((top, [, count]) => Math.max(top, count), 1)
  return histogram
    .map(([edge, count]) => {
      const length = Math.round((count / most) * BAR)
      const bar = count === 0 ? '' : length === 0 ? '▏' : '█'.repeat(length)
      return `  to ${time(edge).padStart(8)}  ${share(count / total).padStart(6)}  ${bar}`.trimEnd()
    })
    .join('\n')
}

function share(part: number): string {
  return part > 0 && part < 0.001 ? '<0.1%' : `${(part * 100).toFixed(1)}%`
}

function ordered({ disorder }: LoadResult): string {
  if (disorder === undefined) return ''
  const { lost, doubled, reordered } = disorder
  return `\nnumbers    ${whole(lost)} lost, ${whole(doubled)} doubled, ${whole(reordered)} reordered`
}

/** What the load client took, and a warning if the figures say more of it than of the server. */
function generatorOf({ generator: { cpu, loopDelay, limit } }: LoadResult): string {
  const took = `${Math.round(cpu * 100)} % of a core, event loop delayed by ${time(loopDelay * 1000)} (p99)`
  return limit === undefined ? took : `${took}\nwarning    the load generator was the limit: ${limit}`
}

function held(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ threshold: { text, statistic }, value, ok }) => {
    const unit = ['rate', 'count', 'errors'].includes(statistic) ? '' : ' ms'
    return `  ${ok ? 'holds' : 'FAILS'}  ${text} (${Number(value.toPrecision(4))}${unit})`
  })
  return lines.length === 0 ? '' : `\n\nthresholds\n${lines.join('\n')}`
}
