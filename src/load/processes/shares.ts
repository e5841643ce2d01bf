// What each process of a load is asked for: its part of the connections, and of the rate.
import { randomInt } from 'node:crypto'
import type { LoadPart } from '../loadScript.js'
import type { LoadOptions } from '../options.js'
import type { Pattern } from '../pattern.js'

/** The options of each of `processes`, of which there must be no more than connections. */
export function sharesOf(options: LoadOptions, processes: number): LoadOptions[] {
  const { connections, rate, pattern } = options
  const partOf = pattern && partsOf(pattern, connections)
  let first = 0
  return Array.from({ length: processes }, (_, at) => {
    const those = Math.floor((connections * (at + 1)) / processes) - first
    const part = partOf?.({ process: at, processes, connections: those, firstConnection: first })
    // In proportion to the connections, so that each connection sends as often as without other processes.
    const share = { connections: those, rate: rate * (those / connections), firstConnection: first }
    first += those
    // One connection sends what all receive, so its process has all of the rate.
    return { ...options, ...share, ...(part && { pattern: part }), ...(pattern?.name === 'fanout' && { rate }) }
  })
}

/** What a process does of the pattern. Where connections open at a rate, that is shared, too. */
function partsOf(pattern: Pattern, all: number): (part: LoadPart) => Pattern {
  const stamp = randomInt(2 ** 31)
  return (part) => {
    const { process, connections } = part
    if (pattern.name === 'connect' || pattern.name === 'churn')
      return { ...pattern, rate: pattern.rate * (connections / all) }
    if (pattern.name === 'fanout')
      return { ...pattern, part: { stamp, sends: process === 0, elsewhere: all - connections } }
    return pattern.name === 'script' ? { ...pattern, part } : pattern
  }
}
