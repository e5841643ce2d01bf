// The class WebSocket of ws, over a peer of this project's. Its methods check what they are given as those of ws do, and
// leave the rest to its SocketPeer, which nobody outside can reach: the object is the application's own, to put properties
// on it, to replace its methods, and to make subclasses of its class.

import type { Buffer } from 'node:buffer'
import { EventEmitter } from 'node:events'
import type { ClientRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import { LONGEST_7_BIT, OPCODE_PING, OPCODE_PONG } from '../codec/frames.js'
import { CloseCode } from '../protocol/closeCode.js'
import type { Agreement, SocketOptions } from './adoption.js'
import { callbackOf } from './callbackOf.js'
import { ClientOpening } from './clientOpening.js'
import { type ClientOptions, clientArguments, clientOptions } from './clientOptions.js'
import { closePayload } from './closePayload.js'
import { BINARY_TYPES, type BinaryType, byteLengthOf, EMPTY, type Payload, payloadOf } from './data.js'
import { controlTooLong, hasNone, notOpenError } from './errors.js'
import { addHandler, attribute, type EventHandler, isClean, removeHandler, setAttribute } from './events.js'
import { addPrivateFields, extensionsOf, type Inside } from './privateFields.js'
import type { ReadPauses } from './readPauses.js'
import type { Receiver } from './receiver.js'
import { keepOriginals } from './replaced.js'
import type { SendCallback } from './sendCallbacks.js'
import { type Sender, SocketSender } from './sender.js'
import { flagsOf, plainFlags, type SendOptions } from './sendOptions.js'
import { socketContext } from './socketContext.js'
import type { SocketSettings } from './socketOwner.js'
import { SocketPeer } from './socketPeer.js'
import { settingsOf } from './socketSettings.js'
import type { WebSocketOptions } from './webSocketOptions.js'

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3] as const

/** What only millrace itself may do with a WebSocket. @internal */
interface WebSocketInternals {
  /** Takes what the opening handshake has come to. */
  agree(ws: WebSocket, agreement: Agreement): void
  /** Opens it over a socket; `response` is written first. */
  open(ws: WebSocket, socket: Duplex, head: Buffer, options: SocketOptions, response: string): void
  /** What there is behind it. */
  inside(ws: WebSocket): Inside
  /** Calls `call` when all that was sent has left, Close too, or never will. */
  whenFinished(ws: WebSocket, call: () => void): void
}

let internals: WebSocketInternals

export class WebSocket extends EventEmitter {
  declare static readonly CONNECTING: 0
  declare static readonly OPEN: 1
  declare static readonly CLOSING: 2
  declare static readonly CLOSED: 3
  declare readonly CONNECTING: 0
  declare readonly OPEN: 1
  declare readonly CLOSING: 2
  declare readonly CLOSED: 3
  declare onopen: EventHandler | null
  declare onerror: EventHandler | null
  declare onclose: EventHandler | null
  declare onmessage: EventHandler | null
  _isServer = true // the frames of this side are not masked
  #peer: SocketPeer | undefined
  #binaryType: BinaryType = 'nodebuffer'
  #protocol = ''
  #paused = false
  #sender: Sender | undefined
  #settings: SocketSettings
  #unsent = 0 // bytes that were sent after a failed opening handshake
  #opening: ClientOpening | undefined // the opening handshake of a client

