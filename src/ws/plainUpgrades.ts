// Upgrades of an HTTP server as node:http makes it: a request for one that comes whole and plain in the first read of its
// connection needs no HTTP parser, which costs more than all the rest of a handshake. Whatever else comes goes to node:http with
// what was read.
import type { AsyncResource } from 'node:async_hooks'
import type { Buffer } from 'node:buffer'
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { acceptBefore, countConnections, socketIn } from '../internals/accept.js'
import { currentContext, keepsFrames, runInContext, runScoped } from '../internals/context.js'
import { acceptsPlainly, isPlainServer, upgradesPlainly } from '../internals/httpServer.js'
import { lateRequest, RequestMaker, requestMaker } from '../internals/lateRequest.js'
import { canBeLate, lateSocket, socketMaker } from '../internals/lateSocket.js'
import type { StreamHandle } from '../internals/node.js'
import { type ChunkReader, readChunks, startReading, tellEnd } from '../internals/stream.js'
import { type KnownHead, type PlainHead, PlainHeads, wholeRequest } from '../protocol/knownHeads.js'
import type { HandshakeRequest } from '../protocol/openingHandshake.js'
import { Deadlines, type Expiring } from '../time/deadlines.js'
import { EMPTY } from './data.js'

/** How long a connection may stay here without a word, in milliseconds: then node:http waits for it, with its own limits. */
const PATIENCE = 500
const LONGEST_HEAD = 8192

/**
 * What is no upgrade takes a third longer this way (65 µs for a connection with one request of the web, where it took 48): a
 * server that has both takes no more of it than it has had upgrades, and at most so many in a row.
 */
const MOST_IN_VAIN = 16
const KEY = 'sec-websocket-key'

export class PlainUpgrades {
  readonly server: HttpServer
  readonly heads = new PlainHeads(LONGEST_HEAD)
  readonly deadlines = new Deadlines(() => false)
  readonly arrivals = new Set<PlainArrival>()
  /** The asynchronous context in which the server listens, and so that of its connections, if there is anything in it. */
  #context: AsyncResource | undefined
  /** How many connections may yet turn out to be for the web. */
  #credit = MOST_IN_VAIN
  /** The raw headers of heads that have come before, and where the key stands in them. */
  readonly #known = new WeakMap<KnownHead, { readonly raw: readonly string[]; readonly keyAt: number }>()

  constructor(server: HttpServer) {
    this.server = server
  }

  /** The server listens: what it accepts comes here first. */
  listens(): void {
    this.#context = currentContext()
    const taken = (handle: StreamHandle): boolean => this.#taken(handle)
    if (!acceptBefore(this.server, taken, () => this.#closes())) return
    this.#handOverBefore('closeAllConnections')
    this.#handOverBefore('closeIdleConnections')
  }

  /** A method that ends connections which node:http knows: it is to know all. */
  #handOverBefore(name: 'closeAllConnections' | 'closeIdleConnections'): void {
    if (Object.hasOwn(this.server, name)) return
    const { server } = this
    const value = (): void => {
      this.#handOver()
      Reflect.apply(Reflect.get(Object.getPrototypeOf(server), name), server, [])
    }
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(server, name, { value, writable: true, configurable: true })
  }

  #handOver(): void {
    for (const arrival of this.arrivals) arrival.expired()
  }

