// Draining a server: it accepts nothing more, serves for a while what it has, closes that little by little, and ends.
import { checkOptions } from '../checks/check.js'
import { closeQuantities } from '../checks/quantities.js'
import { closeOptions, everywhere } from '../checks/tables.js'
import type { Connection } from '../connection/connection.js'
import { writeClosePayload } from '../protocol/closeCode.js'

/** How `server.close` ends the connections. Times are in milliseconds. */
export interface CloseOptions {
  /** The close code that clients get. Default: 1001. */
  readonly code?: number
  /** The close reason that clients get: up to 123 bytes. Default: none. */
  readonly reason?: string
  /**
   * How long connections are still served before the first one is sent Close. The server accepts nothing meanwhile.
   * Default: 0.
   */
  readonly drainAfter?: number
  /**
   * The time over which the closes are spread, so that clients do not all reconnect at once. Default: 0, which closes
   * all at once.
   */
  readonly drainOver?: number
}

/** The options with their defaults. */
export type Drain = Required<CloseOptions>

/** Time between two portions of closes, in milliseconds, and what a portion may take. */
const STEP = 20
const SHARE = 4

/**
 * Throws a RangeError for a code or a reason that may not be sent, and for a time that makes no sense; a TypeError for
 * names that are no options, and for values of the wrong kind.
 */
export function drainOf(how: number | CloseOptions, reasonOnly: string): Drain {
  if (typeof how !== 'number') checkOptions(how, closeOptions, everywhere)
  const {
    code = 1001,
    reason = reasonOnly,
    drainAfter = closeQuantities.drainAfter.byDefault,
    drainOver = closeQuantities.drainOver.byDefault,
  } = typeof how === 'number' ? { code: how } : how
  writeClosePayload(code, reason)
  return { code, reason, drainAfter, drainOver }
}

export class Drainage {
  readonly #connections: ReadonlySet<Connection<unknown>>
  readonly #isBusy: (connection: Connection<unknown>) => boolean
  readonly #end: (drain: Drain) => void
  #timer: NodeJS.Timeout | undefined

  /**
   * `end` is called when all connections have been closed or have left: it closes those that have come since, and those
   * that were busy.
   */
  constructor(
    connections: ReadonlySet<Connection<unknown>>,
    isBusy: (connection: Connection<unknown>) => boolean,
    end: (drain: Drain) => void,
  ) {
    this.#connections = connections
    this.#isBusy = isBusy
    this.#end = end
  }

  /** A later order takes the place of an earlier one. One without delay is obeyed before this returns. */
  obey(drain: Drain): void {
    clearTimeout(this.#timer)
    if (drain.drainAfter === 0) this.#close(drain)
    else this.#timer = setTimeout(() => this.#close(drain), drain.drainAfter)
  }

  #close(drain: Drain): void {
    const { drainOver, code, reason } = drain
    if (drainOver === 0) return this.#end(drain)
    const connections = [...this.#connections]
    const began = performance.now()
    let closed = 0
    const step = (): void => {
      const now = performance.now()
      const share = Math.min(1, (now - began) / drainOver)
      for (const due = connections.length * share; closed < due; closed++) {
        if (performance.now() > now + SHARE) break
        const connection = connections[closed]
        if (connection !== undefined && !this.#isBusy(connection)) connection.close(code, reason)
      }
      const behind = closed < connections.length * share
      if (closed < connections.length && this.#connections.size > 0) this.#timer = setTimeout(step, behind ? 0 : STEP)
      else this.#end(drain)
    }
    step()
  }
}
