// What `millrace bench` prints for a person: the load in a sentence, then rate, latencies and a histogram.
import type { LoadOptions, LoadResult } from '../../load/load.js'
import { formatSize } from '../units.js'
import type { Verdict } from './threshold.js'
import { plural, time, whole } from './words.js'

const BAR = 40
const NAMES = { binary: 'binary', text: 'text', utf8: 'multi-byte text', deflate: 'compressed text' } as const

/** What is being measured. */
export function heading(options: LoadOptions): string {
  return `Measuring ${loadOf(options).replaceAll('. ', '\n')}`
}

/** The load in three sentences: where to, what, and from when a message is charged. */
export function loadOf(options: LoadOptions): string {
  const { url, more = [], connections, size, pipeline, duration, kind, rate } = options
  const pace = rate > 0 ? `${whole(rate)} per second on schedule` : `${whole(pipeline)} in flight on each`
  const length = size < 1024 ? `${size} bytes` : formatSize(size)
  const sent = `${NAMES[kind]} messages of ${length}, ${pace}`
  const loop =
    rate > 0
      ? 'Open loop: each message is charged from the moment at which it was due'
      : 'Closed loop: what is sent waits for the answers to what was sent before'
  const others = more.length === 0 ? '' : ` and ${whole(more.length)} more`
  return `${url.href}${others} for ${duration} s. ${plural(connections, 'connection')}, ${sent}. ${loop}`
}

/** What was measured. */
export function report(options: LoadOptions, result: LoadResult, verdicts: readonly Verdict[] = []): string {
  const { messages, seconds, messagesPerSecond, latency, histogram, error } = result
  const echoes = options.verify ? 'echoes compared' : 'echoes counted'
  return `
rate       ${whole(messagesPerSecond)} messages/s
           ${throughput(options, result)}${negotiated(result)}
messages   ${whole(messages)} in ${seconds.toFixed(2)} s, ${echoes}${greeted(result)}
errors     ${error ?? 'none'}${ordered(result)}
generator  ${generatorOf(result)}

latency    ${latencyOf(options)}
${Object.entries(latency)
  .map(([name, micros]) => `  ${name.replace('p999', 'p99.9').padEnd(9)}${time(micros).padStart(8)}\n`)
  .join('')}
${bars(histogram)}${held(verdicts)}`
}

/** Answers are as long as what was sent, or the load fails; compressed ones tell their length only as they travel. */
function throughput({ kind }: LoadOptions, result: LoadResult): string {
  const { megabytesPerSecond, receivedMegabytesPerSecond, sentMegabytesPerSecond } = result
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

function latencyOf({ rate, pipeline }: LoadOptions): string {
  if (rate > 0) return 'from when a message was due to its answer'
  return pipeline === 1 ? 'from a message to its answer' : `from ${whole(pipeline)} messages to the last answer`
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
