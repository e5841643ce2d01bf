// A connection as the application sees it.
import type { Message } from './message.js'

/**
 * What became of a message: `sent` with this turn's write, `buffered` behind what the peer has not read yet,
 * or not sent because the connection is `closed` or closing.
 */
export type SendResult = 'sent' | 'buffered' | 'closed'

/** What can be sent: a string as text, bytes as binary, a Message as what it is. */
export type Sendable = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message

export interface Connection<Data = unknown> {
  /** The application's own: what `upgrade` returned, or what was assigned since. */
  data: Data
  /** Whether messages can be sent: the opening handshake is done, and nobody has said Close. */
  readonly isOpen: boolean
  /** Bytes accepted by `send` that the operating system has not taken yet. */
  readonly bufferedAmount: number
  /** The peer's IP address; undefined once the connection has ended, and for transports that have none. */
  readonly remoteAddress: string | undefined
  /**
   * Sends a message. The data is copied, or has left, when this returns: it may be changed at once.
   * All messages of one turn leave in one write. Throws a TypeError for anything that is not a Sendable, and an Error
   * for a Message whose handler has returned.
   */
  send(data: Sendable): SendResult
  /** Sends a ping with up to 125 bytes of payload. Throws a RangeError for more. */
  ping(data?: string | ArrayBufferView | ArrayBuffer): SendResult
  /**
   * Starts the closing handshake. Messages that the peer sent before it saw this still arrive.
   * Default: 1000, no reason. Throws a RangeError for a code that may not be sent, or a reason of more than 123 bytes.
   */
  close(code?: number, reason?: string): void
  /** Ends the connection at once, without a Close frame: the peer sees 1006. */
  terminate(): void
}
