// The command line of `millrace bench`: what its arguments mean, and what it says when asked.
import type { LoadOptions } from '../../load/load.js'
import type { LoadKind } from '../../load/payload.js'
import { optionsIn, type ParsedOptions, read, table, UsageError } from '../options.js'
import { parseCount, parseDuration, parseSize } from '../units.js'

export type BenchCommand =
  | { readonly name: 'benchHelp' }
  | { readonly name: 'bench'; readonly load: LoadOptions; readonly json: boolean }

const VALUED = ['connections', 'size', 'pipeline', 'duration', 'warmup', 'rate']
const KINDS = ['text', 'utf8', 'deflate'] as const
const FLAGS = [...KINDS, 'verify', 'h2', 'json', 'help']

/** What holds where nothing is asked for; times in seconds. */
const defaults = { connections: 100, size: 16, pipeline: 1, duration: 10, warmup: 1, rate: 0 } as const

const MOST_CONNECTIONS = 1_000_000
const MOST_IN_FLIGHT = 1_000_000
/** Beyond this, a tick of the schedule can't be over before the next. */
const MOST_A_SECOND = 10_000_000
const LONGEST_MESSAGE = 2 ** 30
const LONGEST_SECONDS = 7 * 86_400

/** Reads the arguments after `bench`. Throws a UsageError for the first that is wrong. */
export function parseBenchArguments(args: readonly string[]): BenchCommand {
  const words: string[] = []
  const given = optionsIn(args, VALUED, FLAGS, { h: 'help' }, (word) => words.push(word))
  if (given.has('help')) return { name: 'benchHelp' }
  const [address, extra] = words
  if (address === undefined) throw new UsageError('bench needs an address, such as ws://127.0.0.1:9001')
  if (extra !== undefined)
    throw new UsageError(`bench loads one address at a time, and ${JSON.stringify(extra)} is more`)
  const load: LoadOptions = {
    url: parseAddress(address),
    connections: read(given, 'connections', (text) => parseCount(text, MOST_CONNECTIONS, 1)) ?? defaults.connections,
    size: read(given, 'size', parseLength) ?? defaults.size,
    pipeline: read(given, 'pipeline', (text) => parseCount(text, MOST_IN_FLIGHT, 1)) ?? defaults.pipeline,
    duration: read(given, 'duration', parseSeconds) ?? defaults.duration,
    warmup: read(given, 'warmup', parseSeconds) ?? defaults.warmup,
    kind: kindIn(given),
    verify: given.has('verify'),
    rate: read(given, 'rate', (text) => parseCount(text, MOST_A_SECOND)) ?? defaults.rate,
    ...(given.has('h2') ? { http2: true } : {}),
  }
  check(load)
  return { name: 'bench', load, json: given.has('json') }
}

/** What options don't go together. */
function check({ duration, rate, pipeline }: LoadOptions): void {
  if (duration === 0) throw new UsageError('--duration must be more than 0')
  if (rate > 0 && pipeline !== 1) {
    throw new UsageError('--rate sends on a schedule, and --pipeline sends when answers arrive: use one')
  }
}

/** An address with its scheme left out, or with that of the page, is clear enough. */
function parseAddress(text: string): URL {
  const address = (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `ws://${text}`).replace(/^http(?=s?:)/i, 'ws')
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !/^wss?:$/.test(url.protocol)) {
    throw new UsageError(`${JSON.stringify(text)} is not an address such as ws://127.0.0.1:9001`)
  }
  url.hash = ''
  return url
}

function kindIn(given: ParsedOptions): LoadKind {
  const [kind = 'binary', other] = KINDS.filter((name) => given.has(name))
  if (other !== undefined) throw new UsageError(`--${kind} and --${other} are two kinds of messages: use one`)
  return kind
}

function parseLength(text: string): number {
  const size = parseSize(text)
  if (size > LONGEST_MESSAGE) throw new RangeError(`${JSON.stringify(text)} is more than 1GiB`)
  return size
}

/** A time in seconds; a number alone counts them. */
function parseSeconds(text: string): number {
  const seconds = parseDuration(/^\d+(\.\d+)?$/.test(text) ? `${text}s` : text) / 1000
  if (seconds > LONGEST_SECONDS) throw new RangeError(`${JSON.stringify(text)} is more than a week`)
  return seconds
}

export const benchHelpText = `millrace bench: how fast does a WebSocket server echo?

  millrace bench ws://127.0.0.1:9001          100 connections for 10 seconds
  millrace bench ws://127.0.0.1:9001 --size 16KiB --pipeline 16 --verify
  millrace bench ws://127.0.0.1:9001 --text --size 200 --rate 5000

The server may be any one that sends every message back. Start \`millrace\` in
another terminal, or use your own.

How much
${table([
  ['connections', String(defaults.connections), 'number of connections'],
  ['size', String(defaults.size), 'payload per message (0, 200, 16k, 64KiB)'],
  ['pipeline', String(defaults.pipeline), 'messages in flight per connection'],
  ['rate', '', 'messages per second over all connections,\nsent on schedule even if answers are late'],
])}
How long (10, 500ms, 2m; a number alone means seconds)
${table([
  ['duration', `${defaults.duration}s`, 'how long to measure'],
  ['warmup', '1s', 'how long to send before that'],
])}
What to send (binary messages, unless you choose one of these)
${table([
  ['text', '', 'JSON, all ASCII'],
  ['utf8', '', 'JSON with characters of two and three bytes'],
  ['deflate', '', 'JSON, each message compressed'],
])}
How to connect
${table([['h2', '', 'over HTTP/2: the connections share sessions']])}
What to check
${table([['verify', '', 'compare every byte of every answer, and not\nonly their lengths']])}
Output
${table([
  ['json', '', 'print one line of JSON, for programs'],
  ['help', '', 'show this text (-h)'],
])}
With --deflate, the client offers permessage-deflate as browsers do, and the
server must accept it. Answers are inflated, whether or not they are compared.

The latency is the time from sending to the last answer of all messages in
flight on a connection. With --rate, it begins when a message was due, so a
server that stalls is charged for every message that it kept waiting.

What the server sends before the first message is a greeting, which is reported
but not counted. Pings and Close are answered. Ctrl+C stops early and prints
what was measured so far. The exit code is 0, or 1 if the server could not be
reached, failed, or sent anything but echoes.`
