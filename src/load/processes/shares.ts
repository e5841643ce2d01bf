// What each process of a load is asked for: its part of the connections, and of the rate.
import type { LoadOptions } from '../options.js'
import type { Pattern } from '../pattern.js'

/** The options of each of `processes`, of which there must be no more than connections. */
export function sharesOf(options: LoadOptions, processes: number): LoadOptions[] {
  const { connections, rate, pattern } = options
  let first = 0
  return Array.from({ length: processes }, (_, at) => {
    const those = Math.floor((connections * (at + 1)) / processes) - first
    // In proportion to the connections, so that each connection sends as often as without other processes.
    const part = those / connections
    const shared = pattern && { pattern: partOf(pattern, part) }
    const share = { ...options, connections: those, rate: rate * part, firstConnection: first, ...shared }
    first += those
    return share
  })
}

/** Where connections open at a rate, that is shared, too. */
function partOf(pattern: Pattern, part: number): Pattern {
  return pattern.name === 'connect' || pattern.name === 'churn' ? { ...pattern, rate: pattern.rate * part } : pattern
}
