// What a server can be told, and what it does when it is told nothing.
import type { IncomingMessage, RequestListener } from 'node:http'
import { checkOptions } from '../checks/check.js'
import { limits, shareOf } from '../checks/limits.js'
import { defaultsOf } from '../checks/quantities.js'
import { everywhere, routeOptions } from '../checks/tables.js'
import type { Connection } from '../connection/connection.js'
import type { ConnectionLimits, Handlers, OutputPolicy } from '../connection/handlers.js'
import type { LargeOptions } from '../pool/pool.js'
import type { ResponseHeaders } from '../protocol/responseHeaders.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Broker } from '../topics/broker.js'
import type { CensusLimits } from './admission/census.js'
import type { HttpLimits } from './lanes/webServer.js'

/** Limits of a whole server. Lengths in bytes, times in milliseconds; a time of 0 is no limit. */
export interface ServerLimits extends ConnectionLimits, CensusLimits, HttpLimits {
  /**
   * Memory that peers may make this server hold in this process, in bytes: messages that arrive, what was read and waits,
   * copies for pending handlers, output that is not read, subscriptions, and what comes before a request is accepted.
   * Messages that arrive wait for each other; when the memory is nearly spent, those who hold the most of all else are
   * ended. Raised where it can't hold one message of `maxMessage` besides 1.25 MiB of reads and half of the rest for
   * others. Default 256 MiB.
   */
  readonly payloadMemory: number
  /**
   * Time for the whole opening handshake, in milliseconds: from the connection's beginning, over a PROXY header, TLS and
   * the request head, to the answer of `upgrade`. A head that comes too late is answered with 408 (or not at all), an
   * `upgrade` that does with 503. It is the time for the heads of other HTTP requests, too. Default 10,000.
   */
  readonly handshakeTimeout: number
  /** Topics with subscribers in this process; `subscribe` throws above it. At least 1. Default 1,000,000. */
  readonly maxTopics: number
  /** Longest request head, in bytes; longer ones are refused with 431. At least 1. Default 16 KiB. */
  readonly maxHeaderSize: number
}

/** An upgrade is accepted. */
export type Acceptance<Data> = {
  /** Headers for the response, Set-Cookie for instance. */
  readonly headers?: ResponseHeaders
  /** One of `request.protocols`. Default: the first of the option `protocols` that the client offers, or none. */
  readonly protocol?: string
  /** That is how a refusal is told apart. */
  readonly status?: never
} & (undefined extends Data
  ? {
      /** For `connection.data`. Must be given where it may not be undefined. */
      readonly data?: Data
    }
  : {
      /** For `connection.data`. */
      readonly data: Data
    })

/** An upgrade is refused. */
export interface Rejection {
  /** An HTTP status from 300 to 599. */
  readonly status: number
  /** Headers for the response. */
  readonly headers?: ResponseHeaders
  /** Plain text, unless a Content-Type header says otherwise. */
  readonly body?: string
}

type Answer<Data> = Acceptance<Data> | Rejection

// biome-ignore lint/suspicious/noConfusingVoidType: it is what a function without `return` returns
type Nothing = undefined | void

/**
 * Decides on a request; what it returns, or its promise resolves with, is the answer. Nothing (undefined) accepts, where
 * there is no data, or need be none. Whatever is no answer refuses: null, false, `{ code: 401 }` or a Response, for
 * instance, are answered with 500, and `upgradeFailed` gets a TypeError that says what is wrong.
 */
export type Upgrade<Data> = undefined extends Data
  ? (request: UpgradeRequest) => Answer<Data> | Nothing | PromiseLike<Answer<Data> | Nothing>
  : (request: UpgradeRequest) => Answer<Data> | PromiseLike<Answer<Data>>

/** The option `large`. */
export interface LargeRouteOptions<Data> extends LargeOptions {
  /** Made of the connection for each message, and cloned for the thread. Default: nothing. */
  context?(connection: Connection<Data>): unknown
}

