// The third lane of the opening handshake: sessions of HTTP/2, by node:http2. A WebSocket is one stream of a session
// (RFC 8441); ordinary requests are others.
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Slices } from '../../connection/slices.js'
import { runOutside } from '../../internals/context.js'
import { STREAM_WINDOW } from '../../transport/http2Stream.js'
import { until } from '../admission/until.js'
import type { ReadAnswer } from '../admission/upgradeAnswer.js'
import type { Http2Limits } from './http2Limits.js'
import { Http2Visit, type VisitOptions } from './http2Visit.js'
import { sourceOf } from './source.js'
import { StreamRequests, type StreamRequestsOptions } from './streamRequests.js'
import { StreamUpgrades, type StreamUpgradesOptions } from './streamUpgrades.js'

export interface Http2LaneOptions
  extends Http2Limits,
    StreamUpgradesOptions,
    StreamRequestsOptions,
    Omit<VisitOptions, 'upgrades' | 'requests'> {
  readonly slices: Slices
  readonly maxHeaderSize: number
}

/** Bytes that the streams of a session may send together before they are read: enough that none starves the others. */
const SESSION_WINDOW = 1024 * 1024

/** Bytes that HTTP/2 counts for each field besides those of its name and value (RFC 9113, section 6.5.2). */
const FIELD_COST = 32

/** Most fields of a request. */
const MOST_FIELDS = 128

export class Http2Lane {
  readonly #upgrades: StreamUpgrades
  readonly #options: Http2LaneOptions
  readonly #visits = new Set<Http2Visit>()
  #server: Http2Server | undefined
  #requests: StreamRequests | undefined
  #leaving = false

  constructor(options: Http2LaneOptions) {
    this.#options = options
    this.#upgrades = new StreamUpgrades(options)
  }

  /** Loads node:http2, which not every program needs. Must have resolved before `take` is called. */
  async start(): Promise<void> {
    if (this.#server !== undefined) return
    const http2 = await import('node:http2')
    const { maxStreams, maxHeaderSize } = this.#options
    this.#requests = new StreamRequests(http2, this.#options)
    this.#server ??= http2.createServer({
      maxHeaderListPairs: MOST_FIELDS,
      settings: {
        enableConnectProtocol: true,
        maxConcurrentStreams: maxStreams,
        initialWindowSize: STREAM_WINDOW,
        maxHeaderListSize: maxHeaderSize + MOST_FIELDS * FIELD_COST,
      },
    })
  }

  /** Serves a connection that was admitted, and whose client speaks HTTP/2. Its preface must have come at the tick `due`. */
  take(socket: Socket, due: number): void {
    const server = this.#server
    if (server === undefined) return void socket.destroy()
    server.once('session', (session: ServerHttp2Session) => this.#opened(session, socket, due))
    server.emit('connection', socket)
  }

  /** A stream of another's http2 server; `given` is the answer, if there is one. */
  handOver(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, given: ReadAnswer | undefined): void {
    const { session } = stream
    if (session === undefined || stream.destroyed) return // the peer has left
    this.#upgrades.take(stream, headers, sourceOf(session.socket, undefined), { given })
  }

  #opened(session: ServerHttp2Session, socket: Socket, due: number): void {
    if (this.#requests === undefined) return
    session.setLocalWindowSize(SESSION_WINDOW)
    const { upgrades, requests } = { upgrades: this.#upgrades, requests: this.#requests }
    const visit = new Http2Visit(session, socket, due, { ...this.#options, upgrades, requests })
    this.#visits.add(visit)
    session.once('close', () => {
      this.#visits.delete(visit)
      visit.ended()
    })
    // Nobody listens to the server: what the session says of its end comes with 'close'.
    session.on('error', () => undefined)
    const arrived = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _: number, raw: string[]): void =>
      runOutside(() => visit.arrived(stream, headers, raw))
    session.on('stream', arrived)
    // A client that has come meanwhile is told so by GOAWAY, and knows that nothing of its was begun.
    if (this.#leaving) visit.leave()
  }

  /** From now on, sessions take no further stream, and end with the last one that they have: GOAWAY. */
  leave(): void {
    this.#leaving = true
    for (const visit of this.#visits) visit.leave()
  }

  /** Resolves when all sessions have ended; those that have not when the time is up are destroyed. */
  async close(): Promise<void> {
    this.leave()
    this.#upgrades.close()
    await until(() => this.#visits.size === 0, this.#options.closeTimeout)
    for (const visit of this.#visits) visit.destroy()
  }
}
