// How a report speaks of a load: what is sent, what a latency is, and what was counted, by its pattern.
import type { LoadOptions, LoadResult } from '../../load/load.js'
import { formatSize } from '../units.js'
import { plural, whole } from './words.js'

const KINDS = { binary: 'binary', text: 'text', utf8: 'multi-byte text', deflate: 'compressed text' } as const

/** What is counted, in the plural. */
export function unitOf({ pattern }: LoadOptions): string {
  if (pattern?.name === 'fanout') return 'deliveries'
  if (pattern?.name === 'connect') return 'handshakes'
  return pattern?.name === 'churn' ? 'exchanges' : 'messages'
}

/** The load in sentences, with their stops between them: where to, what, and from when a message is charged. */
export function sentencesOf(options: LoadOptions): string {
  const { url, more = [], connections, duration, pattern } = options
  const others = more.length === 0 ? '' : ` and ${whole(more.length)} more`
  const time = pattern?.name === 'connect' ? '' : ` for ${duration} s`
  return [`${url.href}${others}${time}`, ...said(options, plural(connections, 'connection'))].join('. ')
}

function said(options: LoadOptions, connections: string): string[] {
  const { pattern, rate, duration } = options
  const charged = 'is charged from the moment at which it was due'
  const loop =
    rate > 0
      ? `Open loop: each message ${charged}`
      : 'Closed loop: what is sent waits for the answers to what was sent before'
  if (pattern?.name === 'fanout')
    return [`${connections} that receive, and one that sends`, messagesOf(options, 'in flight'), loop]
  if (pattern?.name === 'connect')
    return [
      `${connections}, ${opening(pattern)}`,
      `Then all are idle for ${duration} s`,
      `Open loop: each handshake ${charged}`,
    ]
  if (pattern?.name === 'churn')
    return [
      `${opening(pattern)}, at most ${connections} at once`,
      `Each exchanges a message (${lengthOf(options)}) and closes`,
      `Open loop: each connection ${charged}`,
    ]
  if (pattern?.name === 'script')
    return [rate > 0 ? `${connections}, ${whole(rate)} ticks per second` : connections, 'A script says what is sent']
  const lines = [`${connections}, ${messagesOf(options, 'in flight on each')}`, loop]
  if (pattern?.name === 'reply') lines.splice(1, 0, answersOf(pattern.answers))
  if (pattern?.name === 'match') lines.splice(1, 0, `Answers are known by the field ${pattern.field} of their JSON`)
  return lines
}

function opening({ rate, ramp = 0 }: { readonly rate: number; readonly ramp?: number }): string {
  return `${whole(rate)} opened per second${ramp > 0 ? ` after ${ramp} s of rising` : ''}`
}

function lengthOf({ size }: LoadOptions): string {
  return size < 1024 ? `${size} bytes` : formatSize(size)
}

function messagesOf(options: LoadOptions, where: string): string {
  const { kind, rate, pipeline, pattern } = options
  const pace = rate > 0 ? `${whole(rate)} per second on schedule` : `${whole(pipeline)} ${where}`
  if (pattern?.name === 'match' && pattern.message !== undefined) return `messages of your own, ${pace}`
  return `${pattern?.name === 'match' ? 'JSON' : KINDS[kind]} messages of ${lengthOf(options)}, ${pace}`
}

function answersOf(answers: number): string {
  if (answers === 0) return 'None is answered: a pong says that the server has read them'
  return answers === 1
    ? 'Any message is an answer'
    : `Each is answered by ${whole(answers)} messages, whatever they say`
}

/** From when to when a latency is. */
export function latencyOf({ rate, pipeline, pattern }: LoadOptions): string {
  if (pattern?.name === 'connect') return 'from when a connection was due to when it was open'
  if (pattern?.name === 'churn') return 'from when a connection was due to when it had closed'
  if (pattern?.name === 'script') return 'what the script has noted by answered()'
  const end =
    pattern?.name === 'reply' && pattern.answers !== 1 ? (pattern.answers === 0 ? 'pong' : 'last answer') : 'answer'
  if (pattern?.name === 'fanout')
    return rate > 0 ? 'from when a message was due to each delivery' : 'from sending to each delivery'
  if (rate > 0) return `from when a message was due to its ${end}`
  if (pattern?.name === 'match') return 'from a message to its answer'
  return pipeline === 1
    ? `from a message to its ${end}`
    : `from ${whole(pipeline)} messages to the last ${end.replace('last ', '')}`
}

/** What else was counted, and which connections were refused, a line for each. */
export function countedLines({ counts, refusals }: LoadResult): (readonly [name: string, said: string])[] {
  const said = (those: Readonly<Record<string, number>>, by: string): string =>
    Object.entries(those)
      .map(([name, count]) => `${whole(count)} ${by}${name}`)
      .join(', ')
  return [
    ...(counts === undefined ? [] : [['counted', said(counts, '')] as const]),
    ...(refusals === undefined ? [] : [['failures', said(refusals, 'by ')] as const]),
  ]
}
