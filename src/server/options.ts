// What a server can be told, and what it does when it is told nothing.
import type { RequestListener } from 'node:http'
import type { ConnectionLimits, Handlers } from '../connection/handlers.js'

/** Options of a server besides its handlers. Lengths in bytes, times in milliseconds; a time of 0 is no limit. */
export interface ServerLimits extends ConnectionLimits {
  /** Memory for large payloads, parked reads and messages kept for pending handlers. Default 256 MiB. */
  readonly payloadMemory: number
  /** Time for the whole opening handshake. Default 10,000. */
  readonly handshakeTimeout: number
}

export interface ServerOptions<Data = unknown> extends Handlers<Data>, Partial<ServerLimits> {
  /** Answers HTTP requests that are no upgrades. Default: 426 Upgrade Required. */
  readonly request?: RequestListener
}

/** The limits of a server that was told nothing. */
export const defaultLimits: ServerLimits = {
  maxMessage: 16 * 1024 * 1024,
  outputLimit: 1024 * 1024,
  outputCeiling: 64 * 1024 * 1024,
  pendingHandlers: 256,
  closeTimeout: 10_000,
  payloadTimeout: 30_000,
  payloadMemory: 256 * 1024 * 1024,
  handshakeTimeout: 10_000,
}

/** The limits that `options` ask for. Throws a RangeError for one that is not a whole number from 0 to 2^53 - 1. */
export function limitsOf(options: Partial<ServerLimits>): ServerLimits {
  const limits: Record<string, number> = {}
  for (const [name, byDefault] of Object.entries(defaultLimits)) {
    const value: unknown = Reflect.get(options, name) ?? byDefault
    if (!Number.isSafeInteger(value) || Number(value) < 0) {
      throw new RangeError(`${name} must be a whole number from 0 to 2^53 - 1, not ${String(value)}`)
    }
    limits[name] = Number(value)
  }
  return { ...defaultLimits, ...limits }
}
