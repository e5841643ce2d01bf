// Sends Close to every connection of a server that ends. Connections whose messages are being handled get their answers
// first. The work is cut into turns, because there may be a hundred thousand connections.
import type { Connection } from '../connection/connection.js'
import { inTurns } from '../time/inTurns.js'
import { until } from './admission/until.js'

/** Connections, and which of them have handlers under way. */
export interface Audience {
  readonly connections: ReadonlySet<Connection<unknown>>
  answers(connection: Connection<unknown>): boolean
}

/**
 * Says Close to every peer, to the busy ones when their handlers have settled, or `patience` milliseconds are over; 0 is
 * for ever. Those that fit into a share of this turn are sent it before this returns. Resolves when all have been.
 */
export async function farewell(
  { connections, answers }: Audience,
  { code, reason }: { readonly code: number; readonly reason: string },
  patience: number,
): Promise<void> {
  const busy = new Set<Connection<unknown>>()
  const close = (connection: Connection<unknown>): void => {
    busy.delete(connection)
    connection.close(code, reason)
  }
  const closeIdle = (connection: Connection<unknown>): void => {
    if (answers(connection)) busy.add(connection)
    else close(connection)
  }
  let looking = true
  const looked = (): void => {
    looking = false
  }
  inTurns(connections, closeIdle, looked)
  const done = (): boolean => {
    if (looking) return false
    looking = true
    inTurns(busy, closeIdle, looked)
    return busy.size === 0
  }
  await until(done, patience)
  await new Promise<void>((resolve) => inTurns(busy, close, resolve))
}
