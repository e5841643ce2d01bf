// A connection as the application sees it.
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { DeflateStatistics } from './deflateTally.js'
import type { Message } from './message.js'
import type { Resumption, SubscribeOptions } from './resumption.js'
import type { PreparedMessage } from './sending/prepared.js'
import type { SendStreamOptions, StreamSource } from './sending/streamSource.js'

/**
 * What became of a message:
 *
 * - `'sent'`: it leaves with this turn's write.
 * - `'buffered'`: it waits, because the client has not read what was sent before, because it is long and is being
 *   compressed, or because so much is on its way that the rest leaves in later turns of the event loop. `drain` is called when everything has left.
 * - `'dropped'`: the output policy has dropped it.
 * - `'closed'`: it was not sent, because the connection is closed or closing.
 */
export type SendResult = 'sent' | 'buffered' | 'dropped' | 'closed'

/**
 * What can be sent. A string is sent as text, and bytes are sent as binary. A Message or a PreparedMessage is sent as
 * text or binary, as it was made.
 */
export type Sendable = string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer | Message | PreparedMessage

/** How `send` sends a message. */
export interface SendOptions {
  /**
   * Whether the message is compressed, if client and server have agreed on compression: true however short it is, false
   * not at all. Default: by its length, as `deflate.threshold` says.
   */
  readonly compress?: boolean
}

/** The messages of a connection as an async iterator: what `connection.messages()` returns. */
export interface Messages extends AsyncIterator<Message, undefined> {
  /** Returns this iterator, so that `for await` accepts it. */
  [Symbol.asyncIterator](): Messages
}

/**
 * One client. Every method may be called at any time, even after the connection has ended: then it does nothing, or
 * returns `'closed'`.
 */
