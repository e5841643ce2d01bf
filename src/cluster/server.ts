// The server as its application holds it. It may have acceptors: in the primary it supervises them; in an acceptor, and
// without acceptors, the server of the process serves, which no program can reach.
import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { Hub } from '../brokers/hub.js'
import { HubBroker } from '../brokers/hubBroker.js'
import { LinkBroker } from '../brokers/linkBroker.js'
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { checkHandedOver, checkStream } from '../checks/handedOver.js'
import { readPlace } from '../checks/place.js'
import { everywhere, renewalOptions } from '../checks/tables.js'
import type { Connection, Sendable } from '../connection/connection.js'
import { tell } from '../metrics/snapshot.js'
import { type CloseOptions, drainOf } from '../server/drainage.js'
import type { ListenOptions } from '../server/listener.js'
import type { AnyRoute, CommonOptions, GivenAnswer } from '../server/options.js'
import { ProcessServer } from '../server/server.js'
import type { BrokerStatistics } from '../topics/broker.js'
import type { TopicListener } from '../topics/listeners.js'
import { Acceptor } from './acceptor.js'
import { checkMayHaveAcceptors, checkMayLead } from './eligibility.js'
import { isAcceptor } from './environment.js'
import { linkToPrimary } from './link.js'
import { type ClusterOptions, type ClusterPlan, planOf } from './options.js'
import { obeySignals } from './primarySignals.js'
import { ownStatistics, type ProcessStatistics, type ServerMetrics, serverMetrics } from './statistics.js'
import { Supervisor } from './supervisor.js'

/** The server with acceptors: all acceptors run the same program, so only one of its servers can have them. */
let taken = false

/** A WebSocket server. `createServer` makes it. */
export class Server<Data = unknown> {
  readonly #process: ProcessServer
  readonly #historyMemory: number | undefined
  #supervisor: Supervisor | undefined
  #acceptor: Acceptor | undefined
  /** Whether a signal has told this process to end. */
  #signalled = false

  /** Made by `createServer`. @internal */
  constructor(options: CommonOptions & AnyRoute) {
    this.#process = new ProcessServer(options)
    this.#historyMemory = options.topics?.historyMemory
  }

  /** The connections of all routes that are not closed yet, at every moment. The set can only be read. */
  get connections(): ReadonlySet<Connection<Data>> {
    return this.#process.connections as ReadonlySet<Connection<Data>>
  }

  /** How many opening handshakes this process has accepted. */
  get handshakes(): number {
    return this.#process.handshakes
  }

  /**
   * The first address and port on which the server listens. Undefined before `listen`, after `close`, and if the server
   * listens only on paths.
   */
  get address(): AddressInfo | undefined {
    return this.addresses.find((address) => typeof address !== 'string')
  }

  /** The port of `address`. Undefined if `address` is undefined. */
  get port(): number | undefined {
    return this.address?.port
  }

  /** Everything on which the server or its acceptors listen: addresses with their ports, and paths. */
  get addresses(): readonly (AddressInfo | string)[] {
    return this.#supervisor?.addresses ?? this.#process.addresses
  }

