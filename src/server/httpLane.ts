// The second lane of the opening handshake: node:http, for every request that is not plain: in pieces, refused,
// with a body, with odd headers, over TLS, or no upgrade at all.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Deadlines, Expiring } from '../connection/deadlines.js'
import { runOutside } from '../internals/context.js'
import { checkUpgrade, type HandshakeRequest, headerLines, type Refusal, refuse } from '../protocol/openingHandshake.js'
import type { Source } from '../protocol/upgradeRequest.js'
import { transportOf } from '../transport/adopt.js'
import type { Transport } from '../transport/transport.js'
import type { Accepted, Verdict } from './endpoint.js'
import type { Decision, Gate } from './gate.js'
import { PendingUpgrade } from './pendingUpgrade.js'

export interface HttpLaneOptions {
  readonly deadlines: Deadlines
  readonly gate: Gate
  /** Time for a whole request head, and then for the upgrade, in milliseconds. */
  readonly handshakeTimeout: number
  /** Time for a refused peer to end the connection, in milliseconds. */
  readonly closeTimeout: number
  readonly maxHeaderSize: number
  /** Most connections that have not become WebSockets. */
  readonly mostArrivals: number
  /** Whether only the public API may be used. */
  readonly publicApi: boolean
  /** Answers requests that are no upgrades. */
  readonly request: RequestListener
  /** The client's address where a PROXY header told it. */
  clientOf(socket: Duplex): string | undefined
  /** The handshake is accepted; `early` is what came behind the request. */
  upgraded(transport: Transport, accepted: Accepted, early: Buffer): void
}

export class HttpLane {
  readonly #server: Server
  readonly #options: HttpLaneOptions
  /** Upgrades that were refused and whose sockets are not closed yet. */
  readonly #refused = new Set<Expiring>()
  readonly #pending = new Set<PendingUpgrade>()
  /** The answers under way, by socket. */
  readonly #answers = new WeakMap<Duplex, Set<ServerResponse>>()
  #arrivals = 0

