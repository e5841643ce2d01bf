// WebSocketServer, as ws has it: who is let in and how, and how long the server lives. What happens on a connection is its
// socket's (webSocket.ts).
import { EventEmitter } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { socketMaker } from '../internals/lateSocket.js'
import { acceptKey } from '../protocol/openingHandshake.js'
import { adopt } from './adopt.js'
import {
  type AgreedExtensions,
  answerOf,
  compressionOf,
  type OpeningRequest,
  readOffers,
  readOpening,
} from './openingRequest.js'
import { isAdopted } from './orderedSocket.js'
import { noteUpgrade, readRequest, takePlainUpgrades } from './plainUpgrades.js'
import { abortHandshake, guard, isRefusal, refuse, unguard } from './refusal.js'
import { hasPort, type LiveOptions, liveOptions, type ServerOptions } from './serverOptions.js'
import type { ServerSocket } from './serverSocket.js'
import { WebSocket } from './webSocket.js'

const RUNNING = 0
const CLOSING = 1
const CLOSED = 2

/** A symbol, so that a Proxy of the server has it, too. */
const LEFT = Symbol('left')

/** Streams that have become WebSockets of another class than this room's. */
const foreign = new WeakSet<Duplex>()

/** What an upgrade has come to: the lines of the response, and what was agreed on. */
interface Outcome {
  readonly lines: readonly string[]
  readonly protocol: string
  readonly extensions: AgreedExtensions
}

/** Is given the socket of an upgrade, and the request that was handed in. */
export type Upgraded = (socket: ServerSocket, request: IncomingMessage) => void

export class WebSocketServer extends EventEmitter {
  /** The options, which are read at each upgrade. */
  declare options: LiveOptions
  /** The sockets that are open or closing; undefined with `clientTracking: false`. */
  declare clients: Set<ServerSocket> | undefined
  /** The HTTP server whose upgrades are taken; null after `close`, undefined with `noServer`. */
  declare _server: HttpServer | HttpsServer | null | undefined
  declare _removeListeners: (() => void) | null | undefined
  /** Whether the end of the last socket is the end of the server. */
  declare _shouldEmitClose: boolean | undefined
  declare _state: typeof RUNNING | typeof CLOSING | typeof CLOSED
  /** Listens to the end of each socket: one function for all of them. */
  readonly [LEFT]: (this: ServerSocket) => void

  /**
   * `callback` is called once the server listens. Throws a TypeError unless exactly one of the options `port`, `server` and
   * `noServer` is given.
   */
  constructor(given?: ServerOptions, callback?: () => void) {
    super()
    const options = liveOptions(given)
    if (hasPort(options)) this._server = listening(options, callback)
    else if (options.server) this._server = options.server
    if (this._server) this._removeListeners = serve(this, this._server)
    if (options.clientTracking) {
      this.clients = new Set()
      this._shouldEmitClose = false
    }
    this.options = options
    this._state = RUNNING
    this[LEFT] = leaver(this)
  }

  /** Where the server listens: an address, a path, or null once it is closed. Throws an Error with `noServer`. */
  address(): AddressInfo | string | null {
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode')
    return this._server ? this._server.address() : null
  }

  /**
   * Takes no more upgrades. 'close' is emitted when the sockets have ended, which this does not make them do. `callback` is
   * given an Error if the server was closed before.
   */
  close(callback?: (error?: Error) => void): void {
    if (this._state === CLOSED) {
      if (callback) this.once('close', () => callback(new Error('The server is not running')))
      process.nextTick(emitClose, this)
      return
    }
    if (callback) this.once('close', callback)
    if (this._state === CLOSING) return
    this._state = CLOSING
    const server = this._server
    if (server) letGo(this)
    if (server && !this.options.noServer && !this.options.server) server.close(() => emitClose(this))
    else if (this.clients?.size) this._shouldEmitClose = true
    else process.nextTick(emitClose, this)
  }

  /** Whether this server is the one to handle a request: by the option `path`. May be replaced. */
  shouldHandle(request: IncomingMessage): unknown {
    const { path } = this.options
    if (!path) return true
    const { url = '' } = request
    const query = url.indexOf('?')
    return (query === -1 ? url : url.slice(0, query)) === path
  }

