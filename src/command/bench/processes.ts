// How many processes load: as many as a person says, or as this machine has processors for.
import { availableParallelism } from 'node:os'
import type { LoadOptions } from '../../load/load.js'
import { type ParsedOptions, read, UsageError } from '../options.js'
import { parseCount } from '../units.js'

const MOST = 1024
const LOOPBACK = /^(localhost|127\..*|\[::1\])$/

/** Throws a UsageError for more processes than connections. */
export function processesIn(given: ParsedOptions, load: LoadOptions): number {
  const asked = read(given, 'processes', (text) => (text === 'auto' ? text : parseCount(text, MOST, 1))) ?? 1
  if (asked === 'auto') return Math.min(automatic(load), load.connections)
  if (asked > load.connections) {
    throw new UsageError(`--processes ${asked} needs at least ${asked} --connections: each process has a share of them`)
  }
  return asked
}

/** One for each processor; a server on this machine keeps one. */
function automatic({ url, more = [], reach }: LoadOptions): number {
  const isHere = reach?.unix !== undefined || [url, ...more].some(({ hostname }) => LOOPBACK.test(hostname))
  return Math.max(1, availableParallelism() - (isHere ? 1 : 0))
}
