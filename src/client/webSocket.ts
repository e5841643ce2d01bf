// The WebSocket of browsers (WHATWG WebSockets, section 3), for code that is written for them: over the same connection as
// `connect`, with its speed and its limits.
import type { Connection } from '../connection/connection.js'
import type { Handlers } from '../connection/handlers.js'
import type { Message } from '../connection/message.js'
import { closeWithoutCode } from '../connection/publicConnection.js'
import { CloseCode } from '../protocol/closeCode.js'
import { whenAborted } from './abortion.js'
import { CloseEvent } from './closeEvent.js'
import { connect } from './connect.js'
import { type EventHandler, EventHandlers } from './eventHandlers.js'
import type { ClientLimits, Reach } from './options.js'
import {
  addressOf,
  argumentsOf,
  bytesOf,
  checkAgreement,
  checkProtocols,
  checkSettings,
  closingOf,
  lengthOf,
  payloadOf,
  type WebSocketData,
} from './webSocketArguments.js'

/** What a WebSocket may be told besides: how the server is reached, the limits, and compression. */
export interface WebSocketOptions extends Reach, Partial<ClientLimits> {
  /** Offers permessage-deflate, as in `connect`. Default: false. */
  readonly deflate?: boolean
}

const CONNECTING = 0
const OPEN = 1
const CLOSING = 2
const CLOSED = 3

/**
 * The WebSocket of browsers, for code that is written for them: events, `binaryType`, `bufferedAmount`.
 * @example
 * ```js
 * import { WebSocket } from 'millrace/client'
 *
 * const socket = new WebSocket('ws://127.0.0.1:9001')
 * socket.onopen = () => socket.send('hello')
 * socket.onmessage = ({ data }) => {
 *   console.log(data)
 *   socket.close()
 * }
 * ```
 */
export class WebSocket extends EventTarget {
  /** The state while it connects. */
  static readonly CONNECTING = CONNECTING
  /** The state while it is open. */
  static readonly OPEN = OPEN
  /** The state while it closes. */
  static readonly CLOSING = CLOSING
  /** The state when it has ended. */
  static readonly CLOSED = CLOSED
  /** The same. @internal */
  declare readonly CONNECTING: typeof CONNECTING
  /** The same. @internal */
  declare readonly OPEN: typeof OPEN
  /** The same. @internal */
  declare readonly CLOSING: typeof CLOSING
  /** The same. @internal */
  declare readonly CLOSED: typeof CLOSED

  readonly #url: URL
  readonly #handlers = new EventHandlers(this)
  readonly #stop = new AbortController()
  #connection: Connection | undefined
  #state = CONNECTING
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #protocol = ''
  #extensions = ''
  /** Both sides have said Close, or this side has failed the connection. */
  #failed = false
  /** What was given to `send` in this turn, on top of what waited before it; and after the end. */
  #turn = 0
  #before = 0
  #surplus = 0
  /** Bytes of the Close frame, which are not the application's. */
  #close = 0
  /** What waits until a Blob has been read: messages leave in order. */
  #reading: Promise<void> | undefined

  /**
   * Begins to connect. Throws a SyntaxError (a DOMException) for an address or subprotocols that are wrong, and a
   * TypeError for wrong options.
   */
  constructor(url: string | URL, protocols: string | Iterable<string> | WebSocketOptions = []) {
    super()
    const options = argumentsOf(protocols)
    this.#url = addressOf(url)
    checkProtocols(options.protocols)
    checkSettings(options)
    this.#connect(options).catch(() => this.#fail())
  }

  /** The address, as it is used. */
  get url(): string {
    return this.#url.href
  }

  /** 0 while it connects, 1 while it is open, 2 while it closes, 3 when it has ended. */
  get readyState(): number {
    return this.#state
  }

  /** The subprotocol that was agreed on; empty if there is none. */
  get protocol(): string {
    return this.#protocol
  }

  /** The extensions that were agreed on, as the server's header has them. */
  get extensions(): string {
    return this.#extensions
  }

  /** What the bytes of a message are given as. Default: `'blob'`. */
  get binaryType(): 'blob' | 'arraybuffer' {
    return this.#binaryType
  }

  /** Other values are ignored, as in browsers. */
  set binaryType(type: 'blob' | 'arraybuffer') {
    if (type === 'blob' || type === 'arraybuffer') this.#binaryType = type
  }

  /** WebSocketData bytes that were given to `send` and have not left. They do not grow less when the connection has ended. */
  get bufferedAmount(): number {
    const waiting = this.#turn > 0 ? this.#before + this.#turn : this.#waiting - this.#close
    return Math.max(waiting, 0) + this.#surplus
  }

