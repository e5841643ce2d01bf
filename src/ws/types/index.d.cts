// The types of `millrace/ws`, for whoever requires it. They have the names and the shapes of @types/ws, so that a program
// needs no change but that of the import. The implementation is not written against them: test/types holds both together.
/// <reference types="node" />
import type { EventEmitter } from 'node:events'
import type {
  Agent,
  ClientRequest,
  ClientRequestArgs,
  Server as HttpServer,
  IncomingMessage,
  OutgoingHttpHeaders,
} from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { createConnection } from 'node:net'
import type { Duplex, DuplexOptions } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import type { ZlibOptions } from 'node:zlib'

/** A listener of events that have no type here. */
type AnyListener = Parameters<EventEmitter['on']>[1]

/** What can be sent: text, bytes, numbers, a Blob, or what turns into one of them. */
type Sendable =
  | string
  | number
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | Blob
  | readonly unknown[]
  | { valueOf(): ArrayBuffer | SharedArrayBuffer | Uint8Array | readonly number[] | string }
  | { [Symbol.toPrimitive](hint: string): string }

/** The arguments of each event of a WebSocket. */
interface SocketEvents {
  close: [code: number, reason: Buffer]
  error: [error: Error]
  message: [data: WebSocket.RawData, isBinary: boolean]
  open: []
  ping: [data: Buffer]
  pong: [data: Buffer]
  redirect: [url: string, request: ClientRequest]
  'unexpected-response': [request: ClientRequest, response: IncomingMessage]
  upgrade: [request: IncomingMessage]
}

/** The arguments of each event of a server. */
interface ServerEvents<Socket, Request> {
  close: []
  connection: [socket: Socket, request: Request]
  error: [error: Error]
  headers: [headers: string[], request: Request]
  listening: []
  wsClientError: [error: Error, socket: Duplex, request: Request]
}

type Handler<Event> = ((event: Event) => void) | { handleEvent(event: Event): void }

declare class WebSocket extends EventEmitter {
  static readonly CONNECTING: 0
  static readonly OPEN: 1
  static readonly CLOSING: 2
  static readonly CLOSED: 3
  readonly CONNECTING: 0
  readonly OPEN: 1
  readonly CLOSING: 2
  readonly CLOSED: 3

