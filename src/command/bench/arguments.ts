// The command line of `millrace bench`: what its arguments mean, and what it says when asked.
import type { LoadOptions } from '../../load/load.js'
import type { LoadKind } from '../../load/payload.js'
import { optionsIn, type ParsedOptions, read, UsageError } from '../options.js'
import { parseCount, parseDuration, parseSize } from '../units.js'
import { defaults } from './defaults.js'
import { findFlags, findIn, findValued } from './findOptions.js'
import { type BenchOutput, outputIn, outputValued } from './output.js'
import { checkPattern, patternIn, patternValued } from './patterns.js'
import { processesIn } from './processes.js'
import { reachFlags, reachIn, reachValued } from './reach.js'

export type BenchCommand =
  | { readonly name: 'benchHelp' }
  | {
      readonly name: 'bench'
      readonly load: LoadOptions
      /** The file whose hooks are the load's pattern. */
      readonly script?: string
      /** How many processes load. */
      readonly processes: number
      /** What the 99th percentile must not exceed, in microseconds, where the largest rate is searched for that holds it. */
      readonly find?: number
      readonly output: BenchOutput
    }

const VALUED = [
  ...['connections', 'size', 'pipeline', 'duration', 'warmup', 'rate', 'processes'],
  ...patternValued,
  ...findValued,
  ...outputValued,
  ...reachValued,
]
const KINDS = ['text', 'utf8', 'deflate'] as const
const FLAGS = [...KINDS, ...findFlags, ...reachFlags, 'verify', 'no-sequence', 'json', 'progress', 'help']

const MOST_CONNECTIONS = 1_000_000
const MOST_IN_FLIGHT = 1_000_000
/** Beyond this, a tick of the schedule can't be over before the next. */
const MOST_A_SECOND = 10_000_000
const LONGEST_MESSAGE = 2 ** 30
const LONGEST_SECONDS = 7 * 86_400

/** Reads the arguments after `bench`. Throws a UsageError for the first that is wrong. */
export function parseBenchArguments(args: readonly string[]): BenchCommand {
  const words: string[] = []
  const repeated = new Map<string, string[]>()
  const seen = (name: string, value: string): void => void repeated.set(name, [...(repeated.get(name) ?? []), value])
  const given = optionsIn(args, VALUED, FLAGS, { h: 'help' }, (word) => words.push(word), seen)
  if (given.has('help')) return { name: 'benchHelp' }
  const [url, ...more] = addressesIn(words, given)
  if (url === undefined) throw new UsageError('bench needs an address, such as ws://127.0.0.1:9001')
  const reach = reachIn(given, repeated)
  const pattern = patternIn(given)
  const script = given.get('script')
  const load: LoadOptions = {
    url,
    ...(more.length > 0 && { more }),
    connections: read(given, 'connections', (text) => parseCount(text, MOST_CONNECTIONS, 1)) ?? defaults.connections,
    size: read(given, 'size', parseLength) ?? defaults.size,
    pipeline: read(given, 'pipeline', (text) => parseCount(text, MOST_IN_FLIGHT, 1)) ?? defaults.pipeline,
    duration: read(given, 'duration', parseSeconds) ?? defaults.duration,
    warmup: read(given, 'warmup', parseSeconds) ?? defaults.warmup,
    kind: kindIn(given),
    verify: given.has('verify'),
    sequence: !given.has('no-sequence'),
    rate: read(given, 'rate', (text) => parseCount(text, MOST_A_SECOND)) ?? defaults.rate,
    ...(given.has('h2') ? { http2: true } : {}),
    ...(pattern && { pattern }),
    ...(reach && { reach }),
  }
  check(load)
  const find = findIn(given)
  return {
    name: 'bench',
    load,
    processes: processesIn(given, load),
    ...(script !== undefined && { script }),
    ...(find !== undefined && { find }),
    output: outputIn(given, repeated),
  }
}

/** What options don't go together. */
function check(load: LoadOptions): void {
  const { duration, rate, pipeline } = load
  if (duration === 0) throw new UsageError('--duration must be more than 0')
  if (rate > 0 && pipeline !== 1) {
    throw new UsageError('--rate sends on a schedule, and --pipeline sends when answers arrive: use one')
  }
  checkPattern(load)
}

/** A Unix socket has no address: the host is only named in the request. */
function addressesIn(words: readonly string[], given: ParsedOptions): URL[] {
  if (words.length === 0 && given.has('unix')) return [new URL('ws://localhost/')]
  return words.map(parseAddress)
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