  static {
    internals = {
      agree: (ws, { protocol, deflate }) => {
        ws.#protocol = protocol
        if (deflate !== undefined) ws.#settings = { ...ws.#settings, deflate }
      },
      open: (ws, socket, head, options, response) => ws.#open(socket, head, options, response),
      inside: (ws) => ({ peer: ws.#peer, settings: ws.#settings }),
      whenFinished: (ws, call) => ws.#peer?.ending.whenWritten(call),
    }
  }

  /** Made by a server, which opens it with `setSocket`. */
  constructor(address: null, protocols?: undefined, options?: WebSocketOptions)
  /**
   * A client, which dials. Throws a SyntaxError for an address or subprotocols that are wrong, and what node:http throws.
   */
  constructor(address: string | URL, protocols?: string | readonly string[], options?: ClientOptions)
  constructor(address: string | URL, options?: ClientOptions)
  constructor(address: unknown, protocols?: unknown, options?: unknown) {
    super()
    if (address === null) this.#settings = settingsOf((options ?? {}) as WebSocketOptions)
    else {
      this._isServer = false
      const [names, given] = clientArguments(protocols, options)
      this.#settings = settingsOf(clientOptions(given))
      this.#opening = new ClientOpening(this, address, names, given, (socket, head, use, agreement) => {
        webSocketInternals.agree(this, agreement)
        this.setSocket(socket, head, use)
      })
    }
  }

  get binaryType(): BinaryType {
    return this.#binaryType
  }

  set binaryType(type: BinaryType) {
    if (BINARY_TYPES.includes(type)) this.#binaryType = type
    if (type === 'fragments') this.#peer?.incoming.markFrames()
  }

  /** Bytes that were sent and have not left. */
  get bufferedAmount(): number {
    return this.#peer?.frames.buffered ?? this.#unsent
  }

  /** The extensions that were agreed on. */
  get extensions(): string {
    return this.#settings.deflate !== undefined ? 'permessage-deflate' : ''
  }

  get isPaused(): boolean {
    return this.#paused
  }

  get protocol(): string {
    return this.#protocol
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#peer?.readyState ?? this.#opening?.readyState ?? CONNECTING
  }

  /** The address of a client; a server's WebSocket has none. */
  get url(): string | undefined {
    return this.#opening?.url
  }

  /** The request of the opening handshake, while it lasts. */
  get _req(): ClientRequest | null | undefined {
    return this.#opening?.request
  }

  /** How often a client has been redirected. */
  get _redirects(): number | undefined {
    return this.#opening?.redirects
  }

  /** The socket that it was opened over. */
  get _socket(): Duplex | null {
    return this.#peer?.expose() ?? null
  }

  /** Sends frames that were made before. */
  get _sender(): Sender | null {
    const peer = this.#peer
    if (peer !== undefined) this.#sender ??= new SocketSender(peer.frames, () => peer.expose())
    return this.#sender ?? null
  }