  /**
   * Upgrades a request of an HTTP server, or refuses it. `callback` is called at once, but where `verifyClient` answers
   * later. Throws an Error if the stream is a WebSocket already.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: Upgraded): void {
    // Nothing can go wrong with a socket that nobody has looked at, but while somebody is asked.
    if (this.options.verifyClient || socketMaker(socket) === undefined) guard(socket)
    const seen = readRequest(request)
    const opening = readOpening(seen)
    if (isRefusal(opening)) return refuse(this, request, socket, opening)
    if (!this.shouldHandle(request)) return abortHandshake(socket, 400)
    const offers = readOffers(seen, this.options.perMessageDeflate)
    if (isRefusal(offers)) return refuse(this, request, socket, offers)
    const { protocols, extensions } = offers
    verify(this, request, socket, opening, () => {
      this.completeUpgrade(extensions, opening.key, protocols, request, socket, head, callback)
    })
  }

  /** The last part of an upgrade: the response, and the socket. */
  completeUpgrade(
    extensions: AgreedExtensions,
    key: string,
    protocols: Set<string>,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: Upgraded,
  ): void {
    // The client has half-closed, or has gone.
    const late = socketMaker(socket) !== undefined
    if (!late && !(socket.readable && socket.writable)) return void socket.destroy()
    if (isAdopted(socket) || foreign.has(socket)) {
      const words = 'server.handleUpgrade() was called more than once with the same socket'
      throw new Error(`${words}, possibly due to a misconfiguration`)
    }
    if (this._state > RUNNING) return abortHandshake(socket, 503)
    const client = new this.options.WebSocket(null, undefined, this.options)
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    lines.push(`Sec-WebSocket-Accept: ${acceptKey(key)}`)
    const protocol = (protocols.size > 0 && chosen(this, protocols, request)) || ''
    if (protocol !== '') lines.push(`Sec-WebSocket-Protocol: ${protocol}`)
    const answer = answerOf(extensions)
    if (answer !== undefined) lines.push(`Sec-WebSocket-Extensions: ${answer}`)
    this.emit('headers', lines, request)
    if (!open(this, client, socket, head, { lines, protocol, extensions })) return
    if (this.clients) {
      this.clients.add(client)
      client.on('close', this[LEFT])
    }
    callback(client, request)
  }
}

/** Asks `verifyClient`, if there is one, and goes on if the client may come in. */
function verify(
  wss: WebSocketServer,
  request: IncomingMessage,
  socket: Duplex,
  { version }: OpeningRequest,
  goOn: () => void,
): void {
  const { verifyClient } = wss.options
  if (!verifyClient) return goOn()
  const { headers, socket: connection } = request
  const origin = headers[version === 8 ? 'sec-websocket-origin' : 'origin'] as string | undefined
  const secure = Boolean(Reflect.get(connection, 'authorized') || Reflect.get(connection, 'encrypted'))
  const info = { origin, secure, req: request }
  // The number of parameters tells the way in which the answer comes.
  if (verifyClient.length === 2) {
    wss.options.verifyClient?.(info, (verified, status, message, fields) => {
      if (verified) goOn()
      else abortHandshake(socket, status || 401, message, fields)
    })
  } else if (wss.options.verifyClient?.(info)) goOn()
  else abortHandshake(socket, 401)
}

function chosen(wss: WebSocketServer, protocols: Set<string>, request: IncomingMessage): string | false | undefined {
  if (wss.options.handleProtocols) return wss.options.handleProtocols(protocols, request)
  const [first] = protocols
  return first
}

/** Whether it is open: not so without memory for it. */
function open(
  wss: WebSocketServer,
  client: ServerSocket,
  socket: Duplex,
  head: Buffer,
  { lines, protocol, extensions }: Outcome,
): boolean {
  const { allowSynchronousEvents, maxBufferedChunks, maxFragments, maxPayload, skipUTF8Validation } = wss.options
  const options = { allowSynchronousEvents, maxBufferedChunks, maxFragments, maxPayload, skipUTF8Validation }
  const response = lines.concat('\r\n').join('\r\n') // of no lines, one that is empty
  if (socketMaker(socket) === undefined) unguard(socket)
  if (client instanceof WebSocket) {
    return adopt(client, socket, head, options, { response, protocol, deflate: compressionOf(extensions) })
  }
  // The class is that of ws itself, which keeps these where it looks for them.
  foreign.add(socket)
  Object.assign(client, { _protocol: protocol, _extensions: extensions })
  socket.write(response)
  client.setSocket(socket, head, options)
  return true
}

function letGo(wss: WebSocketServer): void {
  wss._removeListeners?.()
  wss._removeListeners = null
  wss._server = null
}

/** Takes the upgrades of an HTTP server, and hands on what it tells. Returns what undoes that. */
function serve(wss: WebSocketServer, server: HttpServer | HttpsServer): () => void {
  const connected = wss.emit.bind(wss, 'connection')
  const told = wss.emit.bind(wss, 'listening')
  if (server.listening) takePlainUpgrades(server)
  const listeners = {
    listening: () => {
      takePlainUpgrades(server)
      told()
    },
    error: wss.emit.bind(wss, 'error'),
    upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      noteUpgrade(server)
      wss.handleUpgrade(request, socket, head, connected)
    },
  }
  for (const [event, listener] of Object.entries(listeners)) server.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) server.removeListener(event, listener)
  }
}

/** A server of the option `port`: what is no upgrade is told to become one. */
function listening({ port, host, backlog }: LiveOptions, callback: (() => void) | undefined): HttpServer {
  const server = createServer((_request, response) => {
    const body = String(STATUS_CODES[426])
    response.writeHead(426, { 'Content-Length': body.length, 'Content-Type': 'text/plain' })
    response.end(body)
  })
  return server.listen(port ?? undefined, host ?? undefined, backlog ?? undefined, callback)
}

/** What listens to the 'close' of each of a server's sockets. */
function leaver(server: WebSocketServer): (this: ServerSocket) => void {
  return function (this: ServerSocket) {
    server.clients?.delete(this)
    if (server._shouldEmitClose && !server.clients?.size) process.nextTick(emitClose, server)
  }
}

function emitClose(server: WebSocketServer): void {
  server._state = CLOSED
  server.emit('close')
}
