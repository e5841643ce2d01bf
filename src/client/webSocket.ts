// The WebSocket of browsers (WHATWG WebSockets, section 3), for code that is written for them: over the same connection as
// `connect`, with its speed and its limits.
import type { Connection } from '../connection/connection.js'
import type { Handlers } from '../connection/handlers.js'
import type { Message } from '../connection/message.js'
import { CloseCode } from '../protocol/closeCode.js'
import { whenAborted } from './abortion.js'
import { CloseEvent } from './closeEvent.js'
import { open } from './connect.js'
import { EventAttributes, type EventHandler, EventHandlers } from './eventHandlers.js'
import type { ClientLimits, Reach } from './options.js'
import { PageSending } from './pageSending.js'
import type { UpgradeResponse } from './upgradeResponse.js'
import { requireArgument, shapeInterface } from './webIdl.js'
import {
  addressOf,
  argumentsOf,
  checkAgreement,
  checkProtocols,
  checkSettings,
  closingOf,
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

  /** What the connections of all WebSockets call: it is the same for all of them. */
  static readonly #inside: Handlers<WebSocket> = {
    message: ({ data: socket }, message) => socket.#received(message),
    close: ({ data: socket }, code, reason) => socket.#ended(code, reason),
    error: ({ data: socket }) => {
      socket.#failed = true
    },
  }
  static readonly #attributes = new EventAttributes((socket: WebSocket) => {
    socket.#handlers ??= new EventHandlers()
    return socket.#handlers
  })

  readonly #url: string
  /** That of the address, as messages tell it; undefined before the first. */
  #origin: string | undefined
  #handlers: EventHandlers | undefined
  /** Gives the attempt up; undefined when that is over. */
  #stop: AbortController | undefined
  #connection: Connection<WebSocket> | undefined
  #state = CONNECTING
  #binaryType: 'blob' | 'arraybuffer' = 'blob'
  #protocol = ''
  #extensions = ''
  /** Both sides have said Close, or this side has failed the connection. */
  #failed = false
  /** Made when something is sent: many only listen. */
  #sent: PageSending | undefined

  /**
   * Begins to connect. Throws a SyntaxError (a DOMException) for an address or subprotocols that are wrong, and a
   * TypeError for wrong options.
   */
  constructor(url: string | URL, protocols: string | Iterable<string> | WebSocketOptions = []) {
    super()
    // biome-ignore lint/complexity/noArguments: as in `send`
    requireArgument('WebSocket', arguments)
    const options = argumentsOf(protocols)
    const address = addressOf(url)
    checkProtocols(options.protocols)
    checkSettings(options)
    this.#url = address.href
    this.#connect(address, options).catch(() => this.#fail())
  }

  /** The address, as it is used. */
  get url(): string {
    return this.#url
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
    return this.#sent?.bufferedAmount ?? 0
  }

  get #sending(): PageSending {
    this.#sent ??= new PageSending(this.#connection)
    return this.#sent
  }

  /** Sends a message. Throws an InvalidStateError (a DOMException) while the connection is not open yet. */
  send(data: WebSocketData): void {
    // biome-ignore lint/complexity/noArguments: undefined is an argument, and a rest parameter would be none of `send.length`
    requireArgument('send', arguments)
    if (this.#state === CONNECTING) throw new DOMException('The connection is not open yet', 'InvalidStateError')
    const payload = payloadOf(data)
    if (this.#state === OPEN) this.#sending.send(payload)
    else this.#sending.discard(payload)
  }

  /**
   * Closes the connection. Throws an InvalidAccessError (a DOMException) for a code that is neither 1000 nor from 3000
   * to 4999, and a SyntaxError for a reason of more than 123 bytes. Without a code and a reason, the Close frame says nothing.
   */
  close(code?: number, reason?: string): void {
    const said = closingOf(code, reason)
    if (this.#state === CONNECTING) this.#stop?.abort()
    else if (this.#state === OPEN) this.#sending.close(said)
    if (this.#state < CLOSING) this.#state = CLOSING
  }

  /** Called when the connection is open. */
  get onopen(): EventHandler {
    return WebSocket.#attributes.get(this, 'open')
  }

  /** Sets what is called; `null` takes it away. */
  set onopen(handler: EventHandler) {
    WebSocket.#attributes.set(this, 'open', handler)
  }

  /** Called with each message, as a MessageEvent. */
  get onmessage(): EventHandler<MessageEvent> {
    return WebSocket.#attributes.get(this, 'message')
  }

  /** Sets what is called; `null` takes it away. */
  set onmessage(handler: EventHandler<MessageEvent>) {
    WebSocket.#attributes.set(this, 'message', handler)
  }

  /** Called when the connection breaks, or can not be opened; `onclose` follows. */
  get onerror(): EventHandler {
    return WebSocket.#attributes.get(this, 'error')
  }

  /** Sets what is called; `null` takes it away. */
  set onerror(handler: EventHandler) {
    WebSocket.#attributes.set(this, 'error', handler)
  }

  /** Called when the connection has ended. */
  get onclose(): EventHandler<CloseEvent> {
    return WebSocket.#attributes.get(this, 'close')
  }

  /** Sets what is called; `null` takes it away. */
  set onclose(handler: EventHandler<CloseEvent>) {
    WebSocket.#attributes.set(this, 'close', handler)
  }

  async #connect(address: URL, options: WebSocketOptions): Promise<void> {
    const { signal: given } = options
    const stop = new AbortController()
    this.#stop = stop
    const unlisten = given && whenAborted(given, () => stop.abort(given.reason))
    const upgrade = ({ headers }: UpgradeResponse): void => {
      checkAgreement(options.protocols ?? [], headers['sec-websocket-protocol'])
      this.#extensions = headers['sec-websocket-extensions'] ?? ''
    }
    const asked = { ...options, upgrade, signal: stop.signal, data: this }
    this.#connection = await open(address, asked, WebSocket.#inside).finally(unlisten)
    this.#stop = undefined
    if (this.#state !== CONNECTING) return this.#connection.terminate()
    this.#protocol = this.#connection.protocol
    this.#state = OPEN
    this.dispatchEvent(new Event('open'))
  }

  #received(message: Message): void {
    if (this.#state !== OPEN) return
    this.#origin ??= new URL(this.#url).origin
    const data = message.isText ? message.text() : this.#binary(message)
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#origin }))
  }

  #binary(message: Message): ArrayBuffer | Blob {
    const bytes = new Uint8Array(message.bytes)
    return this.#binaryType === 'blob' ? new Blob([bytes]) : bytes.buffer
  }

  /** The connection could not be opened. */
  #fail(): void {
    this.#stop = undefined
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

shapeInterface(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED })
