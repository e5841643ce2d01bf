// The machine that figures come from.
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type as typeOfSystem, version } from 'node:os'
import { canPin } from './process.js'

const CONGESTION_CONTROL = '/proc/sys/net/ipv4/tcp_congestion_control'

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

/**
 * How the system paces what TCP sends; undefined where it does not say. It belongs to the figures: bbr sets a timer for each
 * transmission, which costs a virtual machine a quarter of an echo of 1 MiB.
 */
export function congestionControl(): string | undefined {
  try {
    return readFileSync(CONGESTION_CONTROL, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