  /** The server closes: node:http gets what has not said anything yet, and does with it what it has just done with its own. */
  #closes(): void {
    if (this.arrivals.size > 0) this.server.closeIdleConnections()
    this.#handOver()
  }

  /** Does what node:net and node:http would do, in the context in which they would do it. */
  inContext(work: () => void): void {
    if (this.#context === undefined) work()
    else runInContext(this.#context, work)
  }

  /** An upgrade has come, in whichever way. */
  came(): void {
    if (this.#credit < MOST_IN_VAIN) this.#credit++
  }

  /** A connection was taken that is not for an upgrade, or none as plain as it has to be. */
  inVain(): void {
    if (this.#credit > 0) this.#credit-- // any number may have been taken at once
  }

  #taken(handle: StreamHandle): boolean {
    const { server } = this
    if (this.#credit <= 0 || !upgradesPlainly(server) || !acceptsPlainly(server) || !canBeLate()) return false
    countConnections(server, 1)
    this.arrivals.add(new PlainArrival(handle, this))
    return true
  }

  /** The names and values of a head that was read, by turns, as they came. */
  rawHeadersOf({ text, known, key }: PlainHead): string[] {
    if (known === undefined) return rawHeadersIn(text)
    const found = this.#known.get(known) ?? this.#learn(known, key)
    const raw = [...found.raw]
    raw[found.keyAt] = key
    return raw
  }

  #learn(known: KnownHead, key: string): { readonly raw: readonly string[]; readonly keyAt: number } {
    const raw = rawHeadersIn(known.textWith(key))
    const found = { raw, keyAt: raw.findIndex((name, at) => at % 2 === 0 && name.toLowerCase() === KEY) + 1 }
    this.#known.set(known, found)
    return found
  }
}

const ofServers = new WeakMap<object, PlainUpgrades>()

/** A server has got an upgrade. */
export function noteUpgrade(server: object): void {
  ofServers.get(server)?.came()
}

/** A server listens: its plain upgrades, if it is one that node:http has made, and that reads requests as it always does. */
export function takePlainUpgrades(server: object): void {
  if (!isPlainServer(server)) return
  const upgrades = ofServers.get(server) ?? new PlainUpgrades(server)
  ofServers.set(server, upgrades)
  upgrades.listens()
}

/** What was read of a request, until somebody wants more of it. */
class PlainRequest extends RequestMaker {
  readonly #upgrades: PlainUpgrades
  readonly #head: PlainHead

  constructor(upgrades: PlainUpgrades, head: PlainHead, socket: Socket) {
    super(head.request.target, socket)
    this.#upgrades = upgrades
    this.#head = head
  }

  get read(): HandshakeRequest {
    return wholeRequest(this.#head)
  }

  protected get rawHeaders(): string[] {
    return this.#upgrades.rawHeadersOf(this.#head)
  }
}

/** The request as far as its checks go: what was read of it, as long as nobody has looked at it. */
export function readRequest(request: IncomingMessage): Pick<IncomingMessage, 'method' | 'headers'> {
  const maker = requestMaker(request)
  return maker instanceof PlainRequest ? maker.read : request
}

/** A connection from its acceptance to its first read. */
class PlainArrival implements ChunkReader, Expiring {
  due = 0
  place = 0
  readonly #handle: StreamHandle
  readonly #upgrades: PlainUpgrades

  constructor(handle: StreamHandle, upgrades: PlainUpgrades) {
    this.#handle = handle
    this.#upgrades = upgrades
    upgrades.deadlines.set(this, PATIENCE)
    readChunks(handle, this)
    if (!startReading(handle)) this.expired()
  }

  readChunk(chunk: Buffer | undefined, status: number): void {
    const { server, heads } = this.#upgrades
    const head = chunk === undefined || !upgradesPlainly(server) ? undefined : heads.read(chunk)
    if (head === undefined || chunk === undefined) return this.#handOver(chunk, status)
    this.#leave()
    const socket = lateSocket(server, this.#handle)
    const request = lateRequest(new PlainRequest(this.#upgrades, head, socket))
    const behind = chunk.length === head.length ? EMPTY : chunk.subarray(head.length)
    try {
      const tell = (): boolean => server.emit('upgrade', request, socket, behind)
      if (keepsFrames()) this.#upgrades.inContext(tell)
      else runScoped(tell) // what a listener enters is not the socket's: node:http tells of it in its parser's context
    } finally {
      // Whoever has not opened a WebSocket over it has a socket that is read, as any other.
      if (socketMaker(socket)?.used === false) void socket.readable
    }
  }

  /** It has been silent for long, or the server closes. */
  expired(): void {
    this.#handOver(undefined, 0)
  }

  /** What was read, or the end or the error that was read instead, goes to node:http with the connection. */
  #handOver(read: Buffer | undefined, status: number): void {
    this.#leave()
    this.#upgrades.inVain()
    const { server } = this.#upgrades
    const handle = this.#handle
    const socket = socketIn(server, handle, status < 0)
    if (read !== undefined) socket.unshift(read)
    this.#upgrades.inContext(() => server.emit('connection', socket))
    if (status < 0) this.#upgrades.inContext(() => tellEnd(handle, status))
  }

  #leave(): void {
    this.#upgrades.arrivals.delete(this)
    this.#upgrades.deadlines.clear(this)
  }
}

/** The header lines of a head that was read strictly (protocol/requestHead.ts): nothing in it can be mistaken. */
function rawHeadersIn(text: string): string[] {
  const raw: string[] = []
  for (const line of text.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0) raw.push(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return raw
}