  /**
   * Starts to listen. A number is a port: `listen(9001)`. You may call it more than once, for several addresses.
   * Rejects with the system's error (EADDRINUSE, for example), with the error of node:tls for wrong TLS options, with
   * the error of the module of `large` if that does not load, and after `close`. Rejects with a TypeError for names
   * that are not options, for values of the wrong kind, and for options that exclude each other.
   *
   * With `acceptors`, this process becomes the primary: it has run your program up to this call, starts the same
   * program again in each acceptor, and serves nothing itself. The promise resolves in an acceptor when that acceptor
   * listens, and in the primary when all acceptors listen. If an acceptor can't listen, it ends, and in the primary the
   * promise rejects with its error when all acceptors have ended. Rejects with a RangeError for numbers that are out of
   * bounds. Rejects with an Error in a worker thread, in a worker of another cluster, and for a second server with
   * acceptors.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer()
   * await server.listen({ port: 9001, host: '127.0.0.1' })
   * ```
   */
  listen(where?: number | (ListenOptions & ClusterOptions)): Promise<this>
  async listen(where: number | (ListenOptions & ClusterOptions) = {}, ...more: unknown[]): Promise<this> {
    const options = readPlace(where, more)
    if (this.#supervisor !== undefined) await this.#supervisor.listen()
    else if (this.#acceptor !== undefined) await this.#serve(this.#acceptor, options)
    else if (options.acceptors === undefined) await this.#process.listen(options)
    else {
      const plan = planOf(options)
      checkMayHaveAcceptors(taken)
      if (isAcceptor()) {
        taken = true
        this.#process.use(() => new LinkBroker(linkToPrimary()))
        this.#acceptor = new Acceptor(this.#process, plan.signals)
        await this.#serve(this.#acceptor, options)
      } else {
        checkMayLead()
        await this.#lead(plan)
      }
    }
    return this
  }

  /**
   * Replaces the certificates and keys that `listen` was given, on everything that listens with TLS. New connections
   * get the new ones. Options that you leave out stay as they were, but a new certificate must come with its key.
   * Throws the error of node:tls for a certificate that can't be used, and an Error if nothing listens with TLS; in
   * both cases nothing has changed.
   */
  setSecureContext(options: SecureContextOptions): void {
    checkOptions(options, renewalOptions, everywhere)
    this.#process.setSecureContext(options)
  }

  /**
   * Takes over an upgrade request from an HTTP server of your own. Call it in that server's `'upgrade'` listener with
   * the listener's arguments. It refuses the request by itself if that is necessary. The socket may be any Duplex. If
   * a framework has decided on the request already, `answer` is what `upgrade` would return, and `upgrade` is not
   * asked. Throws a TypeError for wrong arguments.
   * @example
   * ```js
   * import { createServer as createHttpServer } from 'node:http'
   * import { createServer } from 'millrace'
   *
   * const sockets = createServer({ message: (connection, message) => connection.send(message) })
   * const http = createHttpServer((request, response) => response.end('hello'))
   * http.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head))
   * ```
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, answer?: GivenAnswer<Data>): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, answer?: unknown, ...more: unknown[]): void {
    checkHandedOver(request, socket, head, answer, more)
    this.#process.handleUpgrade(request, socket, head, answer)
  }

  /**
   * Takes over a stream from an HTTP/2 server of your own (RFC 8441). That server needs the setting
   * `enableConnectProtocol`. Call it in the server's `'stream'` listener, with the listener's arguments, where `:method`
   * is CONNECT. It refuses the request by itself if that is necessary. If a framework has decided on the request already,
   * `answer` is what `upgrade` would return, and `upgrade` is not asked. Throws a TypeError for wrong arguments.
   * @example
   * ```js
   * import { createServer as createHttp2Server } from 'node:http2'
   * import { createServer } from 'millrace'
   *
   * const sockets = createServer({ message: (connection, message) => connection.send(message) })
   * const http2 = createHttp2Server({ settings: { enableConnectProtocol: true } })
   * http2.on('stream', (stream, headers) => {
   *   if (headers[':method'] === 'CONNECT') sockets.handleStream(stream, headers)
   *   else stream.respond({ ':status': 404 }, { endStream: true })
   * })
   * ```
   */
  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, answer?: GivenAnswer<Data>): void
  handleStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, answer?: unknown): void {
    checkStream(stream, headers, answer)
    this.#process.handleStream(stream, headers, answer)
  }

  /**
   * Publishes a message to all subscribers of a topic, in every acceptor and on every machine that shares the server's
   * broker. The message is encoded once, and written from the same memory to all subscribers when this turn ends.
   * Returns the number of subscribers in this process; their output policies may still drop the message. If no memory
   * is left for the message, it is dropped here with a warning, and the result is 0. Throws as `connection.send` does.
   */
  publish(topic: string, data: Sendable): number {
    return this.#process.topics.publish(topic, data)
  }

  /** How many connections of this process subscribe to a topic. */
  subscriberCount(topic: string): number {
    return this.#process.topics.subscriberCount(topic)
  }

  /**
   * Tells `listener` what is published on a topic from now on, by this process, other acceptors and other machines, until
   * the function that it returns is called. The listener is called before `publish` returns, and in the order in which
   * the connections of this process are sent the same. Throws a TypeError for what can be no topic, and for what is no
   * function. A primary with acceptors serves nothing, and hears what it publishes itself.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer()
   * const unsubscribe = server.subscribe('prices', ({ data, origin }) => console.log(origin, data))
   * server.publish('prices', '5.20')
   * unsubscribe()
   * ```
   */
  subscribe(topic: string, listener: TopicListener): () => void {
    return this.#process.topics.listen(topic, listener)
  }

