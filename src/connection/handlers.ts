// What an application gives a server: one object of handlers for all connections, and the limits they live within.
import type { OwnBytes } from '../codec/ownBytes.js'
import type { RateLimits } from '../time/rates.js'
import type { Connection } from './connection.js'
import type { Message } from './message.js'
import type { MessageStream } from './receiving/messageStream.js'
import type { Times } from './vitals.js'

/**
 * The handlers. Each is optional and may return a promise; what one throws, or its promise rejects with, ends its own
 * connection with 1011 and goes to `error`.
 */
export interface Handlers<Data = unknown> {
  /** The opening handshake is done. */
  open?(connection: Connection<Data>): unknown
  /** A whole message. It is readable until this returns or, if it returns a promise, until that settles. */
  message?(connection: Connection<Data>, message: Message): unknown
  /**
   * A message longer than `streamThreshold` begins to arrive; with this handler, no message is too long. Such messages
   * do not go to `message`. If this returns a promise, what has not been read when it settles is thrown away.
   */
  stream?(connection: Connection<Data>, message: MessageStream): unknown
  /**
   * What the module of the option `large` made of a message. Without this handler, it is sent on the connection.
   */
  largeResult?(connection: Connection<Data>, result: unknown): unknown
  /** Everything that `send` answered `'buffered'` for has left: go on sending. */
  drain?(connection: Connection<Data>): unknown
  /** A pong has come, asked for or not, with up to 125 bytes: yours to keep. */
  pong?(connection: Connection<Data>, data: OwnBytes): unknown
  /**
   * The connection has ended: the code and reason of the peer's Close, or those with which this server failed the
   * connection, or 1006 if there was no Close. 1005 is a Close without a code.
   */
  close?(connection: Connection<Data>, code: number, reason: string): unknown
  /** A handler threw, or the peer broke a rule (a ProtocolViolation). Without it, the former go to standard error. */
  error?(connection: Connection<Data>, error: unknown): unknown
}

/**
 * What becomes of a peer that does not read what it is sent, above the output limit: nothing more is read from it
 * (`'pause'`), further messages to it are dropped (`'drop'`), or it is closed with 1008 (`'close'`).
 */
export type OutputPolicy = 'pause' | 'drop' | 'close'

/** Limits of each connection. Lengths in bytes, times in milliseconds; a time or a rate of 0 is no limit. */
export interface ConnectionLimits extends Times, RateLimits {
  /** Longest message, in bytes. Longer ones are refused at their header with 1009. Default 16 MiB. */
  readonly maxMessage: number
  /** Most frames of one message; more are refused with 1008. At least 1. Default 131,072. */
  readonly maxFragments: number
  /** Buffered output, in bytes, above which `outputPolicy` applies. Default 1 MiB. */
  readonly outputLimit: number
  /**
   * Output waiting behind an unfinished write, in bytes, above which a connection is ended: pausing did not help.
   * Default 64 MiB.
   */
  readonly outputCeiling: number
  /**
   * Messages whose handlers' promises may be pending at once; at that number, nothing more is delivered until half of
   * them have settled. 1 is one after the other. At least 1. Default 256.
   */
  readonly pendingHandlers: number
  /** Topics that a connection may subscribe to at once; `subscribe` throws above it. At least 1. Default 1024. */
  readonly maxSubscriptions: number
  /**
   * Time for the peer to answer Close, and to end the TCP connection after both have said it, in milliseconds.
   * Default 10,000.
   */
  readonly closeTimeout: number
  /**
   * Time without a byte of an unfinished large payload, while we are reading, in milliseconds; then the connection is
   * closed with 1008. The server's counts for all routes. Default 30,000.
   */
  readonly payloadTimeout: number
  /** Silence, in milliseconds, after which the peer is sent a ping. Default 30,000. */
  readonly pingInterval: number
  /** Silence, in milliseconds, pings unanswered, after which a connection is closed with 1008. Default 120,000. */
  readonly idleTimeout: number
  /**
   * Time, in milliseconds, during which nothing is read from the peer (paused by the application, by its pending
   * handlers, or by output that the peer does not read), after which it is closed with 1008: a pause hides that the
   * peer is gone. Also the time, once or twice, in which a peer must take some of the output that waits for it.
   * Default 60,000.
   */
  readonly pauseTimeout: number
  /** Age, in milliseconds, at which a connection is closed with 1001. Default 0: any. */
  readonly maxLifetime: number
  /** Messages a second from one peer, with a second's worth at once; more are refused with 1008. Default 0: any. */
  readonly messageRate: number
  /** Payload bytes a second from one peer, with a second's worth at once; more are refused with 1008. Default 0: any. */
  readonly byteRate: number
}
