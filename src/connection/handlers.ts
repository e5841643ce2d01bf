// What an application gives a server: one object of handlers for all connections, and the limits they live within.
import type { OwnBytes } from '../codec/ownBytes.js'
import type { RateLimits } from '../time/rates.js'
import type { Connection } from './connection.js'
import type { Message } from './message.js'
import type { MessageStream } from './receiving/messageStream.js'
import type { TimeLimits } from './vitals.js'

/**
 * The functions that your application gives a server or a route. Each handler is optional and may return a promise. If
 * a handler throws, or its promise rejects, the connection is closed with 1011 and the error goes to `error`; other
 * connections are not affected.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 *
 * const server = createServer({
 *   open(connection) {
 *     connection.send('welcome')
 *   },
 *   message(connection, message) {
 *     connection.send(message)
 *   },
 *   close(connection, code, reason) {
 *     console.log('closed', code, reason)
 *   },
 *   error(connection, error) {
 *     console.error(connection.remoteAddress, error)
 *   },
 * })
 *
 * await server.listen({ port: 9001 })
 * ```
 */
export interface Handlers<Data = unknown> {
  /** Called when the opening handshake has succeeded. Messages can be sent from here on. */
  open?(connection: Connection<Data>): unknown
  /**
   * Called with each whole message. The message can be read until the handler returns or, if the handler returns a
   * promise, until that promise settles.
   */
  message?(connection: Connection<Data>, message: Message): unknown
  /**
   * Called when a message longer than `streamThreshold` begins to arrive. Such messages do not go to `message`, and
   * `maxMessage` does not apply to them. If the handler returns a promise, then whatever has not been read when the
   * promise settles is thrown away (see `streamLeft`).
   * @example
   * ```js
   * import { createWriteStream } from 'node:fs'
   * import { pipeline } from 'node:stream/promises'
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   async stream(connection, message) {
   *     await pipeline(message, createWriteStream('upload'))
   *     connection.send('stored')
   *   },
   * })
   * ```
   */
  stream?(connection: Connection<Data>, message: MessageStream): unknown
  /**
   * Called with what the module of the option `large` returned for a message. Without this handler, millrace sends that
   * result on the connection.
   */
  largeResult?(connection: Connection<Data>, result: unknown): unknown
  /**
   * Called when everything for which `send` answered `'buffered'` has been handed to the operating system. It is the
   * moment to send more.
   */
  drain?(connection: Connection<Data>): unknown
  /**
   * Called when the client has caught up, before `drain`, for each topic of which publications were left out for this
   * connection meanwhile, with their number: by the output policy `'drop'`. It is the moment to send what stands for them.
   */
  leftOut?(connection: Connection<Data>, topic: string, publications: number): unknown
  /**
   * Called when a ping of the client's has arrived; millrace has answered it by then. `data` has up to 125 bytes, and is
   * yours to keep.
   */
  ping?(connection: Connection<Data>, data: OwnBytes): unknown
  /**
   * Called when a pong arrives, whether or not a ping asked for it. `data` has up to 125 bytes, and is yours to keep.
   */
  pong?(connection: Connection<Data>, data: OwnBytes): unknown
  /**
   * Called when the time has come that `upgrade` has named as `expiresAt`: returns until when the connection may stay, as a
   * Date or in milliseconds since 1970, or a promise of that. Where it returns nothing or a time that is over, where a
   * promise takes more than 10 seconds, and without this handler, the connection is closed with 1008 and the reason
   * `expired`.
   */
  refresh?(connection: Connection<Data>): unknown
  /**
   * Called once, when the connection has ended. `code` and `reason` are those of the client's Close frame or, if this
   * server failed the connection, those that it sent. The code is 1005 if the client's Close frame had no code, and
   * 1006 if there was no Close frame.
   */
  close?(connection: Connection<Data>, code: number, reason: string): unknown
  /**
   * Called with the error when a handler threw or rejected, and with a ProtocolViolation when the client broke a rule.
   * Without this handler, errors of your handlers are printed on standard error, and violations are not reported.
   */
  error?(connection: Connection<Data>, error: unknown): unknown
}

/**
 * What happens when more than `outputLimit` bytes wait for a client that does not read fast enough:
 *
 * - `'pause'`: millrace stops reading from the client until it has caught up.
 * - `'drop'`: further messages to the client are dropped until it has caught up.
 * - `'close'`: the connection is closed with 1008.
 */
export type OutputPolicy = 'pause' | 'drop' | 'close'

/**
 * The limits of each connection. Lengths are in bytes, and times in milliseconds. A time or a rate of 0 means "no
 * limit".
 */
export interface ConnectionLimits extends TimeLimits, RateLimits {
  /**
   * The longest message that is accepted, in bytes. A longer message is refused with 1009 as soon as its header has
   * arrived. Default: 16 MiB.
   */
  readonly maxMessage: number
  /**
   * The largest number of frames that one message may have. A message with more is refused with 1008. At least 1.
   * Default: 131,072.
   */
  readonly maxFragments: number
  /** The number of buffered output bytes above which `outputPolicy` applies. Default: 1 MiB. */
  readonly outputLimit: number
  /**
   * The number of output bytes that may wait after an unfinished write. Above it, the connection is ended, because
   * holding the client back was not enough. Default: 64 MiB.
   */
  readonly outputCeiling: number
  /**
   * How many promises of `message` handlers may be pending at once on one connection. At that number, no further
   * message is delivered until half of the promises have settled. With 1, messages are handled one after the other. At
   * least 1. Default: 256.
   */
  readonly pendingHandlers: number
  /**
   * How many topics one connection may subscribe to at once. Above that number, `subscribe` throws. At least 1.
   * Default: 1024.
   */
  readonly maxSubscriptions: number
  /**
   * How long the client may take to answer a Close frame, and then to end the TCP connection, in milliseconds. Default:
   * 10,000.
   */
  readonly closeTimeout: number
  /**
   * How long a large message may stop arriving, in milliseconds, while this server reads from the client. After that,
   * the connection is closed with 1008. The server's value applies to all routes. Default: 30,000.
   */
  readonly payloadTimeout: number
  /** After this much silence, in milliseconds, the client is sent a ping. Default: 30,000. */
  readonly pingInterval: number
  /**
   * After this much silence from the client, in milliseconds, the connection is closed with 1008, even if the client
   * was pinged. Default: 120,000.
   */
  readonly idleTimeout: number
  /**
   * How long the server may stop reading from a client, in milliseconds: because your application paused the
   * connection, because its handlers are pending, or because the client does not read its output. After that, the
   * connection is closed with 1008, because a server that does not read can't notice that a client has left. A client
   * that accepts none of its waiting output for this time, or at most twice as long, is closed too. Default: 60,000.
   */
  readonly pauseTimeout: number
  /** The age in milliseconds at which a connection is closed with 1001. Default: 0, which means any age. */
  readonly maxLifetime: number
  /**
   * How many messages a client may send per second. A client that was silent may send a second's worth at once. If it
   * sends more, the connection is closed with 1008. Default: 0, which means any number.
   */
  readonly messageRate: number
  /**
   * How many payload bytes a client may send per second. A client that was silent may send a second's worth at once. If
   * it sends more, the connection is closed with 1008. Default: 0, which means any number.
   */
  readonly byteRate: number
}