  /** As what the bytes of binary messages are delivered. Default: 'nodebuffer'. */
  get binaryType(): 'nodebuffer' | 'arraybuffer' | 'fragments'
  set binaryType(type: 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob')
  /** Bytes that were sent and have not left. */
  readonly bufferedAmount: number
  /** The names of the extensions that were agreed on. */
  readonly extensions: string
  readonly isPaused: boolean
  /** The subprotocol that was agreed on, or ''. */
  readonly protocol: string
  readonly readyState: 0 | 1 | 2 | 3
  readonly url: string

  onopen: ((event: WebSocket.Event) => void) | null
  onerror: ((event: WebSocket.ErrorEvent) => void) | null
  onclose: ((event: WebSocket.CloseEvent) => void) | null
  onmessage: ((event: WebSocket.MessageEvent) => void) | null

  constructor(address: null, protocols?: undefined, options?: WebSocket.ClientOptions | WebSocket.ServerOptions)
  constructor(address: string | URL, options?: WebSocket.ClientOptions | ClientRequestArgs)
  constructor(
    address: string | URL,
    protocols?: string | string[],
    options?: WebSocket.ClientOptions | ClientRequestArgs,
  )

  /** Starts the closing handshake. */
  close(code?: number, data?: string | Buffer): void
  /** Each of the last two arguments may be the callback, and so may be the first. */
  ping(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void
  pong(data?: unknown, mask?: boolean, callback?: (error: Error) => void): void
  /** Sends a message. `callback` is called when it has left, or can't leave any more. */
  send(data: Sendable, callback?: (error?: Error) => void): void
  send(data: Sendable, options: WebSocket.SendOptions, callback?: (error?: Error) => void): void
  /** Ends the connection at once. */
  terminate(): void
  pause(): void
  resume(): void

  addEventListener<Type extends keyof WebSocket.WebSocketEventMap>(
    type: Type,
    listener: Handler<WebSocket.WebSocketEventMap[Type]>,
    options?: WebSocket.EventListenerOptions,
  ): void
  removeEventListener<Type extends keyof WebSocket.WebSocketEventMap>(
    type: Type,
    listener: Handler<WebSocket.WebSocketEventMap[Type]>,
  ): void

  on<Name extends keyof SocketEvents>(event: Name, listener: (this: this, ...values: SocketEvents[Name]) => void): this
  on(event: string | symbol, listener: AnyListener): this
  once<Name extends keyof SocketEvents>(
    event: Name,
    listener: (this: this, ...values: SocketEvents[Name]) => void,
  ): this
  once(event: string | symbol, listener: AnyListener): this
  off<Name extends keyof SocketEvents>(event: Name, listener: (this: this, ...values: SocketEvents[Name]) => void): this
  off(event: string | symbol, listener: AnyListener): this
  addListener<Name extends keyof SocketEvents>(
    event: Name,
    listener: (this: this, ...values: SocketEvents[Name]) => void,
  ): this
  addListener(event: string | symbol, listener: AnyListener): this
  removeListener<Name extends keyof SocketEvents>(
    event: Name,
    listener: (this: this, ...values: SocketEvents[Name]) => void,
  ): this
  removeListener(event: string | symbol, listener: AnyListener): this
}

declare namespace WebSocket {
  /** What a message holds: a Buffer, unless `binaryType` says otherwise. */
  type RawData = Buffer | ArrayBuffer | Buffer[]

  /** What the event `message` of an EventTarget holds. */
  type Data = string | Buffer | ArrayBuffer | Buffer[]

  type CertMeta = string | string[] | Buffer | Buffer[]

  /** Says at once whether a client may come in. */
  type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (
    info: ClientInfo<Request>,
  ) => boolean

  /** Calls back whether a client may come in, and with which status, message and headers it is refused. */
  type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
    info: ClientInfo<Request>,
    callback: (verified: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
  ) => void

  type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void

  interface ClientInfo<Request> {
    origin: string
    secure: boolean
    req: Request
  }

  /** The class of the sockets that a server makes: WebSocket, or one that extends it. */
  interface SocketClass extends Omit<typeof EventEmitter, 'prototype'> {
    new (address: null): WebSocketAlias
    readonly prototype: WebSocketAlias
    readonly CONNECTING: 0
    readonly OPEN: 1
    readonly CLOSING: 2
    readonly CLOSED: 3
  }

  /** How a message is sent. */
  interface SendOptions {
    mask?: boolean | undefined
    binary?: boolean | undefined
    compress?: boolean | undefined
    fin?: boolean | undefined
  }

  /** What clients and servers can be told alike. */
  interface SocketOptions {
    allowSynchronousEvents?: boolean | undefined
    autoPong?: boolean | undefined
    closeTimeout?: number | undefined
    maxBufferedChunks?: number | undefined
    maxFragments?: number | undefined
    maxPayload?: number | undefined
    maxPendingAutoPongs?: number | undefined
    perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
    skipUTF8Validation?: boolean | undefined
  }

  interface ClientOptions extends SocketOptions, SecureContextOptions {
    protocol?: string | undefined
    followRedirects?: boolean | undefined
    generateMask?(mask: Buffer): void
    handshakeTimeout?: number | undefined
    maxRedirects?: number | undefined
    localAddress?: string | undefined
    protocolVersion?: number | undefined
    headers?: { [name: string]: string } | undefined
    origin?: string | undefined
    agent?: Agent | undefined
    host?: string | undefined
    family?: number | undefined
    checkServerIdentity?(servername: string, cert: CertMeta): boolean
    rejectUnauthorized?: boolean | undefined
    createConnection?: typeof createConnection | undefined
    finishRequest?: FinishRequestCallback | undefined
  }

  interface PerMessageDeflateOptions {
    serverNoContextTakeover?: boolean | undefined
    clientNoContextTakeover?: boolean | undefined
    serverMaxWindowBits?: number | undefined
    clientMaxWindowBits?: number | undefined
    /** Has no effect: nothing is compressed with zlib. */
    zlibDeflateOptions?:
      | (Omit<ZlibOptions, 'dictionary'> & { dictionary?: Buffer | Buffer[] | DataView | undefined })
      | undefined
    /** Has no effect, either. */
    zlibInflateOptions?: ZlibOptions | undefined
    threshold?: number | undefined
    /** Has no effect: messages are compressed where they are sent, without threads. */
    concurrencyLimit?: number | undefined
  }

  interface Event {
    type: string
    target: WebSocket
  }

  interface ErrorEvent extends Event {
    error: Error & { code?: string }
    message: string
  }

  interface CloseEvent extends Event {
    wasClean: boolean
    code: number
    reason: string
  }

  interface MessageEvent extends Event {
    data: Data
  }

  interface WebSocketEventMap {
    open: Event
    error: ErrorEvent
    close: CloseEvent
    message: MessageEvent
  }

  interface EventListenerOptions {
    once?: boolean | undefined
  }

  interface ServerOptions<
    Socket extends SocketClass = typeof WebSocketAlias,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  > extends SocketOptions {
    host?: string | undefined
    port?: number | undefined
    backlog?: number | undefined
    server?: HttpServer<Request> | HttpsServer<Request> | undefined
    verifyClient?:
      | VerifyClientCallbackAsync<InstanceType<Request>>
      | VerifyClientCallbackSync<InstanceType<Request>>
      | undefined
    handleProtocols?: (protocols: Set<string>, request: InstanceType<Request>) => string | false
    path?: string | undefined
    noServer?: boolean | undefined
    clientTracking?: boolean | undefined
    WebSocket?: Socket | undefined
  }

  interface AddressInfo {
    address: string
    family: string
    port: number
  }

  class Server<
    Socket extends SocketClass = typeof WebSocketAlias,
    Request extends typeof IncomingMessage = typeof IncomingMessage,
  > extends EventEmitter {
    /** The options, which are read at each upgrade: they may be changed. */
    options: ServerOptions<Socket, Request>
    path: string
    /** The sockets that are open or closing; undefined with `clientTracking: false`. */
    clients: Set<InstanceType<Socket>>

    /** Throws a TypeError unless exactly one of `port`, `server` and `noServer` is given. */
    constructor(options?: ServerOptions<Socket, Request>, callback?: () => void)

    address(): AddressInfo | string | null
    /** Takes no more upgrades; calls back when the sockets have ended, which this does not make them do. */
    close(callback?: (error?: Error) => void): void
    /** Throws an Error if the stream is a WebSocket already. */
    handleUpgrade(
      request: InstanceType<Request>,
      socket: Duplex,
      upgradeHead: Buffer,
      callback: (client: InstanceType<Socket>, request: InstanceType<Request>) => void,
    ): void
    shouldHandle(request: InstanceType<Request>): boolean | Promise<boolean>

    on<Name extends keyof ServerEvents<never, never>>(
      event: Name,
      listener: (this: this, ...values: ServerEvents<InstanceType<Socket>, InstanceType<Request>>[Name]) => void,
    ): this
    on(event: string | symbol, listener: AnyListener): this
    once<Name extends keyof ServerEvents<never, never>>(
      event: Name,
      listener: (this: this, ...values: ServerEvents<InstanceType<Socket>, InstanceType<Request>>[Name]) => void,
    ): this
    once(event: string | symbol, listener: AnyListener): this
    off<Name extends keyof ServerEvents<never, never>>(
      event: Name,
      listener: (this: this, ...values: ServerEvents<InstanceType<Socket>, InstanceType<Request>>[Name]) => void,
    ): this
    off(event: string | symbol, listener: AnyListener): this
    addListener<Name extends keyof ServerEvents<never, never>>(
      event: Name,
      listener: (this: this, ...values: ServerEvents<InstanceType<Socket>, InstanceType<Request>>[Name]) => void,
    ): this
    addListener(event: string | symbol, listener: AnyListener): this
    removeListener<Name extends keyof ServerEvents<never, never>>(
      event: Name,
      listener: (this: this, ...values: ServerEvents<InstanceType<Socket>, InstanceType<Request>>[Name]) => void,
    ): this
    removeListener(event: string | symbol, listener: AnyListener): this
  }

  const WebSocketServer: typeof Server
  interface WebSocketServer extends Server {}

  const WebSocket: typeof WebSocketAlias
  interface WebSocket extends WebSocketAlias {}

  /** A stream over a WebSocket, with backpressure in both directions. */
  function createWebSocketStream(websocket: WebSocket, options?: DuplexOptions): Duplex
}

type WebSocketAlias = WebSocket
declare const WebSocketAlias: typeof WebSocket

export = WebSocket
