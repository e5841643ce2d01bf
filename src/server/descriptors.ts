// How many descriptors the system lets this process have. When all are used, the system does not answer newcomers, and this
// process is not told: so connections amid their handshakes must never have all of them.
import { readFileSync } from 'node:fs'

/** The limit, as Linux tells it; Infinity where the system does not say. */
export function mostDescriptors(): number {
  try {
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity // another system, or a process that may not read
  }
}
