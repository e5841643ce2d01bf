// The server: listens, lets connections in by two lanes, holds them, and closes them gracefully.
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { codecOfThread, heapOfThread } from '../codec/codec.js'
import type { Connection, Sendable } from '../connection/connection.js'
import { Deadlines } from '../connection/deadlines.js'
import { Peer } from '../connection/peer.js'
import { slicesOfThread } from '../connection/slices.js'
import { turnOfThread } from '../connection/turn.js'
import { giveToHttp, socketOf } from '../internals/accept.js'
import { Budget } from '../payload/budget.js'
import { writeClosePayload } from '../protocol/closeCode.js'
import { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Broker, BrokerStatistics } from '../pubsub/broker.js'
import { Topics } from '../pubsub/topics.js'
import type { Transport } from '../transport/transport.js'
import { Census } from './census.js'
import { type Accepted, type Common, Endpoint } from './endpoint.js'
import { Gate } from './gate.js'
import { HttpLane } from './httpLane.js'
import { type Lanes, Listener, type ListenOptions } from './listener.js'
import { type AnyRoute, type CommonOptions, limitsOf, ROUTE, type ServerLimits, type ServerOptions } from './options.js'
import { TrustedProxies } from './proxies.js'
import { ProxyLine } from './proxyLine.js'
import { RawLane } from './rawLane.js'
import { Routes } from './routes.js'

/** Connections that may be amid their handshakes, beyond those that `maxConnections` allows to be open. */
const ARRIVALS = 16_384

/** A WebSocket server, made by `createServer`. */
export class Server<Data = unknown> {
  readonly #census: Census
  readonly #gate: Gate
  readonly #endpoints: readonly Endpoint[]
  readonly #lanes: Lanes
  readonly #listeners: Listener[] = []
  readonly #topics: Topics
  /** Those who wait for the last connection to end. */
  readonly #waiting: (() => void)[] = []
  #handshakes = 0
  /** Is called for each connection that the first lane accepts. @internal */
  arrived: (() => void) | undefined
  /** Is called after each opening handshake. @internal */
  opened: (() => void) | undefined