  get _receiver(): Receiver | null {
    const extensions = extensionsOf(this, { peer: this.#peer, settings: this.#settings })
    return this.#peer?.receiverFor(this, extensions) ?? null
  }

  get [isClean](): boolean {
    return this.#peer !== undefined && this.#peer.closeCode !== CloseCode.abnormal && this.#peer.ending.closeLeft
  }

  /** Opens it over a socket on which the opening handshake is done. */
  setSocket(socket: Duplex, head: Buffer, options: SocketOptions): void {
    this.#open(socket, head, options, '')
  }

  /** It has closed: tells that. */
  emitClose(): void {
    this.#peer?.lifecycle.transportGone()
    this.emit('close', this.#peer?.closeCode ?? CloseCode.abnormal, this.#peer?.end?.reason ?? EMPTY)
  }

  /** Starts the closing handshake. Throws a TypeError for a wrong code or reason, and a RangeError for a long reason. */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.readyState === CONNECTING) this.#opening?.abort()
    else if (this.readyState === OPEN) this.#peer?.ending.close(closePayload(code, reason))
  }

  /** Ends the connection at once: what was sent before has left, as far as the system takes it; what was compressed has not. */
  terminate(): void {
    if (this.readyState === CONNECTING) return this.#opening?.abort()
    this.#peer?.frames.leave()
    this.#peer?.terminate()
  }

  /** Stops reading. */
  pause(): void {
    this.#setPaused(true)?.pause()
  }

  /** Reads on. */
  resume(): void {
    this.#setPaused(false)?.resume()
  }

  ping(data?: unknown, mask?: unknown, callback?: SendCallback): void {
    this.#control(OPCODE_PING, data, mask, callback)
  }

  pong(data?: unknown, mask?: unknown, callback?: SendCallback): void {
    this.#control(OPCODE_PONG, data, mask, callback)
  }

  /** Sends a message, or a fragment of one. Throws an Error before it is open. */
  send(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    const peer = this.#sendable()
    const called = typeof options === 'function' ? options : callback
    const payload = payloadOf(typeof data === 'number' ? data.toString() : data)
    if (peer?.readyState !== OPEN) return this.#refuse(payload, called)
    const flags =
      typeof options === 'object' && options !== null ? flagsOf(data, options, this._isServer) : plainFlags(data)
    peer.frames.send(payload, flags, callbackOf(called))
  }

  addEventListener(type: string, handler: EventHandler, options: { once?: boolean } = {}): void {
    addHandler(this, type, handler, Boolean(options.once))
  }

  removeEventListener(type: string, handler: EventHandler): void {
    removeHandler(this, type, handler)
  }

  #open(socket: Duplex, head: Buffer, options: SocketOptions, response: string): void {
    const context = socketContext(options, this._isServer ? 'server' : 'client')
    const peer = new SocketPeer(this, this.#settings, context, socket)
    this.#peer = peer
    if (this.#binaryType === 'fragments') peer.incoming.markFrames()
    peer.start(head, response)
    this.emit('open')
  }

  /** What pauses it, if it may be now. Throws a TypeError, as ws does, where the opening handshake has failed. */
  #setPaused(paused: boolean): ReadPauses | undefined {
    if (this.readyState === CONNECTING || this.readyState === CLOSED) return
    this.#paused = paused
    return (this.#peer ?? hasNone(paused ? 'pause' : '_writableState')).pauses
  }

  /** The peer; a client whose opening handshake has failed has none. Throws an Error before it is open. */
  #sendable(): SocketPeer | undefined {
    if (this.#peer === undefined && this.readyState === CONNECTING) throw notOpenError(CONNECTING)
    return this.#peer
  }

  /** It can't be sent any more: it counts as buffered, and the callback is told. */
  #refuse(payload: Payload, callback: unknown): void {
    if (this.#peer === undefined) this.#unsent += byteLengthOf(payload)
    else this.#peer.frames.unsendable += byteLengthOf(payload)
    if (callback) process.nextTick(callback as SendCallback, notOpenError(this.readyState)) // throws for what is no function
  }

  /** Each of the last two arguments may be the callback, and so may be the first. */
  #control(opcode: number, data: unknown, mask: unknown, callback: SendCallback | undefined): void {
    const peer = this.#sendable()
    const called = [data, mask].find((argument) => typeof argument === 'function') ?? callback
    const content = typeof data === 'function' ? undefined : data
    const payload = payloadOf(typeof content === 'number' ? content.toString() : content)
    if (peer?.readyState !== OPEN) return this.#refuse(payload, called)
    if (byteLengthOf(payload) > LONGEST_7_BIT) throw controlTooLong()
    const chosen = typeof data === 'function' || typeof mask === 'function' ? undefined : mask
    peer.frames.control(opcode, payload, callbackOf(called), chosen !== undefined && Boolean(chosen) === this._isServer)
  }
}

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(WebSocket, name, { enumerable: true, value })
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true, value })
}

addPrivateFields(WebSocket.prototype, internals.inside)
keepOriginals(WebSocket.prototype)

const ATTRIBUTES = ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url']
for (const name of [...ATTRIBUTES, 'addEventListener', 'removeEventListener']) {
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true })
}

for (const type of ['open', 'error', 'close', 'message']) {
  Object.defineProperty(WebSocket.prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    get(this: WebSocket): EventHandler | null {
      return attribute(this, type)
    },
    set(this: WebSocket, handler: unknown) {
      setAttribute(this, type, handler)
    },
  })
}

/** @internal */
export const webSocketInternals: WebSocketInternals = internals
