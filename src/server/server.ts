// The server: listens, lets connections in by two lanes, holds them, and closes them gracefully.
import type { IncomingMessage, RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { checkHandedOver } from '../checks/handedOver.js'
import { readPlace } from '../checks/place.js'
import { everywhere, renewalOptions, serverOptions } from '../checks/tables.js'
import { codecOfThread, heapOfThread, OutOfMemory } from '../codec/codec.js'
import type { Connection, Sendable } from '../connection/connection.js'
import { Deadlines } from '../connection/deadlines.js'
import { encoderOfThread } from '../connection/encoder.js'
import { isThenable } from '../connection/handlers.js'
import { Peer } from '../connection/peer.js'
import { slicesOfThread } from '../connection/slices.js'
import { turnOfThread } from '../connection/turn.js'
import { Work } from '../connection/work.js'
import { socketOf } from '../internals/accept.js'
import { Budget } from '../payload/budget.js'
import { type Refusal, refuse } from '../protocol/openingHandshake.js'
import { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Broker, BrokerStatistics } from '../pubsub/broker.js'
import { Topics } from '../pubsub/topics.js'
import type { Transport } from '../transport/transport.js'
import { Arrivals } from './arrivals.js'
import { Census } from './census.js'
import { mostDescriptors } from './descriptors.js'
import { type CloseOptions, type Drain, Drainage, drainOf } from './drainage.js'
import { type Accepted, type Common, Endpoint } from './endpoint.js'
import { farewell } from './farewell.js'
import { Gate } from './gate.js'
import { HttpLane } from './httpLane.js'
import { type Lanes, Listener, type ListenOptions } from './listener.js'
import { type AnyRoute, type CommonOptions, limitsOf, Route, type ServerLimits } from './options.js'
import { TrustedProxies } from './proxies.js'
import { ProxyLine } from './proxyLine.js'
import { RawLane } from './rawLane.js'
import type { Respond } from './responseHead.js'
import { Routes } from './routes.js'
import { until } from './until.js'

/** Connections that may be amid their handshakes, or used for HTTP. */
const ARRIVALS = 16_384

/** What they may cost together: a part of `payloadMemory`, and so many bytes at least. */
const ARRIVALS_SHARE = 1 / 2
const ARRIVALS_BYTES = 4 * 1024 * 1024

/** The server of one process, which `createServer` extends by acceptors. */
export class ProcessServer<Data = unknown> {
  readonly #census: Census
  readonly #gate: Gate
  readonly #endpoints: readonly Endpoint[]
  readonly #lanes: Lanes
  readonly #listeners: Listener[] = []
  readonly #topics: Topics
  readonly #limits: ServerLimits
  readonly #work = new Work()
  readonly #drainage: Drainage
  /** Resolves when the server has closed. */
  readonly #closed: Promise<void>
  #shut: (drain: Drain) => void = () => undefined
  #closing = false
  /** Those who wait for the last connection to end. */
  readonly #waiting: (() => void)[] = []
  #handshakes = 0
  /** Is called for each connection that the first lane accepts. @internal */
  arrived: (() => void) | undefined
  /** Is called after each opening handshake. @internal */
  opened: (() => void) | undefined

  /** Made by `createServer`. @internal */
  constructor(options: CommonOptions & AnyRoute) {
    checkOptions(options, serverOptions, everywhere)
    const limits = limitsOf(options)
    this.#limits = limits
    const common = this.#common(limits, options.broker)
    this.#topics = common.topics
    this.#census = new Census(limits, common.connections)
    const routes = Object.entries(options.routes ?? {}).map(([path, route]) => {
      const own = Route.optionsOf(route)
      if (own === undefined) {
        throw callerError(
          'ERR_ROUTE',
          `the route ${path} must be made by the function route: routes: { '${path}': route({ ... }) }`,
        )
      }
      return [path, new Endpoint(own, limits, common, options)] as const
    })
    const rest = new Endpoint(options, limits, common)
    this.#endpoints = [rest, ...routes.map(([, endpoint]) => endpoint)]
    const { trustedProxies } = options
    const proxies = trustedProxies === undefined ? undefined : new TrustedProxies(trustedProxies)
    this.#gate = new Gate({
      census: this.#census,
      budget: common.budget,
      routes: new Routes(Object.fromEntries(routes)),
      rest,
      proxies,
    })
    this.#lanes = this.#openLanes(options, limits, common, proxies)
    this.#closed = new Promise((resolve) => {
      this.#shut = (drain) => resolve(this.#end(drain))
    })
    this.#drainage = new Drainage(
      this.#census.connections,
      (connection) => this.#work.answers(connection),
      (drain) => this.#shut(drain),
    )
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

  /** The port of `address`; undefined where that is. */
  get port(): number | undefined {
    return this.address?.port
  }

  /** Everything it listens on: ports with their addresses, and paths. */
  get addresses(): readonly (AddressInfo | string)[] {
    return this.#listeners.flatMap(({ address }) => (address === undefined ? [] : [address]))
  }

  /**
   * Starts to listen; may be called more than once, for several addresses. Rejects with the system's error, EADDRINUSE
   * for instance, with that of node:tls where its options are wrong, with that of the module of `large`, and after
   * `close`. Rejects with a TypeError for names that are no options, values of the wrong kind, and options that exclude
   * each other.
   */
  listen(where?: number | ListenOptions): Promise<this>
  async listen(where: number | ListenOptions = {}, ...more: unknown[]): Promise<this> {
    const options = readPlace(where, more)
    if (this.#closing) throw callerError('ERR_SERVER_CLOSED', 'the server is closed: make a new one to listen again')
    const listener = new Listener(options, this.#lanes)
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.check()))
    await listener.listen(options, this.#lanes)
    this.#topics.connect()
    this.#listeners.push(listener)
    return this
  }

  /** Whether it has begun to listen. @internal */
  get listens(): boolean {
    return this.#listeners.length > 0
  }

  /**
   * Certificates and keys in the place of those that `listen` was given, for connections to come, on everything that
   * listens with TLS. What is left out stays, but a certificate takes its key along. Throws what node:tls throws for a
   * certificate that it can't use, and an Error where nothing listens with TLS; then nothing has changed.
   */
  setSecureContext(options: SecureContextOptions): void {
    checkOptions(options, renewalOptions, everywhere)
    const secure = this.#listeners.filter((listener) => listener.isSecure)
    if (secure.length === 0)
      throw callerError('ERR_NO_TLS', 'this process listens nowhere with TLS: use it behind listen({ tls })')
    for (const listener of secure) listener.checkRenewal(options)
    for (const listener of secure) listener.renew(options)
  }

  /**
   * Takes an upgrade of a node:http or https server of yours; call it in that server's `'upgrade'` listener, with what
   * the listener is given. Refuses the upgrade by itself where it must. The socket may be any Duplex. Throws a TypeError
   * for arguments that are something else.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, ...more: unknown[]): void {
    checkHandedOver(request, socket, head, more)
    this.#lanes.http.upgrade(request, socket, head)
  }

  /**
   * Publishes a message to all subscribers of a topic, of every acceptor and machine that shares the server's broker. It
   * is encoded once, and written from the same memory to all of them when this turn ends. Returns how many there are in
   * this process: what their output policies make of it is not known yet. 0 where this process has no memory left for it:
   * then it is dropped here, with a warning. Throws as `connection.send` does.
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
   * those that do not answer are ended when the close timeout is over. A connection whose messages are being handled is
   * sent Close when the promises of these handlers have settled, or half of `closeTimeout` is over; requests under way
   * are answered, and all other promises of handlers are waited for, within `closeTimeout`. With `drainAfter` and
   * `drainOver`, connections are served for that time before. Called again, the later call counts. Rejects with a
   * RangeError, before anything is closed, for a code or a reason that may not be sent, and for a time that makes no sense.
   */
  async close(how: number | CloseOptions = 1001, reason = ''): Promise<void> {
    const drain = drainOf(how, reason) // throws before anything is closed
    this.#closing = true
    for (const listener of this.#listeners) listener.stop()
    this.#lanes.http.leave()
    this.#drainage.obey(drain)
    await this.#closed
  }

  async #end({ code, reason }: Drain): Promise<void> {
    const { closeTimeout } = this.#limits
    const began = performance.now()
    this.#gate.close()
    for (const listener of this.#listeners.splice(0)) listener.close()
    this.#lanes.raw?.close()
    const answered = this.#lanes.http.close()
    // Neither paused sockets nor idle threads keep the process alive, and whoever waits for their end should see it.
    const alive = setInterval(() => undefined, 1000)
    const answers = (connection: Connection<unknown>): boolean => this.#work.answers(connection)
    // Half of the time is left for the peers' answers to Close.
    await farewell({ connections: this.#census.connections, answers }, { code, reason }, closeTimeout / 2)
    if (this.#census.connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await answered
    const left = closeTimeout === 0 ? 0 : Math.max(1, closeTimeout - (performance.now() - began))
    await until(() => !this.#work.busy, left)
    await Promise.all([this.#topics.close(), ...this.#endpoints.map((endpoint) => endpoint.close())])
    clearInterval(alive)
  }

  #common(limits: ServerLimits, broker: Broker | undefined): Common & { readonly topics: Topics } {
    const connections = new Set<Connection<unknown>>()
    const budget = new Budget(limits.payloadMemory, 0, () => deadlines.start())
    const heap = heapOfThread()
    heap.prefer(limits.payloadMemory + limits.maxMessage)
    const deadlines: Deadlines = new Deadlines((now) => {
      budget.stalls.check(now)
      return budget.stalls.watched > 0
    })
    const closed = (connection: Connection<unknown>): void => {
      this.#census.remove(connection)
      if (connections.size > 0) return
      for (const resolve of this.#waiting.splice(0)) resolve()
    }
    const codec = codecOfThread()
    const encoder = encoderOfThread('server')
    const turn = turnOfThread()
    const slices = slicesOfThread()
    const topics = new Topics(encoder, heap, turn, limits.maxTopics, broker)
    const work = this.#work
    return { codec, heap, encoder, turn, slices, budget, deadlines, topics, connections, work, closed }
  }

  #openLanes(
    options: CommonOptions,
    limits: ServerLimits,
    { slices, deadlines, budget }: Common,
    proxies: TrustedProxies | undefined,
  ): Lanes {
    const { handshakeTimeout, maxConnections, payloadMemory } = limits
    const bytes = Math.max(ARRIVALS_SHARE * payloadMemory, ARRIVALS_BYTES)
    const connections = Math.min(ARRIVALS, Math.floor(mostDescriptors() / 2))
    const arrivals = new Arrivals({ connections, bytes }, budget)
    const { publicApi = false, request = refuseRequest } = options
    const gate = this.#gate
    const upgraded = (transport: Transport, accepted: Accepted, early: Uint8Array, respond: Respond) =>
      this.#open(transport, accepted, early, respond)
    const proxyLine = new ProxyLine(deadlines, handshakeTimeout, (address) => proxies?.trusts(address) ?? true)
    const mostSockets = maxConnections + 2 * ARRIVALS // of which those under way to the application are not arrivals
    const shared = { ...limits, slices, deadlines, budget, gate, arrivals, mostSockets, upgraded }
    const http = new HttpLane({
      ...shared,
      publicApi,
      request,
      requestFailed: (message, error) => requestFailed(options, message, error),
      clientOf: (socket) => proxyLine.clientOf(socket),
    })
    const raw = new RawLane({
      ...shared,
      arrived: () => this.arrived?.(),
      refused: (handle, refusal) => http.refuse(socketOf(handle), refusal),
      handedOver: (handle, read, due) => {
        const socket = socketOf(handle, read)
        if (http.admit(socket)) http.take(socket, due)
      },
    })
    return { raw: publicApi ? undefined : raw, http, proxyLine, deadlines, arrivals, handshakeTimeout }
  }

  /** Opens a connection. The refusal where there is no memory for it: then nothing has been sent, and nothing is kept. */
  #open(transport: Transport, { shared, opening }: Accepted, early: Uint8Array, respond: Respond): Refusal | undefined {
    let peer: Peer<unknown> | undefined
    try {
      peer = new Peer(shared, transport, opening)
      this.#census.add(peer)
      peer.start(early, respond)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      if (peer !== undefined) this.#census.remove(peer)
      peer?.discard()
      return refuse(503, 'no memory is left for a connection')
    }
    this.#handshakes++
    UpgradeRequest.settle(opening.request)
    this.opened?.()
    return undefined
  }
}

/**
 * What plain HTTP gets where the application has no use for it. There is no Upgrade header: proxies hand it on to clients
 * of HTTP/2, which must not see it.
 */
const refuseRequest: RequestListener = (_, response) => {
  response.writeHead(426, { 'Content-Type': 'text/plain; charset=utf-8' }).end('this is a WebSocket server\n')
}

/** Tells the application that its `request` failed. */
function requestFailed(options: CommonOptions, request: IncomingMessage, error: unknown): void {
  if (options.requestFailed === undefined) return console.error(error)
  try {
    const result = options.requestFailed(request, error)
    if (isThenable(result)) Promise.resolve(result).catch(console.error)
  } catch (second) {
    console.error(second)
  }
}

/** For whoever gives more than one. */
export const ONE_OBJECT = 'createServer takes one object: what answers HTTP requests is its option `request`'
