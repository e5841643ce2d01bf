// One session of HTTP/2: what it has open, what it may cost, and when it must end. As long as one of its streams is a
// WebSocket, the limits of connections hold for that; otherwise the session is one of the arrivals, as any connection is
// that has not become a WebSocket.
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Slices } from '../../connection/slices.js'
import type { Budget, Holder } from '../../memory/budget.js'
import { namesTwoHosts, TWO_HOSTS } from '../../protocol/extendedConnect.js'
import { refuse } from '../../protocol/openingHandshake.js'
import type { Source } from '../../protocol/upgradeRequest.js'
import { type Deadlines, type Expiring, ticksOf } from '../../time/deadlines.js'
import type { Arrival, Arrivals } from '../admission/arrivals.js'
import { endsWithItsError, endWith, SessionProbe } from './sessionErrors.js'
import { sourceOf } from './source.js'
import type { StreamRequests } from './streamRequests.js'
import { StreamResets } from './streamResets.js'
import type { StreamUpgrades } from './streamUpgrades.js'
import { StreamUptake } from './streamUptake.js'
import { STALLED } from './uptake.js'

export interface VisitOptions {
  readonly slices: Slices
  readonly deadlines: Deadlines
  readonly budget: Budget
  readonly arrivals: Arrivals
  readonly upgrades: StreamUpgrades
  readonly requests: StreamRequests
  readonly maxHeaderSize: number
  /** Times in milliseconds. */
  readonly keepAliveTimeout: number
  readonly pauseTimeout: number
  readonly pingInterval: number
  readonly idleTimeout: number
  readonly closeTimeout: number
  /** The client's address where a PROXY header told it. */
  clientOf(socket: Duplex): string | undefined
}

/** Bytes that a session costs: its socket, the tables of header compression, and what is being read and written. */
const COST = 65_536

/** Bytes that the objects of a request and its answer cost. */
const REQUEST_COST = 8192

/** A request may take as long as so many small messages. */
const WORTH = 32

/** Ticks of a stream's life within which its reset counts as one of a flood. */
const SHORT_LIFE = ticksOf(1000)

/** Error codes (RFC 9113, section 7). */
const NO_ERROR = 0
const ENHANCE_YOUR_CALM = 11

/** How often a session is looked at, at least, in milliseconds. */
const LOOK = 5000

export class Http2Visit implements Expiring, Arrival, Holder {
  due = 0
  place = 0
  held = 0
  standing: number | undefined
  readonly cost = COST
  readonly #session: ServerHttp2Session
  readonly #socket: Socket
  readonly #options: VisitOptions
  readonly #source: Source
  readonly #probe: SessionProbe
  /** Ordinary requests under way. */
  readonly #requests = new Map<ServerHttp2Stream, StreamUptake>()
  /** All streams that are open, and those of them that are WebSockets. */
  #open = 0
  readonly #resets = new StreamResets()
  #webSockets = 0
  /** Whether the client's SETTINGS have come, with which a session begins (RFC 9113, section 3.4). */
  #began = false
  /** Since which tick no stream is open. */
  #idle: number
  /** Bytes that had come at the last look, since when no more have, and whether the client was sent PING since. */
  #read = 0
  #heard: number
  #pinged = false

