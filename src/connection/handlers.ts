// What an application gives a server: one object of handlers for all connections, and the limits they live within.
import type { Codec, Heap } from '../codec/codec.js'
import type { Budget } from '../payload/budget.js'
import type { Connection } from './connection.js'
import type { Deadlines } from './deadlines.js'
import type { Message } from './message.js'
import type { Outbox } from './outbox.js'

/** The handlers. Each is optional; what one throws ends its own connection with 1011 and goes to `error`. */
export interface Handlers<Data = unknown> {
  /** The opening handshake is done. */
  open?(connection: Connection<Data>): unknown
  /** A whole message. It is readable until this returns or, if it returns a promise, until that settles. */
  message?(connection: Connection<Data>, message: Message): unknown
  /** The connection has ended: the code and reason of the peer's Close, or what this server closed it with, or 1006. */
  close?(connection: Connection<Data>, code: number, reason: string): unknown
  /** A handler threw, or the peer broke a rule (a ProtocolViolation). Without it, the former go to standard error. */
  error?(connection: Connection<Data>, error: unknown): unknown
}

/** Limits of each connection. Lengths in bytes, times in milliseconds; a time of 0 is no limit. */
export interface ConnectionLimits {
  /** Longest message. Longer ones are refused at their header with 1009. Default 16 MiB. */
  readonly maxMessage: number
  /** Buffered output above which nothing more is read from the peer until it has read what it was sent. Default 1 MiB. */
  readonly outputLimit: number
  /** Output waiting behind an unfinished write, above which a connection is ended: pausing did not help. Default 64 MiB. */
  readonly outputCeiling: number
  /** Messages whose handlers' promises are pending; nothing more is read above. Default 256. */
  readonly pendingHandlers: number
  /** Time for the peer to answer Close, and to end the TCP connection after both have said it. Default 10,000. */
  readonly closeTimeout: number
  /** Time without a byte of an unfinished large payload, while we are reading. Default 30,000. */
  readonly payloadTimeout: number
}

/** What all connections of a server share. */
export interface Shared<Data> {
  readonly codec: Codec
  readonly heap: Heap
  readonly outbox: Outbox
  readonly budget: Budget
  readonly deadlines: Deadlines
  readonly handlers: Handlers<Data>
  readonly limits: ConnectionLimits
  /** Every connection that is not closed. */
  readonly connections: Set<Connection<Data>>
  /** Called after the last handler of a connection. */
  closed(): void
}

/** Whether a handler has returned a promise. */
export function isThenable(result: unknown): result is PromiseLike<unknown> {
  return typeof result === 'object' && result !== null && 'then' in result && typeof result.then === 'function'
}
