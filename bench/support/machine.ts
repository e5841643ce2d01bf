// The machine that figures come from.
import { cpus, release, totalmem, type as typeOfSystem, version } from 'node:os'
import { canPin } from './process.js'

export interface Machine {
  readonly node: string
  /** The processor's name, and how many cores there are. */
  readonly cpu: string
  readonly cores: number
  /** Bytes. */
  readonly memory: number
  readonly system: string
  /** Whether server and client have a core each. */
  readonly pinned: boolean
}

export function machine(): Machine {
  const processors = cpus()
  return {
    node: process.version,
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memory: totalmem(),
    system: `${typeOfSystem()} ${release()} ${version()}`,
    pinned: canPin,
  }
}