  constructor(options: HttpLaneOptions) {
    this.#options = options
    const { handshakeTimeout, maxHeaderSize } = options
    const timeouts = { headersTimeout: handshakeTimeout, requestTimeout: handshakeTimeout }
    this.#server = createServer({ ...timeouts, maxHeaderSize, connectionsCheckingInterval: 500 }, options.request)
    // node:http runs this in the context in which the server was told to listen: that is nobody's.
    this.#server.on('upgrade', (message, socket, head) => runOutside(() => this.upgrade(message, socket, head)))
    this.#server.on('request', (_, response) => this.#noteAnswer(response))
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unreadable(error, socket))
    // This server never listens, but without the event it would never check its timeouts.
    this.#server.emit('listening')
  }

  /** The HTTP server that connections are given to. */
  get server(): Server {
    return this.#server
  }

  take(socket: Socket): void {
    if (this.counted(socket)) this.#server.emit('connection', socket)
  }

  /** Counts a connection until it ends; ends it, and returns false, if there are too many. */
  counted(socket: Socket): boolean {
    if (this.#arrivals >= this.#options.mostArrivals) {
      socket.destroy()
      return false
    }
    this.#arrivals++
    socket.once('close', () => this.#arrivals--)
    return true
  }

  close(): void {
    this.#server.close(() => undefined)
    this.#server.closeAllConnections()
    for (const pending of this.#pending) pending.cancel()
    for (const refused of this.#refused) refused.expired()
  }

  /** An upgrade request of any node:http server, this one's or another's. */
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    // An error without a listener would end the process; what it means for the connection comes with 'close'.
    socket.on('error', () => socket.destroy())
    const request = requestOf(message)
    const refusal = checkUpgrade(request)
    if (refusal !== undefined) return this.refuse(socket, refusal)
    const decision = this.#options.gate.decide(request, undefined, sourceOf(socket, this.#options.clientOf(socket)))
    const { verdict } = decision
    if (verdict instanceof Promise) this.#wait(decision, socket, head)
    else this.#settle(verdict, socket, head)
  }

  /** Answers, and makes sure that the socket ends even if the peer doesn't want to. */
  refuse(socket: Duplex, refusal: Refusal): void {
    const { deadlines, closeTimeout } = this.#options
    if (socket.destroyed) return
    const refused: Expiring = { due: 0, expired: () => socket.destroy() }
    this.#refused.add(refused)
    deadlines.set(refused, closeTimeout)
    socket.on('close', () => {
      deadlines.clear(refused)
      this.#refused.delete(refused)
    })
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.destroy())
    socket.end(responseTo(refusal))
    socket.resume()
  }

  #noteAnswer(response: ServerResponse): void {
    const { socket } = response
    if (socket === null) return
    const answers = this.#answers.get(socket) ?? new Set()
    this.#answers.set(socket, answers.add(response))
    response.once('close', () => answers.delete(response))
  }

  /** What came is no request, or too long, or too late: says so, unless that would be amid an answer. */
  #unreadable({ code }: NodeJS.ErrnoException, socket: Duplex): void {
    if (socket.writableEnded) return // told already: the parser complains of everything that follows
    const answering = [...(this.#answers.get(socket) ?? [])].some(({ headersSent }) => headersSent)
    if (answering || !socket.writable) socket.destroy()
    else this.refuse(socket, this.#complaint(code))
  }

  #complaint(code: string | undefined): Refusal {
    const { maxHeaderSize, handshakeTimeout } = this.#options
    if (code === 'HPE_HEADER_OVERFLOW') return refuse(431, `maxHeaderSize is ${maxHeaderSize} bytes`)
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return refuse(408, `handshakeTimeout is ${handshakeTimeout} ms`)
    return refuse(400, 'this is no HTTP request')
  }

  #settle(verdict: Verdict, socket: Duplex, early: Buffer): void {
    if (socket.destroyed) return // the peer has left, which is told by 'close' only later
    if ('status' in verdict) return this.refuse(socket, verdict)
    const transport = transportOf(socket, this.#options.publicApi)
    this.#options.upgraded(transport, verdict, earlyBytes(socket, early))
  }

  /** The application has promised an answer: what comes meanwhile is kept, and leaving is noticed. */
  #wait(decision: Decision, socket: Duplex, head: Buffer): void {
    const { deadlines, handshakeTimeout } = this.#options
    const left = (): void => {
      this.#pending.delete(pending)
      pending.abandon('the peer has left')
      socket.destroy()
    }
    const read = (chunk: Buffer): void => pending.received(chunk)
    const pending = new PendingUpgrade(decision, head, deadlines, handshakeTimeout, {
      full: () => socket.pause(),
      settled: (verdict, early) => {
        this.#pending.delete(pending)
        socket.off('data', read).off('end', left).off('close', left).pause()
        this.#settle(verdict, socket, early)
      },
    })
    this.#pending.add(pending)
    socket.on('data', read).on('end', left).on('close', left)
  }
}

/** What came behind the request: `head`, and what the socket has read since. */
function earlyBytes(socket: Duplex, head: Buffer): Buffer {
  const chunks = [head]
  // From Node 26 on, a read returns one chunk.
  while (socket.readableLength > 0) chunks.push(socket.read())
  return chunks.length === 1 ? head : Buffer.concat(chunks)
}

function sourceOf(socket: Duplex, client: string | undefined): Source {
  return {
    get remoteAddress() {
      if (client !== undefined) return client
      if (socket.destroyed) return undefined // some sockets remember it, others don't
      const address: unknown = Reflect.get(socket, 'remoteAddress')
      return typeof address === 'string' ? address : undefined
    },
    secure: Reflect.get(socket, 'encrypted') === true,
    told: client !== undefined,
  }
}

function requestOf(message: IncomingMessage): HandshakeRequest {
  const headers: Record<string, string> = Object.create(null)
  const repeated: string[] = []
  const { rawHeaders } = message
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    const value = rawHeaders[at + 1] ?? ''
    const before = headers[name]
    if (before !== undefined) repeated.push(name)
    headers[name] = before === undefined ? value : `${before}, ${value}`
  }
  return {
    method: message.method ?? '',
    target: message.url ?? '',
    httpVersion: message.httpVersion,
    headers,
    repeated,
  }
}

function responseTo({ status, reason, headers }: Refusal): Buffer {
  const names = Object.keys(headers).map((name) => name.toLowerCase())
  const type = names.includes('content-type') ? {} : { 'Content-Type': 'text/plain; charset=utf-8' }
  const length = { 'Content-Length': String(Buffer.byteLength(reason)) }
  const lines = headerLines({ ...headers, Connection: 'close', ...type, ...length })
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(reason)])
}
