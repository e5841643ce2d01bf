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
import { BINARY_TYPE, OPENING, PAUSED, PEER, PROTOCOL, SENDER, SETTINGS, UNSENT } from './fields.js'
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

type ControlArguments = readonly [data: unknown, mask: unknown, callback: SendCallback | undefined]

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
  _isServer = true; // the frames of this side are not masked
  [PEER]: SocketPeer | undefined;
  [BINARY_TYPE]: BinaryType = 'nodebuffer';
  [PROTOCOL] = '';
  [PAUSED] = false;
  [SENDER]: Sender | undefined;
  [SETTINGS]: SocketSettings;
  [UNSENT] = 0; // bytes that were sent after a failed opening handshake
  [OPENING]: ClientOpening | undefined // the opening handshake of a client

  /** Made by a server, which opens it with `setSocket`. */
  constructor(address: null, protocols?: undefined, options?: WebSocketOptions)
  /**
   * A client, which dials. Throws a SyntaxError for an address or subprotocols that are wrong, and what node:http throws.
   */
  constructor(address: string | URL, protocols?: string | readonly string[], options?: ClientOptions)
  constructor(address: string | URL, options?: ClientOptions)
  constructor(address: unknown, protocols?: unknown, options?: unknown) {
    super()
    if (address === null) this[SETTINGS] = settingsOf((options ?? {}) as WebSocketOptions)
    else {
      this._isServer = false
      const [names, given] = clientArguments(protocols, options)
      this[SETTINGS] = settingsOf(clientOptions(given))
      this[OPENING] = new ClientOpening(this, address, names, given, (socket, head, use, agreement) => {
        webSocketInternals.agree(this, agreement)
        this.setSocket(socket, head, use)
      })
    }
  }

  get binaryType(): BinaryType {
    return this[BINARY_TYPE]
  }

  set binaryType(type: BinaryType) {
    if (BINARY_TYPES.includes(type)) this[BINARY_TYPE] = type
    if (type === 'fragments') this[PEER]?.incoming.markFrames()
  }

  /** Bytes that were sent and have not left. */
  get bufferedAmount(): number {
    return this[PEER]?.frames.buffered ?? this[UNSENT]
  }

  /** The extensions that were agreed on. */
  get extensions(): string {
    return this[SETTINGS].deflate !== undefined ? 'permessage-deflate' : ''
  }

  get isPaused(): boolean {
    return this[PAUSED]
  }

  get protocol(): string {
    return this[PROTOCOL]
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this[PEER]?.readyState ?? this[OPENING]?.readyState ?? CONNECTING
  }

  /** The address of a client; a server's WebSocket has none. */
  get url(): string | undefined {
    return this[OPENING]?.url
  }

  /** The request of the opening handshake, while it lasts. */
  get _req(): ClientRequest | null | undefined {
    return this[OPENING]?.request
  }

  /** How often a client has been redirected. */
  get _redirects(): number | undefined {
    return this[OPENING]?.redirects
  }

  /** The socket that it was opened over. */
  get _socket(): Duplex | null {
    return this[PEER]?.expose() ?? null
  }

  /** Sends frames that were made before. */
  get _sender(): Sender | null {
    const peer = this[PEER]
    if (peer !== undefined) this[SENDER] ??= new SocketSender(peer.frames, () => peer.expose())
    return this[SENDER] ?? null
  }

  get _receiver(): Receiver | null {
    return this[PEER]?.receiverFor(extensionsOf(webSocketInternals.inside(this))) ?? null
  }

  get [isClean](): boolean {
    return this[PEER] !== undefined && this[PEER].closeCode !== CloseCode.abnormal && this[PEER].ending.closeLeft
  }

  /** Opens it over a socket on which the opening handshake is done. */
  setSocket(socket: Duplex, head: Buffer, options: SocketOptions): void {
    open(this, socket, head, options, '')
  }

  /** It has closed: tells that. */
  emitClose(): void {
    this[PEER]?.lifecycle.transportGone()
    this.emit('close', this[PEER]?.closeCode ?? CloseCode.abnormal, this[PEER]?.end?.reason ?? EMPTY)
  }

  /** Starts the closing handshake. Throws a TypeError for a wrong code or reason, and a RangeError for a long reason. */
  close(code?: number, reason?: string | Uint8Array): void {
    if (this.readyState === CONNECTING) this[OPENING]?.abort()
    else if (this.readyState === OPEN) this[PEER]?.ending.close(closePayload(code, reason))
  }

  /** Ends the connection at once: what was sent before has left, as far as the system takes it; what was compressed has not. */
  terminate(): void {
    if (this.readyState === CONNECTING) return this[OPENING]?.abort()
    this[PEER]?.frames.leave()
    this[PEER]?.terminate()
  }

  /** Stops reading. */
  pause(): void {
    setPaused(this, true)?.pause()
  }

  /** Reads on. */
  resume(): void {
    setPaused(this, false)?.resume()
  }

  ping(data?: unknown, mask?: unknown, callback?: SendCallback): void {
    control(this, OPCODE_PING, [data, mask, callback])
  }

  pong(data?: unknown, mask?: unknown, callback?: SendCallback): void {
    control(this, OPCODE_PONG, [data, mask, callback])
  }

  /** Sends a message, or a fragment of one. Throws an Error before it is open. */
  send(data: unknown, options?: SendOptions | SendCallback, callback?: SendCallback): void {
    const peer = sendable(this)
    const called = typeof options === 'function' ? options : callback
    const payload = payloadOf(typeof data === 'number' ? data.toString() : data)
    if (peer?.readyState !== OPEN) return refuse(this, payload, called)
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
}

