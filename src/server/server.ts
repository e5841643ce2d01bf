// A server within one process: listens, lets connections in by two lanes, holds them, and closes them gracefully.
import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { readPlace } from '../checks/place.js'
import { everywhere, serverOptions } from '../checks/tables.js'
import { heapOfThread, OutOfMemory } from '../codec/codec.js'
import type { Connection } from '../connection/connection.js'
import { countedDeflate, type DeflateStatistics } from '../connection/deflateTally.js'
import { Peer } from '../connection/peer.js'
import { encoderOfThread } from '../connection/sending/encoder.js'
import { openBudget, openServer, type ServerParts } from '../connection/shared.js'
import { traced } from '../connection/trace.js'
import { turnOfThread } from '../connection/turn.js'
import { Counts } from '../metrics/counts.js'
import { fill, fillProcess, LoopDelay } from '../metrics/process.js'
import { type Refusal, refuse } from '../protocol/openingHandshake.js'
import { requestInternals } from '../protocol/upgradeRequest.js'
import type { Broker, BrokerStatistics } from '../topics/broker.js'
import { Topics } from '../topics/topics.js'
import type { Transport } from '../transport/transport.js'
import { Census } from './admission/census.js'
import { type AcceptedUpgrade, Endpoint } from './admission/endpoint.js'
import { Gate } from './admission/gate.js'
import { TrustedProxies } from './admission/proxies.js'
import { Routes } from './admission/routes.js'
import { until } from './admission/until.js'
import { readAnswer } from './admission/upgradeAnswer.js'
import { type CloseOptions, type Drain, Drainage, drainOf } from './drainage.js'
import { farewell } from './farewell.js'
import { openLanes } from './lanes/lanes.js'
import type { Respond } from './lanes/responseHead.js'
import { type Lanes, Listener, type ListenOptions } from './listener.js'
import { type AnyRoute, type CommonOptions, limitsOf, routeInternals, type ServerLimits } from './options.js'
import { SetView } from './setView.js'
import { Terms } from './terms.js'

/** An observer of the connections that come. */
export interface Watcher {
  /** The first lane has accepted a connection. */
  arrived(): void
  /** An opening handshake is done. */
  opened(): void
}

/** What any server was handed over: a second connection over a socket or a stream would talk into the first. */
const handedOver = new WeakSet<Duplex>()
const TWICE =
  'handleUpgrade was given this socket before: answer each upgrade once; of two servers on one HTTP server, choose one by the path'
const STREAM_TWICE = TWICE.replace('handleUpgrade', 'handleStream').replace('socket', 'stream')

/** What serves: the application's `Server` has one, and so has an acceptor. The docstrings stand at `Server`. */
export class ProcessServer {
  /** The watcher, which is told of connections that come. */
  watcher: Watcher | undefined
  /** What the application may see of the connections: it can't change which there are. */
  readonly connections: ReadonlySet<Connection<unknown>>
  readonly #census: Census
  readonly #gate: Gate
  readonly #endpoints: readonly Endpoint[]
  readonly #lanes: Lanes
  readonly #listeners: Listener[] = []
  readonly topics: Topics
  readonly #limits: ServerLimits
  readonly #parts: ServerParts<unknown>
  readonly #drainage: Drainage
  readonly #terms: Terms
  /** Resolves when the server has closed. */
  readonly #closed: Promise<void>
  #shut: (drain: Drain) => void = () => undefined
  #closing = false
  /** Callers that wait for the last connection to end. */
  readonly #waiting: (() => void)[] = []
  readonly #counts = new Counts()
  readonly #loopDelay = new LoopDelay(this.#counts)