  /** What the broker has carried. Undefined if the server has no broker. */
  get brokerStatistics(): BrokerStatistics | undefined {
    return this.#process.brokerStatistics
  }

  /**
   * Replaces all acceptors without refusing a connection. New acceptors start with the program as it is on the disk
   * now. When they listen, the old acceptors accept nothing more, and drain (see `drainAfter`). Resolves when the new
   * acceptors have taken over. Rejects, and changes nothing, if one of them does not listen, or if there are no
   * acceptors.
   */
  async reload(): Promise<void> {
    if (this.#supervisor === undefined) throw callerError('ERR_NO_ACCEPTORS', 'this process has no acceptors to reload')
    await this.#supervisor.reload()
  }

  /**
   * One entry for each process that serves: the acceptors if this process is their primary, and otherwise this process.
   */
  async statistics(): Promise<ProcessStatistics[]> {
    if (this.#supervisor !== undefined) return await this.#supervisor.statistics()
    const { state } = this.#process
    return [{ pid: process.pid, state, ...ownStatistics(this.#process), restarts: 0, age: 0 }]
  }

  /**
   * All that the server has counted. With acceptors, it is the sum over all of them, in whichever process you call this;
   * the counters of acceptors that have ended stay in it, so that no counter falls. See the guide on metrics.
   */
  async metrics(): Promise<ServerMetrics> {
    if (this.#supervisor !== undefined) return serverMetrics(await this.#supervisor.metrics())
    if (this.#acceptor !== undefined) return await this.#acceptor.metrics()
    return serverMetrics({ told: tell(this.#process.counted()), processes: await this.statistics() })
  }

  /**
   * Closes the server: it accepts nothing more, sends Close to every client (with 1001 by default), and resolves when
   * all connections have ended. A client that does not answer is cut off after `closeTimeout`. If message handlers of a
   * connection are pending, Close is sent when they have settled, or after half of `closeTimeout`. HTTP requests that
   * have begun are answered, and the other promises of handlers are awaited, for `closeTimeout` at most. With
   * `drainAfter` and `drainOver`, connections are served for that time first. If you call `close` again, the later call
   * counts. Rejects with a RangeError, before anything is closed, for a code or a reason that must not be sent, and for
   * a time that is out of bounds.
   *
   * In a primary, the promise resolves when all acceptors have closed and ended. In an acceptor, `close` closes what
   * that acceptor serves, and ends its process when nothing else of the program holds it, after 5 seconds at most. The
   * primary starts another one.
   * @example
   * ```js
   * import { createServer } from 'millrace'
   *
   * const server = createServer()
   * process.once('SIGTERM', () => server.close({ code: 1012, drainAfter: 2000, drainOver: 10_000 }))
   * ```
   */
  async close(how: number | CloseOptions = 1001, reason = ''): Promise<void> {
    const drain = drainOf(how, reason) // throws before anything is closed
    // Without acceptors nothing is awaited here: an `upgrade` that closes the server must find it closed when it returns.
    if (this.#supervisor !== undefined) await this.#supervisor.stop(drain)
    await this.#process.close(drain)
    this.#acceptor?.closed()
  }

  #serve(acceptor: Acceptor, options: ListenOptions): Promise<void> {
    return acceptor.listen(options, (where) => this.#process.listen(where))
  }

  async #lead(plan: ClusterPlan): Promise<void> {
    const hub = new Hub({ historyMemory: this.#historyMemory })
    this.#process.use(() => new HubBroker(hub))
    const supervisor = new Supervisor({ ...plan, joined: (link) => hub.join(link), gaveUp: () => process.exit(1) })
    this.#supervisor = supervisor
    taken = true
    const stop = (): Promise<void> => {
      this.#signalled = true
      return this.close()
    }
    const unheard = plan.signals ? obeySignals(supervisor, stop, plan.log) : undefined
    try {
      await supervisor.listen()
    } catch (error) {
      // Ended by a signal: the process is about to exit with 0, and the program must not hear of a failure before.
      if (this.#signalled) await new Promise(() => undefined)
      this.#supervisor = undefined
      taken = false
      unheard?.()
      throw error
    }
  }
}