  /** Made by `createServer`. @internal */
  constructor(options: CommonOptions & AnyRoute) {
    const limits = limitsOf(options)
    const common = this.#common(limits, options.broker)
    this.#topics = common.topics
    this.#census = new Census(limits, common.connections)
    const routes = Object.entries(options.routes ?? {}).map(([path, { [ROUTE]: own }]) => {
      if (own === undefined) throw new TypeError(`the route ${path} must be made by the function route`)
      return [path, new Endpoint(own, limits, common, options)] as const
    })
    const rest = new Endpoint(options, limits, common)
    this.#endpoints = [rest, ...routes.map(([, endpoint]) => endpoint)]
    const { trustedProxies } = options
    const proxies = trustedProxies === undefined ? undefined : new TrustedProxies(trustedProxies)
    this.#gate = new Gate({
      census: this.#census,
      routes: new Routes(Object.fromEntries(routes)),
      rest,
      proxies,
    })
    this.#lanes = this.#openLanes(options, limits, common.deadlines, proxies)
  }

  /** The connections that are not closed, of all routes. */
  get connections(): ReadonlySet<Connection<Data>> {
    return this.#census.connections as ReadonlySet<Connection<Data>>
  }

  /** The opening handshakes that this process has accepted. */
  get handshakes(): number {
    return this.#handshakes
  }

  /** Where it listens on a port, first; undefined before `listen`, after `close`, and where it listens on paths only. */
  get address(): AddressInfo | undefined {
    return this.addresses.find((address) => typeof address !== 'string')
  }

  /** Everything it listens on: ports with their addresses, and paths. */
  get addresses(): readonly (AddressInfo | string)[] {
    return this.#listeners.flatMap(({ address }) => (address === undefined ? [] : [address]))
  }

  /**
   * Starts to listen; may be called more than once, for several addresses. Rejects with the system's error, EADDRINUSE
   * for instance, with that of node:tls where its options are wrong, with that of the module of `large`, and after
   * `close`.
   */
  async listen(options: ListenOptions = {}): Promise<this> {
    if (this.#gate.closed) throw new Error('the server is closed: make a new one to listen again')
    const listener = new Listener(options, this.#lanes)
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.check()))
    await listener.listen(options, this.#lanes)
    this.#topics.connect()
    this.#listeners.push(listener)
    return this
  }

  /** Accepts nothing more; what it has accepted goes on. @internal */
  stopListening(): void {
    for (const listener of this.#listeners) listener.stop()
  }

  /**
   * Takes an upgrade of a node:http or https server of yours; call it in that server's `'upgrade'` listener, with what
   * the listener is given. Refuses the upgrade by itself where it must. The socket may be any Duplex.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#lanes.http.upgrade(request, socket, head)
  }

  /**
   * Publishes a message to all subscribers of a topic, of every acceptor and machine that shares the server's broker. It
   * is encoded once, and written from the same memory to all of them when this turn ends. Returns how many there are in
   * this process: what their output policies make of it is not known yet. Throws as `connection.send` does.
   */
  publish(topic: string, data: Sendable): number {
    return this.#topics.publish(topic, data)
  }

  /** How many connections of this process subscribe to a topic. */
  subscriberCount(topic: string): number {
    return this.#topics.subscriberCount(topic)
  }

  /** What the broker has carried; undefined without one. */
  get brokerStatistics(): BrokerStatistics | undefined {
    return this.#topics.statistics
  }

  /** Uses the broker that `make` makes, unless the options named one. @internal */
  use(make: () => Broker): void {
    this.#topics.use(make)
  }

  /**
   * Accepts nothing more, sends Close to every peer (1001 by default), and resolves when all connections have ended:
   * those that do not answer are ended when the close timeout is over. Rejects with a RangeError, before anything is
   * closed, for a code or a reason that may not be sent.
   */
  async close(code = 1001, reason = ''): Promise<void> {
    writeClosePayload(code, reason) // throws before anything is closed
    this.#gate.close()
    for (const listener of this.#listeners.splice(0)) listener.close()
    this.#lanes.raw?.close()
    this.#lanes.http.close()
    for (const connection of this.#census.connections) connection.close(code, reason)
    // Neither paused sockets nor idle threads keep the process alive, and whoever waits for their end should see it.
    const alive = setInterval(() => undefined, 1000)
    if (this.#census.connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await Promise.all([this.#topics.close(), ...this.#endpoints.map((endpoint) => endpoint.close())])
    clearInterval(alive)
  }

  #common(limits: ServerLimits, broker: Broker | undefined): Common & { readonly topics: Topics } {
    const connections = new Set<Connection<unknown>>()
    const budget = new Budget(limits.payloadMemory, 0, () => deadlines.start())
    const heap = heapOfThread()
    heap.prefer(limits.payloadMemory + limits.maxMessage)
    const deadlines: Deadlines = new Deadlines((now) => {
      budget.checkStalls(now)
      return budget.unfinished > 0
    })
    const closed = (connection: Connection<unknown>): void => {
      this.#census.remove(connection)
      if (connections.size > 0) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
    const codec = codecOfThread()
    const turn = turnOfThread()
    const slices = slicesOfThread()
    const topics = new Topics(codec, heap, turn, limits.maxTopics, broker)
    return { codec, heap, turn, slices, budget, deadlines, topics, connections, closed }
  }

  #openLanes(
    options: CommonOptions,
    limits: ServerLimits,
    deadlines: Deadlines,
    proxies: TrustedProxies | undefined,
  ): Lanes {
    const { handshakeTimeout } = limits
    const { publicApi = false, request = (_, response) => response.writeHead(426, { Upgrade: 'websocket' }).end() } =
      options
    const gate = this.#gate
    const upgraded = (transport: Transport, accepted: Accepted, early: Uint8Array): void =>
      this.#open(transport, accepted, early)
    const proxyLine = new ProxyLine(deadlines, handshakeTimeout, (address) => proxies?.trusts(address) ?? true)
    const mostArrivals = limits.maxConnections + ARRIVALS
    const shared = { ...limits, deadlines, gate, mostArrivals, upgraded }
    const http = new HttpLane({ ...shared, publicApi, request, clientOf: (socket) => proxyLine.clientOf(socket) })
    const raw = new RawLane({
      ...shared,
      arrived: () => this.arrived?.(),
      refused: (handle, refusal) => http.refuse(socketOf(handle), refusal),
      handedOver: (handle, read) => http.counted(giveToHttp(handle, read, http.server)),
    })
    return { raw: publicApi ? undefined : raw, http, proxyLine, handshakeTimeout }
  }

  #open(transport: Transport, { shared, opening }: Accepted, early: Uint8Array): void {
    const peer = new Peer(shared, transport, opening)
    this.#handshakes++
    this.#census.add(peer)
    peer.start(opening, early)
    UpgradeRequest.settle(opening.request)
    this.opened?.()
  }
}

/**
 * A WebSocket server with these handlers and limits. It does nothing until `listen`, or `handleUpgrade`.
 * Throws a RangeError for a limit that is not a whole number from 0 (or 1) to 2^53 - 1, and a TypeError for an
 * `outputPolicy`, a route's path or a trusted proxy that makes no sense.
 */
export function createServer(): Server<undefined>
export function createServer<Data = undefined>(options: ServerOptions<Data>): Server<Data>
export function createServer(options: ServerOptions = {}): Server<unknown> {
  return new Server(options)
}
