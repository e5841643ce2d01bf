// The node:http server of the second lane of the opening handshake. It reads request heads, and what is no upgrade is
// answered as by node:http itself: no limit of ours is in force once a head has been read.
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { isThenable, promiseOf } from '../../checks/thenable.js'
import type { Slices } from '../../connection/slices.js'
import { runOutside } from '../../internals/context.js'
import type { Budget } from '../../memory/budget.js'
import { type Refusal, refuse } from '../../protocol/openingHandshake.js'
import { type Deadlines, type Expiring, noDeadline, ticksOf } from '../../time/deadlines.js'
import { type Arrival, type Arrivals, addressOf } from '../admission/arrivals.js'
import { until } from '../admission/until.js'
import { Answers } from './answers.js'
import { messagesOf } from './messages.js'
import { afterAnswer } from './pipelinedUpgrade.js'
import { SlicedReads } from './slicedReads.js'
import { STALLED, Uptake } from './uptake.js'

/** Times of HTTP, in milliseconds. */
export interface HttpLimits {
  /**
   * How long an HTTP request that does not ask for a WebSocket may take to arrive, with its body, in milliseconds.
   * After that, it is answered with 408. Your answer may take any time. Default: 300,000, as in Node.js.
   */
  readonly requestTimeout: number
  /**
   * How long an HTTP connection is kept open for the next request, in milliseconds. The value should be larger than the
   * time for which a proxy in front of this server keeps its connections; that is usually 60 seconds. Default: 65,000.
   */
  readonly keepAliveTimeout: number
}

export interface WebServerOptions extends HttpLimits {
  readonly slices: Slices
  readonly deadlines: Deadlines
  /** Time for a request head, in milliseconds. */
  readonly handshakeTimeout: number
  readonly maxHeaderSize: number
  /** The longest time without reading from a peer that may have left, in milliseconds. */
  readonly pauseTimeout: number
  /** Most sockets at once, those that have become WebSockets included. */
  readonly mostSockets: number
  /** The connections of all lanes that have not become WebSockets. */
  readonly arrivals: Arrivals
  /** Counts what peers send before they are accepted, and what waits of their requests. */
  readonly budget: Budget
  /** The client's address where a PROXY header told it. */
  clientOf(socket: Duplex): string | undefined
  /** Answers requests that are no upgrades. What it throws, or its promise rejects with, is told to `requestFailed`. */
  request(request: IncomingMessage, response: ServerResponse): unknown
  requestFailed(request: IncomingMessage, error: unknown): void
  /** A request names websocket in its Upgrade header. The handshake must be done at the tick `due`, if that is not 0. */
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer, due: number): void
  refuse(socket: Duplex, refusal: Refusal): void
}

/** A connection that has not become a WebSocket. */
interface Visit extends Expiring, Arrival {
  readonly socket: Socket
  /** Until when its first handshake must be done, as a tick; undefined when a head has been read. */
  first: number | undefined
  /** Answers under way, in the order of their requests. */
  readonly answers: Answers
  /** Whether the peer reads the answers. */
  readonly uptake: Uptake
  /** How node:http gets what is read; undefined until it has the connection. */
  reads: SlicedReads | undefined
}

export class WebServer {
  readonly #server: Server
  readonly #options: WebServerOptions
  readonly #visits = new Map<Duplex, Visit>()
  #sockets = 0
  /** Set when connections must end with the answers that are under way. */
  #leaving = false

