// What the connections of a load do, as a person types it; what a pattern has no use for is refused.
import type { LoadOptions } from '../../load/load.js'
import type { Pattern } from '../../load/pattern.js'
import { templateOf } from '../../load/patterns/matchedMessages.js'
import { hasRoom } from '../../load/sequenceMaterial.js'
import { type ParsedOptions, type Row, read, UsageError } from '../options.js'
import { parseCount, parseDuration } from '../units.js'

export const patternValued: readonly string[] = [
  ...['reply', 'fanout', 'connect', 'churn', 'ramp', 'match', 'message', 'script'],
]

export const patternRows: readonly Row[] = [
  ['reply', '', 'each message is answered by so many: 0 (a pong\nsays that it was read), 1, 2 ...'],
  ['fanout', '', 'one connection more sends to this topic, and\nall receive'],
  ['connect', '', 'open so many connections per second, then hold\nthem idle'],
  ['churn', '', 'open so many per second, which exchange a\nmessage and close'],
  ['ramp', '', 'how long the rate of these two rises from 0'],
  ['match', '', 'json:id, the field by which answers are known'],
  ['message', '', 'what to send with --match: an object as JSON'],
  ['script', '', 'a module that says what to send; its tick is\ncalled at --rate'],
]

const NAMES = ['reply', 'fanout', 'connect', 'churn', 'match', 'script'] as const

/** What each pattern has no use for. */
const USELESS: Readonly<Record<(typeof NAMES)[number], readonly string[]>> = {
  reply: ['verify', 'no-sequence', 'ramp', 'message'],
  fanout: ['verify', 'no-sequence', 'deflate', 'ramp', 'message'],
  connect: ['verify', 'no-sequence', 'rate', 'pipeline', 'size', 'text', 'utf8', 'warmup', 'message'],
  churn: ['rate', 'pipeline', 'message'],
  match: ['verify', 'no-sequence', 'deflate', 'text', 'utf8', 'ramp'],
  script: ['verify', 'no-sequence', 'deflate', 'text', 'utf8', 'size', 'pipeline', 'ramp', 'message'],
}

const MOST_ANSWERS = 1_000_000
/** No machine opens more connections in a second. */
const MOST_CONNECTIONS = 1_000_000
const FEWEST_BYTES = { binary: 16, text: 42 } as const

/** The pattern that the options name, but for a script, which is to be loaded yet. */
export function patternIn(given: ParsedOptions): Pattern | undefined {
  const [name, other] = NAMES.filter((pattern) => given.has(pattern))
  if (other !== undefined) throw new UsageError(`--${name} and --${other} are two patterns: use one`)
  checkAlone(name, given)
  if (name === 'reply') return { name, answers: read(given, name, (text) => parseCount(text, MOST_ANSWERS)) ?? 1 }
  if (name === 'fanout') return { name, topic: given.get(name) ?? '' }
  if (name === 'connect' || name === 'churn') return { name, rate: rateIn(given, name), ramp: rampIn(given) }
  return name === 'match' ? matchIn(given) : undefined
}

/** What a pattern needs of the load that it is part of. */
export function checkPattern({ pattern, kind, size }: LoadOptions): void {
  if (pattern?.name !== 'fanout' || hasRoom(kind === 'binary' ? 'binary' : 'text', size, true)) return
  const fewest = kind === 'binary' ? FEWEST_BYTES.binary : FEWEST_BYTES.text
  throw new UsageError(`--fanout stamps its messages, which takes ${fewest} bytes: use a larger --size`)
}

function checkAlone(name: (typeof NAMES)[number] | undefined, given: ParsedOptions): void {
  const useless = name === undefined ? ['ramp', 'message'] : USELESS[name]
  const found = useless.find((option) => given.has(option))
  if (found === undefined) return
  if (found === 'ramp') throw new UsageError('--ramp is for --connect and --churn')
  if (found === 'message') throw new UsageError('--message is for --match')
  throw new UsageError(`--${name} has no use for --${found}: leave it out`)
}

function rateIn(given: ParsedOptions, name: 'connect' | 'churn'): number {
  return read(given, name, (text) => parseCount(text, MOST_CONNECTIONS, 1)) ?? 1
}

function rampIn(given: ParsedOptions): number {
  return (read(given, 'ramp', (text) => parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text)) ?? 0) / 1000
}

function matchIn(given: ParsedOptions): Pattern {
  const [, field] = /^json:(.+)$/.exec(given.get('match') ?? '') ?? []
  if (field === undefined) throw new UsageError(`--match: ${JSON.stringify(given.get('match'))} is not such as json:id`)
  const message = given.get('message')
  try {
    templateOf(field, 0, message)
  } catch (error) {
    const option = message === undefined ? '--match' : '--message'
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : error}`)
  }
  return { name: 'match', field, ...(message !== undefined && { message }) }
}
