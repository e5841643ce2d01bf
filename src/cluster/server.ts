// The server as its application holds it. It may have acceptors: in the primary it supervises them; in an acceptor, and
// without acceptors, the server of the process serves, which no program can reach.
import cluster from 'node:cluster'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SecureContextOptions } from 'node:tls'
import { isMainThread } from 'node:worker_threads'
import { Hub } from '../brokers/hub.js'
import { HubBroker } from '../brokers/hubBroker.js'
import { LinkBroker } from '../brokers/linkBroker.js'
import { checkNoMore, checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { checkHandedOver } from '../checks/handedOver.js'
import { readPlace } from '../checks/place.js'
import { everywhere, renewalOptions } from '../checks/tables.js'
import type { Connection, Sendable } from '../connection/connection.js'
import { type CloseOptions, drainOf } from '../server/drainage.js'
import type { ListenOptions } from '../server/listener.js'
import type { AnyRoute, CommonOptions, ServerOptions } from '../server/options.js'
import { ProcessServer } from '../server/server.js'
import type { BrokerStatistics } from '../topics/broker.js'
import { Acceptor } from './acceptor.js'
import { isAcceptor } from './environment.js'
import { linkToPrimary } from './link.js'
import { type ClusterOptions, type ClusterPlan, planOf } from './options.js'
import { onSignals } from './signals.js'
import { ownStatistics, type ProcessStatistics } from './statistics.js'
import { Supervisor } from './supervisor.js'

/** There is one program, so one server of it has the acceptors. */
let taken = false

/** A WebSocket server, made by `createServer`. */
export class Server<Data = unknown> {
  readonly #process: ProcessServer
  #supervisor: Supervisor | undefined
  #acceptor: Acceptor | undefined
  /** A signal has told this process to end. */
  #signalled = false

  /** Made by `createServer`. @internal */
  constructor(options: CommonOptions & AnyRoute) {
    this.#process = new ProcessServer(options)
  }

  /** The connections that are not closed, of all routes. */
  get connections(): ReadonlySet<Connection<Data>> {
    return this.#process.connections as ReadonlySet<Connection<Data>>
  }

  /** The opening handshakes that this process has accepted. */
  get handshakes(): number {
    return this.#process.handshakes
  }

  /** Where it listens on a port, first; undefined before `listen`, after `close`, and where it listens on paths only. */
  get address(): AddressInfo | undefined {
    return this.addresses.find((address) => typeof address !== 'string')
  }

  /** The port of `address`; undefined where that is. */
  get port(): number | undefined {
    return this.address?.port
  }

  /** Everything it listens on, or its acceptors do: ports with their addresses, and paths. */
  get addresses(): readonly (AddressInfo | string)[] {
    return this.#supervisor?.addresses ?? this.#process.addresses
  }

  /**
   * Starts to listen; may be called more than once, for several addresses. Rejects with the system's error, EADDRINUSE
   * for instance, with that of node:tls where its options are wrong, with that of the module of `large`, and after
   * `close`. Rejects with a TypeError for names that are no options, values of the wrong kind, and options that exclude
   * each other. A number is a port: `listen(9001)`.
   *
   * With `acceptors`, this process becomes their primary: it runs the program up to here, starts it again in each
   * acceptor, and serves nothing by itself. Resolves in an acceptor when it listens, and in the primary when all do.
   * An acceptor that can't listen ends; its error rejects in the primary, when all have ended. Rejects with a
   * RangeError for numbers that are out of bounds, and with an Error in a worker thread, in a worker of another cluster,
   * and for a second server with acceptors.
   */
  listen(where?: number | (ListenOptions & ClusterOptions)): Promise<this>
  async listen(where: number | (ListenOptions & ClusterOptions) = {}, ...more: unknown[]): Promise<this> {
    const options = readPlace(where, more)
    if (this.#supervisor !== undefined) await this.#supervisor.listen()
    else if (this.#acceptor !== undefined) await this.#serve(this.#acceptor, options)
    else if (options.acceptors === undefined) await this.#process.listen(options)
    else {
      const plan = planOf(options)
      if (!isMainThread)
        throw callerError(
          'ERR_ACCEPTORS_UNAVAILABLE',
          'acceptors are processes of the main thread: listen without them here',
        )
      if (taken) throw callerError('ERR_ACCEPTORS_TAKEN', 'another server of this process has the acceptors')
      if (isAcceptor()) {
        taken = true
        this.#process.use(() => new LinkBroker(linkToPrimary()))
        this.#acceptor = new Acceptor(this.#process, plan.signals)
        await this.#serve(this.#acceptor, options)
      } else {
        if (cluster.isWorker)
          throw callerError(
            'ERR_ACCEPTORS_UNAVAILABLE',
            'this is a worker of another cluster: listen without acceptors here',
          )
        await this.#lead(plan)
      }
    }
    return this
  }

  /**
   * Certificates and keys in the place of those that `listen` was given, for connections to come, on everything that
   * listens with TLS. What is left out stays, but a certificate takes its key along. Throws what node:tls throws for a
   * certificate that it can't use, and an Error where nothing listens with TLS; then nothing has changed.
   */
  setSecureContext(options: SecureContextOptions): void {
    checkOptions(options, renewalOptions, everywhere)
    this.#process.setSecureContext(options)
  }

  /**
   * Takes an upgrade of a node:http or https server of yours; call it in that server's `'upgrade'` listener, with what
   * the listener is given. Refuses the upgrade by itself where it must. The socket may be any Duplex. Throws a TypeError
   * for arguments that are something else.
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, ...more: unknown[]): void {
    checkHandedOver(request, socket, head, more)
    this.#process.handleUpgrade(request, socket, head)
  }

  /**
   * Publishes a message to all subscribers of a topic, of every acceptor and machine that shares the server's broker. It
   * is encoded once, and written from the same memory to all of them when this turn ends. Returns how many there are in
   * this process: what their output policies make of it is not known yet. 0 where this process has no memory left for it:
   * then it is dropped here, with a warning. Throws as `connection.send` does.
   */
  publish(topic: string, data: Sendable): number {
    return this.#process.publish(topic, data)
  }

  /** How many connections of this process subscribe to a topic. */
  subscriberCount(topic: string): number {
    return this.#process.subscriberCount(topic)
  }

  /** What the broker has carried; undefined without one. */
  get brokerStatistics(): BrokerStatistics | undefined {
    return this.#process.brokerStatistics
  }

  /**
   * Replaces all acceptors without refusing a connection: new ones start with the program's present code, and when they
   * listen, the old ones accept nothing more and drain (see `drainAfter`). Resolves when the new ones have taken over.
   * Rejects, and changes nothing, if a new one does not listen; and where this process has no acceptors.
   */
  async reload(): Promise<void> {
    if (this.#supervisor === undefined) throw callerError('ERR_NO_ACCEPTORS', 'this process has no acceptors to reload')
    await this.#supervisor.reload()
  }

  /** One entry for each process that serves: the acceptors in their primary, else this one. */
  async statistics(): Promise<ProcessStatistics[]> {
    if (this.#supervisor !== undefined) return await this.#supervisor.statistics()
    const { state } = this.#process
    return [{ pid: process.pid, state, ...ownStatistics(this.#process), restarts: 0, age: 0 }]
  }

  /**
   * Accepts nothing more, sends Close to every peer (1001 by default), and resolves when all connections have ended:
   * those that do not answer are ended when the close timeout is over. A connection whose messages are being handled is
   * sent Close when the promises of these handlers have settled, or half of `closeTimeout` is over; requests under way
   * are answered, and all other promises of handlers are waited for, within `closeTimeout`. With `drainAfter` and
   * `drainOver`, connections are served for that time before. Called again, the later call counts. Rejects with a
   * RangeError, before anything is closed, for a code or a reason that may not be sent, and for a time that makes no sense.
   *
   * In a primary it resolves when all acceptors have done so and ended. In an acceptor it closes what that one serves;
   * when its process ends, the primary starts another.
   */
  async close(how: number | CloseOptions = 1001, reason = ''): Promise<void> {
    const drain = drainOf(how, reason) // throws before anything is closed
    // Without acceptors nothing is awaited here: an `upgrade` that closes the server must find it closed when it returns.
    if (this.#supervisor !== undefined) await this.#supervisor.stop(drain)
    await this.#process.close(drain)
  }

  #serve(acceptor: Acceptor, options: ListenOptions): Promise<void> {
    return acceptor.listen(options, (where) => this.#process.listen(where))
  }

  async #lead(plan: ClusterPlan): Promise<void> {
    const hub = new Hub()
    this.#process.use(() => new HubBroker(hub))
    const supervisor = new Supervisor({ ...plan, joined: (link) => hub.join(link), gaveUp: () => process.exit(1) })
    this.#supervisor = supervisor
    taken = true
    const unheard = plan.signals ? this.#obeySignals(supervisor, plan.log) : undefined
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

  #obeySignals(supervisor: Supervisor, log: ClusterPlan['log']): () => void {
    let latest: Promise<void> | undefined
    return onSignals({
      stop: () => {
        this.#signalled = true
        return this.close()
      },
      kill: () => supervisor.kill(),
      reload() {
        const reloaded = supervisor.reload()
        if (reloaded === latest) return // several signals, one reload, one line if it fails
        latest = reloaded
        reloaded.catch((error: Error) => log(`millrace: nothing was reloaded: ${error.message}`))
      },
    })
  }
}

/**
 * A WebSocket server with these handlers and limits. It does nothing until `listen`, or `handleUpgrade`.
 * Throws a TypeError for a name that is no option (and says which may have been meant) and for a value of the wrong kind,
 * and a RangeError for a limit that is not a whole number from 0 (or 1) to 2^53 - 1. What is undefined is as if it were
 * not there. The object is `this` of its handlers: it may hold objects of your own, a Map of users for instance, and if it
 * has a class, whatever you like, as long as that is no option's name in another spelling.
 */
export function createServer(): Server<undefined>
export function createServer<Data = undefined>(options: ServerOptions<Data>): Server<Data>
export function createServer(options: ServerOptions = {}, ...more: unknown[]): Server<unknown> {
  checkNoMore(more, ONE_OBJECT)
  return new Server(options)
}

/** For whoever gives more than one. */
const ONE_OBJECT = 'createServer takes one object: what answers HTTP requests is its option `request`'