export interface Connection<Data = unknown> {
  /** Your application's own data: what `upgrade` returned as `data`, or whatever you have assigned since. */
  data: Data
  /**
   * A name of this connection, which no other connection of any process or machine has: a short string without spaces. It
   * is made when you first ask for it. With the option `reconnect` of a client, each new connection has a new name.
   */
  readonly id: string
  /** Whether messages can be sent: the opening handshake has succeeded, and neither side has sent a Close frame. */
  readonly isOpen: boolean
  /**
   * How many bytes `send` has accepted that the operating system has not taken yet. Bytes that wait for a stream to end
   * are included.
   */
  readonly bufferedAmount: number
  /**
   * The client's IP address: the address of the TCP connection, or the one that a trusted proxy reported. Undefined
   * when the connection has ended, and for connections without an address, such as those over Unix sockets.
   */
  readonly remoteAddress: string | undefined
  /** The subprotocol that client and server have agreed on. Empty if they agreed on none. */
  readonly protocol: string
  /**
   * How long the compressed messages of this connection were before and after compression. Undefined if client and server
   * have not agreed on compression.
   */
  readonly deflateStatistics: DeflateStatistics | undefined
  /**
   * The request that opened the connection, with its path, headers and so on. It is parsed only when you ask for it.
   */
  readonly request: UpgradeRequest
  /**
   * Sends a message. You may change the data as soon as `send` returns: it has been copied or has left by then. All
   * messages that are sent in one turn of the event loop leave in one write. Throws a TypeError if `data` is not a
   * Sendable. Throws an Error for a Message whose handler has returned, for a PreparedMessage that was released, and
   * while a message in fragments is unfinished.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   message(connection, message) {
   *     const result = connection.send(message.text().toUpperCase())
   *     if (result === 'buffered') console.log(connection.bufferedAmount, 'bytes wait for this client')
   *   },
   * })
   * ```
   */
  send(data: Sendable, options?: SendOptions): SendResult
  /**
   * Sends one fragment of a message. `last` says that it is the last one. The first fragment decides whether the
   * message is text. A character may be split between two fragments. The policy `'drop'` does not apply to fragments.
   * Throws a TypeError if text and bytes are mixed in one message.
   */
  sendFragment(data: string | ArrayBufferView | ArrayBuffer | SharedArrayBuffer, last: boolean): SendResult
  /**
   * Sends everything that `source` yields as one message in fragments, no faster than the client reads. `source` is an
   * async iterable, a web ReadableStream or a Readable of Node.js. Messages that are sent meanwhile wait until the
   * stream has ended, and count as buffered output for `outputPolicy`. The promise resolves when the last fragment has
   * been written.
   *
   * If the source fails, the connection is closed with 1011, and the promise rejects with the source's error. If the
   * connection ends first, the promise rejects at once and the source is given up: a Readable is destroyed, a web
   * stream is cancelled, and an iterator's `return` is called. You may ignore that rejection. Throws a TypeError for a
   * wrong source or option, and an Error while another stream or a message in fragments is unfinished.
   * @example
   * ```js
   * import { createReadStream } from 'node:fs'
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   async message(connection, message) {
   *     await connection.sendStream(createReadStream('report.csv'), { binary: true })
   *   },
   * })
   * ```
   */
  sendStream(source: StreamSource, options?: SendStreamOptions): Promise<void>
  /**
   * Subscribes to a topic of the server: from now on, what is published on the topic is sent to this connection, until
   * it unsubscribes or ends. Subscribing a second time has no effect. Throws a TypeError if the topic is not a string
   * of 1 to 255 bytes, and a RangeError above `maxSubscriptions` or, for a new topic, above `maxTopics`.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   open(connection) {
   *     connection.subscribe('news')
   *   },
   *   message(connection, message) {
   *     connection.publish('news', message)
   *   },
   * })
   * ```
   */
  subscribe(topic: string): void
  /**
   * Subscribes to a topic that has a history (the option `topics`), and sends first, in order and once, what was published
   * after the position `after`. The promise says whether that is everything that was missed, and where the topic stands
   * now. It resolves when all of it was sent, and never rejects. Without `after`, nothing is sent first, and nothing was
   * missed. If something is missing, nothing is sent first, unless it was forgotten while it was being sent. Throws as
   * `subscribe` without options does, and a TypeError for names that are not options.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   topics: { history: { messages: 1000 } },
   *   async open(connection) {
   *     const after = connection.request.query.get('after') ?? undefined
   *     const { resumed, position } = await connection.subscribe('news', { after })
   *     connection.send(JSON.stringify({ resumed, position }))
   *   },
   * })
   * ```
   */
  subscribe(topic: string, options: SubscribeOptions): Promise<Resumption>
  /** Ends a subscription. Without a subscription, it does nothing. */
  unsubscribe(topic: string): void
  /**
   * How many publications on a topic were left out for this connection since it has subscribed, because its client had not
   * read what was sent before: by the output policy `'drop'`. The handler `leftOut` tells of them.
   */
  leftOut(topic: string): number
  /** Whether this connection subscribes to a topic. */
  isSubscribed(topic: string): boolean
  /**
   * Publishes a message to all subscribers of a topic except this connection, in every acceptor and on every machine
   * that shares the server's broker. The message is encoded once, and leaves with this turn's write. Returns the number
   * of subscribers in this process that the message is for; their output policies may still drop it. If no memory is
   * left for the message, it is dropped with a warning, and the result is 0. Throws as `send` does.
   */
  publish(topic: string, data: Sendable): number
  /**
   * Sends a ping, and resolves with the round trip in milliseconds when the pong arrives. `data` may have up to 125
   * bytes; by default it is different for each ping. Rejects if the connection ends before the pong arrives; you may
   * ignore that rejection. Throws a RangeError for more than 125 bytes.
   */
  ping(data?: string | ArrayBufferView | ArrayBuffer): Promise<number>
  /**
   * Stops delivering messages and reading from the client, even between two messages that arrived together. What has
   * arrived is kept, and counts against `payloadMemory`. While a connection is paused, the server can't notice that the
   * client has left: see `pauseTimeout`.
   */
  pause(): void
  /** Continues where `pause` stopped. */
  resume(): void
  /**
   * Returns the messages as an async iterator. From now on, messages go to the iterator and no longer to the `message`
   * handler. Each message can be read until you ask for the next one. The loop ends when the connection has ended and
   * all messages that arrived before have been delivered. If you leave the loop, reading stops; call `messages` again
   * to continue.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer({
   *   async open(connection) {
   *     for await (const message of connection.messages()) connection.send(message)
   *   },
   * })
   * ```
   */
  messages(): Messages
  /**
   * Starts the closing handshake. Messages that the client sent before it received the Close frame still arrive. The
   * default is code 1000 without a reason. Throws a RangeError for a code that must not be sent, and for a reason of
   * more than 123 bytes.
   */
  close(code?: number, reason?: string): void
  /** Ends the connection at once, without a Close frame. The client sees the code 1006. */
  terminate(): void
}