  constructor(options: WebServerOptions) {
    this.#options = options
    const { handshakeTimeout, requestTimeout, keepAliveTimeout, maxHeaderSize } = options
    // The time for the head is a part of that for the request: node:http throws if it is longer.
    const headersTimeout = requestTimeout === 0 ? handshakeTimeout : Math.min(handshakeTimeout, requestTimeout)
    const times = { headersTimeout, requestTimeout, keepAliveTimeout, connectionsCheckingInterval: 500 }
    const messages = { IncomingMessage: messagesOf((socket) => this.#headIsRead(socket)) }
    this.#server = createHttpServer({ ...times, ...messages, maxHeaderSize }, (request, response) =>
      this.#serve(request, response),
    )
    // A peer that has half-closed gets the answers that it has asked for. node:http reads this where a connection ends.
    Reflect.set(this.#server, 'httpAllowHalfOpen', true)
    // node:http calls this in the async context in which `listen` was called, which is no connection's.
    this.#server.on('upgrade', (message, socket, head) => {
      const rest = this.#visits.get(socket)?.reads?.stop()
      runOutside(() => this.#upgrade(message, socket, rest === undefined ? head : Buffer.concat([head, rest])))
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#unreadable(error, socket))
    // This server never listens, but without the event it would never check its timeouts.
    this.#server.emit('listening')
  }

  /** Counts a connection until it ends; ends it, and returns false, if there are too many. */
  admit(socket: Socket): boolean {
    if (this.#sockets >= this.#options.mostSockets) {
      socket.destroy()
      return false
    }
    this.#sockets++
    socket.once('close', () => this.#sockets--)
    return true
  }

  /** Serves a connection. Its first handshake must be done at the tick `due`, if that is not 0. */
  take(socket: Socket, due: number): void {
    const { slices, deadlines, arrivals, budget } = this.#options
    const visit = this.#visitOf(socket, due)
    socket.allowHalfOpen = true
    socket.once('end', () => this.#halfClosed(visit))
    this.#visits.set(socket, visit)
    deadlines.setTick(visit, due)
    arrivals.add(visit)
    socket.once('close', () => {
      deadlines.clear(visit)
      arrivals.delete(visit)
      visit.reads?.stop()
      visit.answers.leave()
      this.#visits.delete(socket)
    })
    this.#server.emit('connection', socket)
    visit.reads = new SlicedReads(socket, slices, budget, visit.answers)
  }

  #visitOf(socket: Socket, first: number): Visit {
    const { clientOf, deadlines, budget, maxHeaderSize } = this.#options
    const visit: Visit = {
      ...noDeadline,
      cost: COST + maxHeaderSize,
      socket,
      first,
      answers: new Answers(socket, budget),
      uptake: new Uptake(socket, deadlines.now),
      reads: undefined,
      get remoteAddress() {
        return clientOf(socket) ?? addressOf(socket)
      },
      expired: () => {
        if (visit.answers.size > 0) this.#look(visit)
        else if (visit.first !== undefined) this.#unreadable({ code: LATE }, socket)
      },
      giveWay() {
        // A request that has come completely is the application's to answer, however long that takes, and the peer's to read.
        const asked = this.answers.size > 0 && this.answers.every(({ req }) => req.complete)
        if (asked && this.uptake.stalledFor(deadlines.now) < STALLED) return false
        socket.destroy()
        return true
      },
    }
    return visit
  }

  /** The peer may wait for its answers, or have gone: that is noticed when more is written, or when nothing is for long. */
  #halfClosed(visit: Visit): void {
    const { deadlines, pauseTimeout } = this.#options
    if (visit.answers.size === 0) return
    visit.uptake.end(deadlines.now)
    deadlines.set(visit, pauseTimeout)
  }

  /** Answers are under way: the application may take any time to answer, but the peer must read what is written. */
  #look(visit: Visit): void {
    const { deadlines, pauseTimeout } = this.#options
    const { now } = deadlines
    // While too many answers are missing, nothing is read, so it is not noticed that the peer has gone.
    const stalled = Math.max(visit.uptake.stalledFor(now), visit.answers.crowdedFor(now))
    if (stalled >= ticksOf(pauseTimeout)) visit.socket.destroy()
    else deadlines.set(visit, pauseTimeout)
  }

  /** From now on, each connection ends with its answer. */
  leave(): void {
    this.#leaving = true
    for (const { answers } of this.#visits.values()) {
      const { last } = answers
      if (last?.headersSent === false) last.setHeader('Connection', 'close')
    }
  }

  /** Ends idle connections, waits until all requests are answered, or for so many milliseconds, and ends the rest. */
  async close(timeout: number): Promise<void> {
    this.leave()
    this.#server.close(() => undefined)
    await until(() => [...this.#visits.values()].every(({ answers }) => answers.size === 0), timeout)
    for (const socket of this.#visits.keys()) socket.destroy()
  }

  #headIsRead(socket: Duplex): void {
    const visit = this.#visits.get(socket)
    // After the first head, the deadline limits how long the peer may not read its answers.
    if (visit?.first !== undefined && visit.answers.size === 0) this.#options.deadlines.clear(visit)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const visit = this.#visits.get(request.socket)
    if (visit !== undefined) {
      visit.first = undefined
      visit.reads?.requested(request)
      this.#follow(visit, response)
    }
    if (this.#leaving) response.setHeader('Connection', 'close')
    try {
      const result = this.#options.request(request, response)
      if (isThenable(result)) promiseOf(result).catch((error: unknown) => this.#failed(request, response, error))
    } catch (error) {
      this.#failed(request, response, error)
    }
  }

  #follow(visit: Visit, response: ServerResponse): void {
    const { deadlines, pauseTimeout } = this.#options
    const { answers } = visit
    // The deadline stays when the answers are done: to set one for each request would cost more than to look in vain.
    if (visit.due === 0) deadlines.set(visit, pauseTimeout)
    answers.add(response, deadlines.now)
    response.on('close', () => {
      answers.delete(response, deadlines.now)
      visit.reads?.answered()
    })
  }

  #failed(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    // A handler that reads the body of a peer that leaves gets this error, which is not reported as the application's.
    if (error !== request.errored) this.#options.requestFailed(request, error)
    if (response.writableEnded || response.destroyed) return
    if (response.headersSent) return cutOff(response)
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    const closing = this.#leaving ? { Connection: 'close' } : {}
    const type = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': FAILED.length }
    response.writeHead(500, STATUS_CODES[500], { ...closing, ...type }).end(FAILED)
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { deadlines, handshakeTimeout } = this.#options
    const visit = this.#visits.get(socket)
    const last = visit?.answers.last
    if (last !== undefined) {
      // The answer to a request comes after those to the requests before it.
      return afterAnswer(last, socket, head, this.#options, (behind) => this.#upgrade(message, socket, behind))
    }
    this.#visits.delete(socket)
    if (visit !== undefined) {
      deadlines.clear(visit)
      this.#options.arrivals.delete(visit)
    }
    if (socket.writable)
      this.#options.upgrade(message, socket, head, visit?.first ?? deadlines.tickAfter(handshakeTimeout))
    else socket.destroy()
  }

  /** Answers a request that node:http could not read, unless another answer has begun on the socket. */
  #unreadable({ code }: { readonly code?: string | undefined }, socket: Duplex): void {
    if (socket.writableEnded) return // the client has its answer already
    this.#visits.get(socket)?.reads?.stop()
    const answers = this.#visits.get(socket)?.answers
    const begun = answers?.every(({ headersSent }) => !headersSent) === false
    if (begun || !socket.writable) socket.destroy()
    else this.#options.refuse(socket, this.#complaint(code, answers !== undefined && answers.size > 0))
  }

  #complaint(code: string | undefined, amidRequest: boolean): Refusal {
    const { maxHeaderSize, handshakeTimeout, requestTimeout } = this.#options
    if (code === 'HPE_HEADER_OVERFLOW')
      return refuse(431, `the request head is too long: maxHeaderSize is ${maxHeaderSize} bytes`)
    if (code !== LATE) return refuse(400, 'this is not an HTTP request')
    return refuse(
      408,
      amidRequest
        ? `the request took too long: requestTimeout is ${requestTimeout} ms`
        : `the request head took too long: handshakeTimeout is ${handshakeTimeout} ms`,
    )
  }
}

/** Bytes that a socket of node:http and its parser cost, the head of a request left out. */
const COST = 8192

/** What node:http says of a request that takes too long. */
const LATE = 'ERR_HTTP_REQUEST_TIMEOUT'

const FAILED = 'the request failed\n'

/** Ends a connection after what was written of an answer, so that its client sees that some is missing. */
function cutOff(response: ServerResponse): void {
  if (response.socket === null) response.destroy()
  else response.socket.destroySoon()
}
