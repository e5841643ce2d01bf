// What a person asks for with `--find-rate`. It loads no load client, because a server needs none.
import { type ParsedOptions, read, UsageError } from '../options.js'

export const findFlags: readonly string[] = ['find-rate']
export const findValued: readonly string[] = ['p99']

/** The bound in microseconds; undefined where nothing is searched for. Throws a UsageError for half of it. */
export function findIn(given: ParsedOptions): number | undefined {
  const bound = read(given, 'p99', parseMicroseconds)
  if (!given.has('find-rate')) {
    if (bound === undefined) return undefined
    throw new UsageError("--p99 belongs to --find-rate; what a load must hold is --threshold 'p(99)<5'")
  }
  if (bound === undefined) throw new UsageError('--find-rate needs what the rate must hold, such as --p99 5ms')
  if (bound === 0) throw new UsageError('--p99 must be more than 0')
  const other = ['rate', 'pipeline', 'connect', 'churn', 'script'].find((name) => given.has(name))
  if (other !== undefined) throw new UsageError(`--find-rate tries many rates of messages: leave --${other} out`)
  return bound
}

const UNITS = { us: 1, µs: 1, ms: 1000, s: 1_000_000 } as const

/** A latency may be shorter than a millisecond; a number alone means milliseconds. */
function parseMicroseconds(text: string): number {
  const [, number = '', unit = 'ms'] = /^(\d+(?:\.\d+)?)(us|µs|ms|s)?$/.exec(text) ?? []
  if (number === '') throw new RangeError(`${JSON.stringify(text)} is not a time such as 5ms, 0.5ms or 800us`)
  return Number(number) * UNITS[unit as keyof typeof UNITS]
}
