// A connection as the application sees it.
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Message } from './message.js'
import type { PreparedMessage } from './sending/prepared.js'
import type { SendStreamOptions, StreamSource } from './sending/streamSource.js'

/**
 * What became of a message: `sent` with this turn's write, `buffered` behind what the peer has not read yet,
 * `dropped` by the output policy, or not sent because the connection is `closed` or closing.
 */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed'

/** What can be sent: a string as text, bytes as binary, a Message or a PreparedMessage as what it is. */
export type Sendable = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message | PreparedMessage

/** The messages of a connection, one after the other. */
export interface Messages extends AsyncIterator<Message, undefined> {
  [Symbol.asyncIterator](): Messages
}

/** One peer. Every method may be called at any time, also after the end: then it does nothing, or answers `'closed'`. */
export interface Connection<Data = unknown> {
  /** The application's own: what `upgrade` returned, or what was assigned since. */
  data: Data
  /** Whether messages can be sent: the opening handshake is done, and nobody has said Close. */
  readonly isOpen: boolean
  /** Bytes accepted by `send` that the operating system has not taken yet, those behind a stream included. */
  readonly bufferedAmount: number
  /**
   * The client's IP address: the peer's, or what a trusted proxy says of it. Undefined once the connection has ended,
   * and for transports that have none.
   */
  readonly remoteAddress: string | undefined
  /** The subprotocol that was agreed on; empty if none was. */
  readonly protocol: string
  /** The request that opened the connection: path, headers and so on. Read only when asked for. */
  readonly request: UpgradeRequest
  /**
   * Sends a message. The data is copied, or has left, when this returns: it may be changed at once.
   * All messages of one turn leave in one write. Throws a TypeError for anything that is not a Sendable, and an Error
   * for a Message whose handler has returned, a PreparedMessage that is released, or amid a fragmented message.
   */
  send(data: Sendable): SendResult
  /**
   * Sends one fragment of a message; `last` ends it. The first decides whether the message is text. A character may be
   * cut between fragments. Throws a TypeError where text and bytes are mixed. Is not subject to the policy `'drop'`.
   */
  sendFragment(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer, last: boolean): SendResult
  /**
   * Sends everything that `source` yields as one message, in fragments, no faster than the peer reads: an async
   * iterable, a web ReadableStream or a Readable of Node.js. Messages sent meanwhile wait until it is done, as buffered
   * output under `outputPolicy`. Resolves when the last fragment is on its way. If the source fails, the connection is
   * closed with 1011, and the promise rejects with its error. If the connection ends, it rejects at once, and the source
   * is let go: a Readable is destroyed, a web stream cancelled, an iterator's `return` called; to ignore that is fine.
   * Throws a TypeError for what is no source or no option, and an Error where another stream or fragmented message is
   * under way.
   */
  sendStream(source: StreamSource, options?: SendStreamOptions): Promise<void>
  /**
   * Subscribes to a topic of the server: from now on, what is published there is sent to this connection. To subscribe
   * twice is to subscribe once. It ends with the connection. Throws a RangeError above `maxSubscriptions`, or for a new
   * topic above `maxTopics`, and a TypeError for a topic that is no string of 1 to 255 bytes.
   */
  subscribe(topic: string): void
  /** Ends a subscription; without one, it does nothing. */
  unsubscribe(topic: string): void
  /** Whether this connection subscribes to a topic. */
  isSubscribed(topic: string): boolean
  /**
   * Publishes a message to all subscribers of a topic, of every acceptor and machine that shares the server's broker, but
   * not to this connection. It is encoded once, and leaves with this turn's write. Returns how many subscribers it is sent
   * to in this process: what their output policy makes of it is not known yet. 0 where no memory is left for it: then it is
   * dropped, with a warning. Throws as `send` does.
   */
  publish(topic: string, data: Sendable): number
  /**
   * Sends a ping with up to 125 bytes of payload (by default, some that are like no other ping's), and resolves with
   * the round trip in milliseconds. Rejects if the connection ends before the pong comes; to ignore that is fine.
   * Throws a RangeError for more than 125 bytes.
   */
  ping(data?: string | ArrayBufferView | ArrayBuffer): Promise<number>
  /**
   * Stops delivering, and reading from the peer; also in the middle of what was read at once. What is already here is
   * kept, and counts against the memory for payloads. While paused, it goes unnoticed that the peer has left: see
   * `pauseTimeout`.
   */
  pause(): void
  /** Goes on where `pause` stopped. */
  resume(): void
  /**
   * The messages as an async iterator: from now on they go there, and no longer to the `message` handler. Each is
   * readable until the next one is asked for. When the connection ends, so does the loop, after what has come before.
   * Leaving the loop stops reading; another call goes on where it was left.
   */
  messages(): Messages
  /**
   * Starts the closing handshake. Messages that the peer sent before it saw this still arrive.
   * Default: 1000, no reason. Throws a RangeError for a code that may not be sent, or a reason of more than 123 bytes.
   */
  close(code?: number, reason?: string): void
  /** Ends the connection at once, without a Close frame: the peer sees 1006. */
  terminate(): void
}