/** How the connections of one path are served. */
export type RouteOptions<Data = undefined> = Handlers<Data> &
  Partial<ConnectionLimits> & {
    /** What becomes of a peer that does not read what it is sent. Default `'pause'`. */
    readonly outputPolicy?: OutputPolicy
    /**
     * The origins whose pages may connect, `https://example.com` or a pattern; `'self'` is the host that was asked.
     * Others are refused with 403; clients that are no browsers may send no Origin, and are not. Default: all.
     */
    readonly origins?: readonly (string | RegExp)[]
    /** The subprotocols that are spoken here, by preference. Default: none. */
    readonly protocols?: readonly string[]
    /**
     * Hands messages of the 64-bit tier to a module of yours, which runs in a pool of threads and reads them where they
     * lie. What it returns is sent, or given to `largeResult`.
     */
    readonly large?: LargeRouteOptions<Data>
    /**
     * Payload bytes above which messages go to the `stream` handler, if there is one. Default 65,535, where the 64-bit tier
     * begins; at most `maxMessage`. 0 is all messages, empty ones too.
     */
    readonly streamThreshold?: number
    /**
     * What becomes of the rest of a message whose `stream` reader leaves early: it is thrown away as it comes
     * (`'drain'`), or its connection is closed with 1008 `STREAM_LEFT` (`'fail'`). Default `'drain'`.
     */
    readonly streamLeft?: 'drain' | 'fail'
    /**
     * `upgrade` threw, rejected or answered what is no answer (the client gets 500), or it took too long (503). Default: to
     * standard error.
     */
    upgradeFailed?(request: UpgradeRequest, error: unknown): unknown
  } & (undefined extends Data
    ? {
        /** Decides on each request. Default: every request is accepted. Must be given where the data may not be undefined. */
        readonly upgrade?: Upgrade<Data>
      }
    : {
        /**
         * Decides on each request, and gives the connection its data. TypeScript infers the data from it, wherever it
         * stands; but if it has a parameter without a type, it must stand in front of the handlers, or its parameter be
         * declared as `request: UpgradeRequest`.
         */
        readonly upgrade: Upgrade<Data>
      })

/** What belongs to the server as a whole. */
export interface CommonOptions extends Partial<ServerLimits> {
  /**
   * Routes by path, each with handlers of its own: `/chat`, `/rooms/:room`, `/files/*`; make them with `route`. What
   * a route leaves out of the limits, `origins`, `protocols`, `outputPolicy` and `upgradeFailed` is the server's. Paths without a route go to the server's own handlers, or are
   * refused with 404 if there are none.
   */
  readonly routes?: Readonly<Record<string, Route>>
  /**
   * Answers HTTP requests that are no upgrades to a WebSocket. May return a promise. If it throws or rejects, the request
   * is answered with 500, or its answer cut off where that has begun. Default: 426 Upgrade Required.
   */
  readonly request?: RequestListener
  /** `request` threw or rejected. Default: to standard error. */
  requestFailed?(request: IncomingMessage, error: unknown): unknown
  /**
   * Proxies whose X-Forwarded-For is believed: addresses, networks as `10.0.0.0/8`, `unix` for Unix sockets.
   * Default: none.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * Carries what is published to other processes: see the guide on brokers. The server closes it when it closes.
   * Default: none, or that of the acceptors.
   */
  readonly broker?: Broker
  /** Uses only the public API of Node.js; slower. Default: what MILLRACE_PUBLIC_API=1 in the environment says. */
  readonly publicApi?: boolean
}

/** The handlers and limits of a server, and of the connections that no route takes. */
export type ServerOptions<Data = undefined> = CommonOptions & RouteOptions<Data>

/** A route's options, whatever its data. */
export type AnyRoute = RouteOptions<unknown>

/** What only millrace itself may do with a route. They are not its methods: every program could reach those. @internal */
interface RouteInternals {
  /** What it was made of; undefined for what is no route. */
  optionsOf(route: unknown): AnyRoute | undefined
}

let internals: RouteInternals

/** A route, made by `route`. */
export class Route {
  readonly #options: AnyRoute

  static {
    internals = {
      optionsOf(route) {
        return route instanceof Route ? route.#options : undefined
      },
    }
  }

  /** @internal */
  constructor(options: AnyRoute) {
    this.#options = options
  }
}

/** @internal */
export const routeInternals: RouteInternals = internals

/**
 * A route for the option `routes`, with data of its own kind. Throws a TypeError for names that are no options of a route
 * and for values of the wrong kind, and a RangeError for a limit that is no whole number or out of bounds.
 */
export function route<Data = undefined>(options: RouteOptions<Data>): Route {
  checkOptions(options, routeOptions, everywhere)
  return new Route(options)
}

/** The limits of a server that was told nothing. */
export const defaultLimits: ServerLimits = defaultsOf(limits)

/** The limits that `options` ask for, and those of `base` besides. */
export function limitsOf(options: Partial<ServerLimits>, base: ServerLimits = defaultLimits): ServerLimits {
  const given: Record<string, number> = {}
  for (const [name, byDefault] of Object.entries(base)) given[name] = Number(Reflect.get(options, name) ?? byDefault)
  const { maxConnections, maxConnectionsPerAddress } = options
  if (maxConnections !== undefined && maxConnectionsPerAddress === undefined) {
    given['maxConnectionsPerAddress'] = shareOf(maxConnections)
  }
  return { ...base, ...given }
}