  /** The session must have begun at the tick `due`; 0 is never. */
  constructor(session: ServerHttp2Session, socket: Socket, due: number, options: VisitOptions) {
    const { deadlines, arrivals, clientOf } = options
    this.#session = session
    this.#socket = socket
    this.#probe = new SessionProbe(session, socket)
    endsWithItsError(session)
    this.#options = options
    this.#source = sourceOf(socket, clientOf(socket))
    this.#idle = this.#heard = deadlines.now
    deadlines.setTick(this, due)
    arrivals.add(this)
    session.once('remoteSettings', () => this.#begin())
  }

  get remoteAddress(): string | undefined {
    return this.#source.remoteAddress
  }

  get gone(): boolean {
    return this.#session.destroyed
  }

  /** A stream has come with its request. */
  arrived(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    const { slices, deadlines } = this.#options
    const { now } = deadlines
    this.#open++
    // An error without a listener would end the process; what it means comes with 'close'.
    stream.on('error', () => undefined)
    stream.once('close', () => {
      this.#open--
      this.#idle = deadlines.now
      const isReset = stream.rstCode !== NO_ERROR && deadlines.now - now < SHORT_LIFE
      if (isReset && this.#resets.exceeded()) this.destroy(ENHANCE_YOUR_CALM)
    })
    // Some thousand requests fit into one read: what is too much for this turn waits in line.
    slices.begin(this)
    if (slices.spend(WORTH)) slices.later(() => this.#serve(stream, headers, rawHeaders))
    else this.#serve(stream, headers, rawHeaders)
  }

  /** Takes no further stream, and ends with the last one that is open. */
  leave(): void {
    if (!this.#session.closed) this.#session.close()
  }

  /** Ends the session with all its streams, and GOAWAY with an error code. */
  destroy(code = NO_ERROR): void {
    endWith(this.#session, code)
    // A session that was to end with its last stream waits for the peer even then.
    setImmediate(() => this.#socket.destroy())
  }

  /** The session has ended. */
  ended(): void {
    const { deadlines, arrivals, budget } = this.#options
    deadlines.clear(this)
    arrivals.delete(this)
    budget.release(this, this.held)
    budget.leave(this)
  }

  /** Others need its place (Arrival). A request that has come completely is the application's to answer. */
  giveWay(): boolean {
    const { now } = this.#options.deadlines
    const requests = [...this.#requests]
    const asked = requests.length > 0 && requests.every(([stream]) => stream.readableEnded || stream.endAfterHeaders)
    if (asked && requests.every(([, uptake]) => uptake.stalledFor(now) < STALLED)) return false
    this.destroy()
    return true
  }

  /** Others need the memory that it holds (Holder). */
  evicted(): void {
    this.destroy()
  }

  /** It is time to look whether the session is alive (Expiring). */
  expired(): void {
    if (!this.#began || this.#probe.look() || this.#isDead() || this.#isLate()) return this.destroy()
    const { deadlines, keepAliveTimeout, pauseTimeout } = this.#options
    const { now } = deadlines
    if (pauseTimeout > 0) {
      for (const [stream, uptake] of this.#requests)
        if (uptake.stalledFor(now) >= ticksOf(pauseTimeout)) stream.destroy()
    }
    if (keepAliveTimeout > 0 && this.#open === 0 && now - this.#idle >= ticksOf(keepAliveTimeout)) this.leave()
    this.#lookLater()
  }

  #begin(): void {
    this.#began = true
    this.#lookLater()
  }

  #lookLater(): void {
    const { deadlines, keepAliveTimeout, pauseTimeout, pingInterval, idleTimeout } = this.#options
    const times = [keepAliveTimeout, pauseTimeout, pingInterval, idleTimeout].filter((time) => time > 0)
    deadlines.set(this, Math.min(LOOK, ...times.map((time) => Math.ceil(time / 2))))
  }

  /** Whether the peer answers no more. A silent one is sent PING, as a WebSocket is. */
  #isDead(): boolean {
    const { deadlines, pingInterval, idleTimeout } = this.#options
    const { now } = deadlines
    const { bytesRead } = this.#socket
    if (bytesRead !== this.#read) {
      this.#read = bytesRead
      this.#heard = now
      this.#pinged = false
    }
    const silence = now - this.#heard
    if (pingInterval > 0 && !this.#pinged && silence >= ticksOf(pingInterval)) {
      this.#pinged = true
      if (!this.#session.destroyed) this.#session.ping(() => undefined)
    }
    return idleTimeout > 0 && this.#pinged && silence >= ticksOf(idleTimeout)
  }

  /** Whether a session that should have ended with its last stream has not, as its peer does not take what is left. */
  #isLate(): boolean {
    const { deadlines, closeTimeout } = this.#options
    if (!this.#session.closed || this.#open > 0 || closeTimeout === 0) return false
    return deadlines.now - this.#idle >= ticksOf(closeTimeout) + ticksOf(this.#options.keepAliveTimeout)
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    if (stream.destroyed || stream.closed) return // reset before its turn came
    const { upgrades, maxHeaderSize } = this.#options
    const size = rawHeaders.reduce((length, part) => length + part.length, 0)
    if (size > maxHeaderSize)
      return upgrades.refuse(
        stream,
        refuse(431, `the request head is too long: maxHeaderSize is ${maxHeaderSize} bytes`),
        this.#source,
      )
    if (headers[':method'] === 'CONNECT') {
      const opened = (): void => this.#upgraded(stream)
      return upgrades.take(stream, headers, this.#source, { opened })
    }
    if (namesTwoHosts(headers)) return upgrades.refuse(stream, refuse(400, TWO_HOSTS), this.#source)
    const { budget, deadlines, requests } = this.#options
    const cost = REQUEST_COST + size
    if (!budget.keep(this, cost)) return this.evicted()
    this.#requests.set(stream, new StreamUptake(stream, this.#socket, deadlines.now))
    stream.once('close', () => {
      this.#requests.delete(stream)
      budget.release(this, cost)
    })
    requests.serve(stream, headers, rawHeaders)
  }

  /** A stream has become a WebSocket: until the last one has ended, the session is no arrival. */
  #upgraded(stream: ServerHttp2Stream): void {
    const { arrivals } = this.#options
    if (this.#webSockets++ === 0) arrivals.delete(this)
    stream.once('close', () => {
      if (--this.#webSockets === 0 && !this.#session.destroyed) arrivals.add(this)
    })
  }
}