  get #waiting(): number {
    return this.#connection?.bufferedAmount ?? 0
  }

  /** Sends a message. Throws an InvalidStateError (a DOMException) while the connection is not open yet. */
  send(data: WebSocketData): void {
    if (this.#state === CONNECTING) throw new DOMException('The connection is not open yet', 'InvalidStateError')
    const payload = payloadOf(data)
    const length = lengthOf(payload)
    if (this.#state !== OPEN) this.#surplus += length
    else if (payload instanceof Blob || this.#reading !== undefined) this.#queue(payload, length)
    else this.#send(payload, length)
  }

  /**
   * Closes the connection. Throws an InvalidAccessError (a DOMException) for a code that is neither 1000 nor from 3000
   * to 4999, and a SyntaxError for a reason of more than 123 bytes. Without a code and a reason, the Close frame says nothing.
   */
  close(code?: number, reason?: string): void {
    const said = closingOf(code, reason)
    if (this.#state === CONNECTING) this.#stop.abort()
    else if (this.#state === OPEN) {
      if (this.#reading === undefined) this.#sayClose(said)
      else this.#reading.then(() => this.#sayClose(said))
    }
    if (this.#state < CLOSING) this.#state = CLOSING
  }

  /** Called when the connection is open. */
  get onopen(): EventHandler {
    return this.#handlers.get('open')
  }

  /** Sets what is called; `null` takes it away. */
  set onopen(handler: EventHandler) {
    this.#handlers.set('open', handler)
  }

  /** Called with each message, as a MessageEvent. */
  get onmessage(): EventHandler<MessageEvent> {
    return this.#handlers.get('message')
  }

  /** Sets what is called; `null` takes it away. */
  set onmessage(handler: EventHandler<MessageEvent>) {
    this.#handlers.set('message', handler)
  }

  /** Called when the connection breaks, or can not be opened; `onclose` follows. */
  get onerror(): EventHandler {
    return this.#handlers.get('error')
  }

  /** Sets what is called; `null` takes it away. */
  set onerror(handler: EventHandler) {
    this.#handlers.set('error', handler)
  }

  /** Called when the connection has ended. */
  get onclose(): EventHandler<CloseEvent> {
    return this.#handlers.get('close')
  }

  /** Sets what is called; `null` takes it away. */
  set onclose(handler: EventHandler<CloseEvent>) {
    this.#handlers.set('close', handler)
  }

  async #connect(options: WebSocketOptions): Promise<void> {
    const { signal: given } = options
    const unlisten = given && whenAborted(given, () => this.#stop.abort(given.reason))
    const { signal } = this.#stop
    const handlers: Handlers = {
      message: (_, message) => this.#received(message),
      close: (_, code, reason) => this.#ended(code, reason),
      error: () => {
        this.#failed = true
      },
    }
    const connection = await connect(this.#url, {
      ...options,
      ...handlers,
      signal,
      upgrade: ({ headers }) => {
        checkAgreement(options.protocols ?? [], headers['sec-websocket-protocol'])
        this.#extensions = headers['sec-websocket-extensions'] ?? ''
      },
    }).finally(unlisten)
    this.#connection = connection
    if (this.#state !== CONNECTING) return connection.terminate()
    this.#protocol = connection.protocol
    this.#state = OPEN
    this.dispatchEvent(new Event('open'))
  }

  #received(message: Message): void {
    if (this.#state !== OPEN) return
    const data = message.isText ? message.text() : this.#binary(message)
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#url.origin }))
  }

  #binary(message: Message): ArrayBuffer | Blob {
    const bytes = new Uint8Array(message.bytes)
    return this.#binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer
  }

  #send(payload: Exclude<WebSocketData, Blob>, length: number): void {
    const connection = this.#connection
    if (this.#turn === 0) {
      this.#before = this.#waiting
      setImmediate(() => {
        this.#turn = 0
      })
    }
    this.#turn += length
    connection?.send(payload)
  }

  #sayClose({ code, reason }: ReturnType<typeof closingOf>): void {
    const before = this.#waiting
    if (this.#connection !== undefined && code === undefined) closeWithoutCode(this.#connection)
    else this.#connection?.close(code, reason)
    this.#close = this.#waiting - before
  }

  /** Sends after what waits for a Blob, or a Blob when it has been read. */
  #queue(payload: WebSocketData, length: number): void {
    this.#surplus += length
    const copy = typeof payload === 'string' || payload instanceof Blob ? payload : new Uint8Array(bytesOf(payload))
    const before = this.#reading ?? Promise.resolve()
    const sent = before.then(async () => {
      const data = copy instanceof Blob ? await copy.arrayBuffer() : copy
      if (this.#connection?.isOpen !== true) return
      this.#surplus -= length
      this.#send(data, length)
    })
    const reading = sent
      .catch(() => this.#connection?.terminate()) // a Blob whose file has changed can't be read
      .then(() => {
        if (this.#reading === reading) this.#reading = undefined
      })
    this.#reading = reading
  }

  /** The connection could not be opened. */
  #fail(): void {
    this.#failed = true
    this.#ended(CloseCode.abnormal, '')
  }

  #ended(code: number, reason: string): void {
    this.#state = CLOSED
    const wasClean = !this.#failed && code !== CloseCode.abnormal
    if (!wasClean) this.dispatchEvent(new Event('error'))
    // What this side has failed the connection for is not told to pages.
    const facts = wasClean ? { wasClean, code, reason } : { wasClean, code: CloseCode.abnormal }
    this.dispatchEvent(new CloseEvent('close', facts))
  }
}

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(WebSocket.prototype, name, { value, enumerable: true })
}