  constructor(options: CommonOptions & AnyRoute) {
    checkOptions(options, serverOptions, everywhere)
    const limits = limitsOf(options)
    this.#limits = limits
    const heap = heapOfThread()
    heap.prefer(limits.payloadMemory + limits.maxMessage)
    const [encoder, turn] = [encoderOfThread('server'), turnOfThread()]
    const { broker, topics } = options
    this.topics = new Topics(encoder, heap, turn, limits.maxTopics, broker, this.#counts, topics)
    const parts = this.#open(limits)
    this.#parts = parts
    this.#terms = new Terms(parts.deadlines)
    this.connections = new SetView(parts.connections)
    this.#census = new Census(limits, parts.connections)
    const routes = routesOf(options, limits, parts)
    const rest = new Endpoint(options, limits, parts)
    this.#endpoints = [rest, ...Object.values(routes)]
    const { trustedProxies } = options
    const proxies = trustedProxies === undefined ? undefined : new TrustedProxies(trustedProxies)
    this.#gate = new Gate({ census: this.#census, budget: parts.budget, routes: new Routes(routes), rest, proxies })
    this.#lanes = openLanes(options, limits, parts, {
      gate: this.#gate,
      proxies,
      arrived: () => this.watcher?.arrived(),
      upgraded: (transport, accepted, early, respond) => this.#upgraded(transport, accepted, early, respond),
    })
    this.#closed = new Promise((resolve) => {
      this.#shut = (drain) => resolve(this.#end(drain))
    })
    this.#drainage = new Drainage(
      this.#census.connections,
      (connection) => parts.work.answers(connection),
      (drain) => this.#shut(drain),
    )
  }

  get handshakes(): number {
    return this.#counts.of('handshakes', '101')
  }

  get addresses(): readonly (AddressInfo | string)[] {
    return this.#listeners.flatMap(({ address }) => (address === undefined ? [] : [address]))
  }

  /** Whether it accepts connections: not yet, still, or not any more. */
  get state(): 'starting' | 'listening' | 'draining' {
    if (this.#closing) return 'draining'
    return this.#listeners.length > 0 ? 'listening' : 'starting'
  }

  async listen(where: number | ListenOptions, ...more: unknown[]): Promise<void> {
    const options = readPlace(where, more)
    if (this.#closing) throw callerError('ERR_SERVER_CLOSED', 'the server is closed: make a new one to listen again')
    const listener = new Listener(options, this.#lanes)
    await Promise.all(this.#endpoints.map((endpoint) => endpoint.check()))
    await listener.listen(options, this.#lanes)
    this.topics.connect()
    this.#listeners.push(listener)
  }

  setSecureContext(options: SecureContextOptions): void {
    const secure = this.#listeners.filter((listener) => listener.isSecure)
    if (secure.length === 0)
      throw callerError(
        'ERR_NO_TLS',
        'this process listens nowhere with TLS: call setSecureContext after listen({ tls })',
      )
    for (const listener of secure) listener.checkRenewal(options)
    for (const listener of secure) listener.renew(options)
  }

  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, answer?: unknown): void {
    const given = answer === undefined ? undefined : readAnswer(answer) // throws before anything is answered
    if (handedOver.has(socket)) throw callerError('ERR_UPGRADE_TWICE', TWICE)
    handedOver.add(socket)
    this.#lanes.http.handOver(request, socket, head, given)
  }

  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, answer?: unknown): void {
    const given = answer === undefined ? undefined : readAnswer(answer) // throws before anything is answered
    if (handedOver.has(stream)) throw callerError('ERR_UPGRADE_TWICE', STREAM_TWICE)
    handedOver.add(stream)
    this.#lanes.http2.handOver(stream, headers, given)
  }

  get deflateStatistics(): DeflateStatistics {
    return countedDeflate(this.#counts)
  }

  get brokerStatistics(): BrokerStatistics | undefined {
    return this.topics.statistics
  }

  /** All that is counted, now. From the first call on, it is observed how late the event loop is. */
  counted(): Float64Array {
    this.#loopDelay.start()
    const values = this.#counts.values.slice()
    fillProcess(values)
    const { budget, connections } = this.#parts
    return fill(values, {
      connectionsOpen: [connections.size],
      bufferedBytes: [budget.output],
      payloadMemory: [budget.used],
      payloadMemoryLimit: [budget.limit],
      topics: [this.topics.size],
      broker: brokerCounts(this.brokerStatistics),
      brokerQueued: [this.brokerStatistics?.queued ?? 0],
    })
  }

  /** Uses the broker that `make` makes, unless the options named one. */
  use(make: () => Broker): void {
    this.topics.use(make)
  }

  async close(how: number | CloseOptions, reason = ''): Promise<void> {
    const drain = drainOf(how, reason) // throws before anything is closed
    this.#closing = true
    for (const listener of this.#listeners) listener.stop()
    this.#lanes.http.leave()
    this.#lanes.http2.leave()
    this.#drainage.obey(drain)
    await this.#closed
  }

  async #end(drain: Drain): Promise<void> {
    const { closeTimeout } = this.#limits
    const { connections } = this.#census
    const { work } = this.#parts
    const began = performance.now()
    this.#gate.close()
    for (const listener of this.#listeners.splice(0)) listener.close()
    this.#lanes.raw?.close()
    const answered = Promise.all([this.#lanes.http.close(), this.#lanes.http2.close()])
    // Neither paused sockets nor idle threads keep the process alive, but a caller that awaits `close` must see its end.
    const alive = setInterval(() => undefined, 1000)
    const answers = (connection: Connection<unknown>): boolean => work.answers(connection)
    // Half of the time is left for the peers' answers to Close.
    await farewell({ connections, answers }, drain, closeTimeout / 2)
    if (connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await answered
    const remaining = closeTimeout === 0 ? 0 : Math.max(1, closeTimeout - (performance.now() - began))
    await until(() => !work.busy, remaining)
    await Promise.all([this.topics.close(), ...this.#endpoints.map((endpoint) => endpoint.close())])
    clearInterval(alive)
    this.#loopDelay.stop()
  }

  #open({ payloadMemory }: ServerLimits): ServerParts<unknown> {
    return openServer({
      ...openBudget(payloadMemory),
      topics: this.topics,
      counts: this.#counts,
      closed: (connection) => {
        this.#census.remove(connection)
        this.#terms.end(connection)
        if (this.#census.connections.size > 0) return
        for (const resolve of this.#waiting.splice(0)) resolve()
      },
    })
  }

  /** Opens a connection. Returns the refusal if there is no memory for it: then nothing has been sent, and nothing is kept. */
  #upgraded(
    transport: Transport,
    { shared, opening, interposed }: AcceptedUpgrade,
    early: Uint8Array,
    respond: Respond,
  ): Refusal | undefined {
    let peer: Peer<unknown> | undefined
    try {
      const between = interposed === undefined ? transport : interposed(transport, opening.data)
      peer = new Peer(shared, traced(between), opening)
      this.#census.add(peer.connection)
      peer.start(early, respond)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      if (peer !== undefined) this.#census.remove(peer.connection)
      peer?.discard()
      return refuse(503, 'no memory is left for a connection')
    }
    const { expiresAt } = opening
    if (expiresAt !== undefined) this.#terms.begin(peer, expiresAt, shared.handlers)
    this.#counts.answered(101)
    requestInternals.settle(opening.request)
    this.watcher?.opened()
    return undefined
  }
}

function brokerCounts(statistics: BrokerStatistics | undefined): readonly number[] {
  if (statistics === undefined) return []
  const { published, dropped, received, missed, unconfirmed = 0, late = 0 } = statistics
  return [published, dropped, received, missed, unconfirmed, late]
}

/** The endpoint of each route, by its path. */
function routesOf(
  options: CommonOptions & AnyRoute,
  limits: ServerLimits,
  parts: ServerParts<unknown>,
): Record<string, Endpoint> {
  const routes = Object.entries(options.routes ?? {}).map(([path, route]) => {
    const own = routeInternals.optionsOf(route)
    if (own === undefined) {
      throw callerError(
        'ERR_ROUTE',
        `the route ${path} must be made by the function route: routes: { '${path}': route({ ... }) }`,
      )
    }
    return [path, new Endpoint(own, limits, parts, options, routeInternals.insideOf(route))] as const
  })
  return Object.fromEntries(routes)
}