function open(ws: WebSocket, socket: Duplex, head: Buffer, options: SocketOptions, response: string): void {
  const context = socketContext(options, ws._isServer ? 'server' : 'client')
  const peer = new SocketPeer(ws, ws[SETTINGS], context, socket)
  ws[PEER] = peer
  if (ws[BINARY_TYPE] === 'fragments') peer.incoming.markFrames()
  peer.start(head, response)
  ws.emit('open')
}

/** What pauses it, if it may be now. Throws a TypeError, as ws does, where the opening handshake has failed. */
function setPaused(ws: WebSocket, paused: boolean): ReadPauses | undefined {
  if (ws.readyState === CONNECTING || ws.readyState === CLOSED) return
  ws[PAUSED] = paused
  return (ws[PEER] ?? hasNone(paused ? 'pause' : '_writableState')).pauses
}

/** The peer; a client whose opening handshake has failed has none. Throws an Error before it is open. */
function sendable(ws: WebSocket): SocketPeer | undefined {
  if (ws[PEER] === undefined && ws.readyState === CONNECTING) throw notOpenError(CONNECTING)
  return ws[PEER]
}

/** It can't be sent any more: it counts as buffered, and the callback is told. */
function refuse(ws: WebSocket, payload: Payload, callback: unknown): void {
  const length = byteLengthOf(payload)
  if (ws[PEER] === undefined) ws[UNSENT] += length
  else ws[PEER].frames.unsendable += length
  if (callback) process.nextTick(callback as SendCallback, notOpenError(ws.readyState)) // throws for what is no function
}

/** Each of the last two arguments may be the callback, and so may be the first. */
function control(ws: WebSocket, opcode: number, [data, mask, callback]: ControlArguments): void {
  const peer = sendable(ws)
  const called = [data, mask].find((argument) => typeof argument === 'function') ?? callback
  const content = typeof data === 'function' ? undefined : data
  const payload = payloadOf(typeof content === 'number' ? content.toString() : content)
  if (peer?.readyState !== OPEN) return refuse(ws, payload, called)
  if (byteLengthOf(payload) > LONGEST_7_BIT) throw controlTooLong()
  const chosen = typeof data === 'function' || typeof mask === 'function' ? undefined : mask
  peer.frames.control(opcode, payload, callbackOf(called), chosen !== undefined && Boolean(chosen) === ws._isServer)
}

for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED })) {
  Object.defineProperty(WebSocket, name, { enumerable: true, value })
  Object.defineProperty(WebSocket.prototype, name, { enumerable: true, value })
}

/** @internal */
export const webSocketInternals: WebSocketInternals = {
  agree: (ws, { protocol, deflate }) => {
    ws[PROTOCOL] = protocol
    if (deflate !== undefined) ws[SETTINGS] = { ...ws[SETTINGS], deflate }
  },
  open,
  inside: (ws) => ({ peer: ws[PEER], settings: ws[SETTINGS] }),
  whenFinished: (ws, call) => ws[PEER]?.ending.whenWritten(call),
}

addPrivateFields(WebSocket.prototype, webSocketInternals.inside)
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
