// What a server can be told, and what it does when it is told nothing.
import type { IncomingMessage, RequestListener } from 'node:http'
import { checkOptions } from '../checks/check.js'
import { limits, shareOf } from '../checks/limits.js'
import { defaultsOf, numbersOf } from '../checks/quantities.js'
import { everywhere, routeOptions } from '../checks/tables.js'
import type { DeflateOptions } from '../connection/deflateSettings.js'
import type { ConnectionLimits, Handlers, OutputPolicy } from '../connection/handlers.js'
import type { ResponseHeaders } from '../protocol/responseHeaders.js'
import type { UpgradeRequest } from '../protocol/upgradeRequest.js'
import type { Broker } from '../topics/broker.js'
import type { TopicsOptions } from '../topics/options.js'
import type { Interposed } from '../transport/transport.js'
import type { CensusLimits } from './admission/census.js'
import type { Http2Limits } from './lanes/http2Limits.js'
import type { HttpLimits } from './lanes/webServer.js'
import type { LargeRouteOptions } from './largeRouteOptions.js'

/** The limits of a whole server. Lengths are in bytes, and times in milliseconds. A time of 0 means "no limit". */
export interface ServerLimits extends ConnectionLimits, CensusLimits, HttpLimits, Http2Limits {
  /**
   * How much memory clients may make this server hold in this process, in bytes: messages that arrive, what was read
   * and could not be delivered yet, copies for pending handlers, output that clients do not read, subscriptions, and
   * what clients send before their request is accepted. Messages that arrive wait for each other. For everything else,
   * the connections that hold the most are ended when the memory is nearly used up. The server may always hold 1.25 MiB
   * and, where the value leaves too little for others, one message of `maxMessage` on top. Default: 256 MiB.
   */
  readonly payloadMemory: number
  /**
   * How long the whole opening handshake may take, in milliseconds: from the beginning of the connection, through the
   * PROXY header, TLS and the request head, to the answer of `upgrade`. A request head that comes too late is answered
   * with 408, or not at all. An `upgrade` that takes too long is answered with 503. The same time applies to the heads
   * of other HTTP requests. Default: 10,000.
   */
  readonly handshakeTimeout: number
  /**
   * How many topics may have subscribers in this process. Above that number, `subscribe` throws. At least 1. Default:
   * 1,000,000.
   */
  readonly maxTopics: number
  /**
   * The longest request head that is accepted, in bytes. A longer one is refused with 431. At least 1. Default: 16 KiB.
   */
  readonly maxHeaderSize: number
}

/** What `upgrade` returns to accept a request. */
export type Acceptance<Data> = {
  /** Headers for the response, for example Set-Cookie. */
  readonly headers?: ResponseHeaders
  /**
   * The subprotocol: one of `request.protocols`. Default: the first entry of the option `protocols` that the client
   * offers, or none.
   */
  readonly protocol?: string
  /** Compression for this connection; what is left out is as the route says. Default: as the route says. */
  readonly deflate?: boolean | DeflateOptions
  /** Until when the connection may stay: a Date, or milliseconds since 1970. See `refresh`. Default: for ever. */
  readonly expiresAt?: Date | number
  /** Not allowed here: a status marks a refusal. */
  readonly status?: never
} & (undefined extends Data
  ? {
      /** The value of `connection.data`. You may leave it out, because `Data` may be undefined. */
      readonly data?: Data
    }
  : {
      /** The value of `connection.data`. */
      readonly data: Data
    })

/** What `upgrade` returns to refuse a request. */
export interface Rejection {
  /** The HTTP status of the response: 300 to 599. */
  readonly status: number
  /** Headers for the response. */
  readonly headers?: ResponseHeaders
  /** The body of the response. It is plain text, unless a Content-Type header says otherwise. */
  readonly body?: string
}

type UpgradeAnswer<Data> = Acceptance<Data> | Rejection

/** An answer that `handleUpgrade` is given. Whether `data` must be there is not checked: that would make a server invariant. */
export type GivenAnswer<Data> = (Acceptance<unknown> & { readonly data?: Data }) | Rejection

// biome-ignore lint/suspicious/noConfusingVoidType: it is what a function without `return` returns
type Nothing = undefined | void

/**
 * The type of the option `upgrade`: it decides about a request. What it returns, or what its promise resolves with, is
 * the answer. Returning nothing accepts the request, if `Data` may be undefined. Any value that is not an answer (null,
 * false, `{ code: 401 }` or a Response, for example) refuses the request with 500, and `upgradeFailed` gets a TypeError
 * that says what is wrong.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 *
 * const users = new Map([['secret', 'Ada']])
 * const server = createServer({
 *   upgrade(request) {
 *     const name = users.get(request.cookies.session ?? '')
 *     return name === undefined ? { status: 401, body: 'log in first' } : { data: { name } }
 *   },
 *   open(connection) {
 *     connection.send(`welcome, ${connection.data.name}`)
 *   },
 * })
 * ```
 */
export type Upgrade<Data> = undefined extends Data
  ? (request: UpgradeRequest) => UpgradeAnswer<Data> | Nothing | PromiseLike<UpgradeAnswer<Data> | Nothing>
  : (request: UpgradeRequest) => UpgradeAnswer<Data> | PromiseLike<UpgradeAnswer<Data>>

/** The handlers, limits and other options of a route: how the connections of one path are served. */
export type RouteOptions<Data = undefined> = Handlers<Data> &
  Partial<ConnectionLimits> & {
    /** What happens when a client does not read what it is sent. Default: `'pause'`. */
    readonly outputPolicy?: OutputPolicy
    /**
     * The origins whose pages may connect: strings such as `https://example.com`, patterns, or `'self'` for the host
     * that the client has asked for. Pages of other origins are refused with 403. A request without an Origin header is
     * not refused, because programs other than browsers do not send one. Default: all origins.
     */
    readonly origins?: readonly (string | RegExp)[]
    /** The subprotocols that this server speaks, the preferred ones first. Default: none. */
    readonly protocols?: readonly string[]
    /**
     * Compresses messages for clients that offer permessage-deflate (RFC 7692). Do not compress secrets together with
     * text that others may choose: the length of a compressed message then gives the secret away (BREACH). Default:
     * false; for a route, what the server says.
     */
    readonly deflate?: boolean | DeflateOptions
    /**
     * Hands large messages (64 KiB or longer, by default) to a module of yours, which runs in a pool of threads and
     * reads them where they lie. What the module returns is sent, or given to `largeResult`.
     */
    readonly large?: LargeRouteOptions<Data>
    /**
     * Messages with more payload bytes than this go to the `stream` handler, if there is one. With 0, all messages do,
     * even empty ones. A value above `maxMessage` counts as `maxMessage`. Default: 65,535.
     */
    readonly streamThreshold?: number
    /**
     * What happens to the rest of a message when its `stream` reader leaves early. With `'drain'`, the rest is thrown
     * away as it arrives. With `'fail'`, the connection is closed with 1008 `STREAM_LEFT`. Default: `'drain'`.
     */
    readonly streamLeft?: 'drain' | 'fail'
    /**
     * Called when `upgrade` threw, rejected or returned something that is not an answer (then the client gets 500), or
     * when it took too long (then the client gets 503). Default: the error is printed on standard error.
     */
    upgradeFailed?(request: UpgradeRequest, error: unknown): unknown
  } & (undefined extends Data
    ? {
        /**
         * Decides about each request. Default: every request is accepted. You must give it if `Data` may not be
         * undefined.
         */
        readonly upgrade?: Upgrade<Data>
      }
    : {
        /**
         * Decides about each request, and gives the connection its data. Name the type of the data, as in
         * `createServer<User>`, if `upgrade` may refuse. Otherwise, TypeScript can infer the type from `upgrade`: write
         * it before the handlers, or declare its parameter as `request: UpgradeRequest`.
         */
        readonly upgrade: Upgrade<Data>
      })

/** The options that only a server has, and a route has not. */
export interface CommonOptions extends Partial<ServerLimits> {
  /**
   * Routes by path, each with handlers of its own: `/chat`, `/rooms/:room` or `/files/*`. Make each with `route`. If a
   * route leaves out a limit, `origins`, `protocols`, `outputPolicy` or `upgradeFailed`, the value of the server
   * applies. A path without a route goes to the handlers of the server itself, or is refused with 404 if the server has
   * none.
   */
  readonly routes?: Readonly<Record<string, Route>>
  /**
   * Answers HTTP requests that do not ask for a WebSocket. It may return a promise. If it throws or rejects, the
   * request is answered with 500; if the answer has already begun, it is cut off. Default: the answer is 426 Upgrade
   * Required.
   */
  readonly request?: RequestListener
  /** Called when `request` threw or rejected. Default: the error is printed on standard error. */
  requestFailed?(request: IncomingMessage, error: unknown): unknown
  /**
   * The proxies whose X-Forwarded-For header is believed: addresses, networks such as `10.0.0.0/8`, or `unix` for
   * connections over Unix sockets. Default: none.
   */
  readonly trustedProxies?: readonly string[]
  /**
   * Carries what is published to other processes (see the guide on brokers). The server closes the broker when it
   * closes. Default: none; between acceptors, a broker of their own.
   */
  readonly broker?: Broker
  /** What is kept of publications for clients that come back, and how they are sent (see the guide on topics). */
  readonly topics?: TopicsOptions
  /**
   * Whether the server uses only the public API of Node.js, which is slower. Default: true if the environment has
   * MILLRACE_PUBLIC_API=1, and otherwise false.
   */
  readonly publicApi?: boolean
}

/**
 * The options of `createServer`: the handlers and limits of connections that no route takes, and what belongs to the
 * server as a whole.
 */
export type ServerOptions<Data = undefined> = CommonOptions & RouteOptions<Data>

/** A route's options, whatever its data. */
export type AnyRoute = RouteOptions<unknown>

/** What only millrace itself may do with a route. They are not its methods: every program could reach those. @internal */
interface RouteInternals {
  /** What it was made of; undefined for what is no route. */
  optionsOf(route: unknown): AnyRoute | undefined
  /** What no program can ask for. */
  insideOf(route: unknown): InsideRoute
}

/** What only millrace's own routes may have. */
export interface InsideRoute {
  /** Stands between each connection and its transport. */
  readonly interposed?: Interposed
  /** The module of `large` is our own, so it need not be tried before there is a message for it. */
  readonly trusted?: boolean
}

let internals: RouteInternals

/** A route for the option `routes`. `route` makes it. */
export class Route {
  readonly #options: AnyRoute
  readonly #inside: InsideRoute

  static {
    internals = {
      insideOf: (route) => (route instanceof Route ? route.#inside : {}),
      optionsOf(route) {
        return route instanceof Route ? route.#options : undefined
      },
    }
  }

  /** @internal */
  constructor(options: AnyRoute, inside: InsideRoute = {}) {
    this.#options = options
    this.#inside = inside
  }
}

/** @internal */
export const routeInternals: RouteInternals = internals

/**
 * Makes a route for the option `routes`. Each route may have data of its own type. Throws a TypeError for names that
 * are not options of a route and for values of the wrong kind, and a RangeError for a limit that is not a whole number
 * or is out of bounds.
 * @example
 * ```js
 * import { createServer, route } from 'millrace'
 *
 * const room = route({
 *   upgrade: (request) => ({ data: { room: request.params.room } }),
 *   open(connection) {
 *     connection.subscribe(connection.data.room)
 *   },
 *   message(connection, message) {
 *     connection.publish(connection.data.room, message)
 *   },
 * })
 *
 * const server = createServer({ routes: { '/rooms/:room': room } })
 * ```
 */
export function route<Data = undefined>(options: RouteOptions<Data>): Route {
  checkOptions(options, routeOptions, everywhere)
  return new Route(options)
}

/** The limits of a server that was told nothing. */
export const defaultLimits: ServerLimits = defaultsOf(limits)

/** The limits that `options` ask for, and those of `base` besides. */
export function limitsOf(options: Partial<ServerLimits>, base: ServerLimits = defaultLimits): ServerLimits {
  const limits = numbersOf<keyof ServerLimits>(options, { ...base })
  const { maxConnections, maxConnectionsPerAddress } = options
  if (maxConnections === undefined || maxConnectionsPerAddress !== undefined) return limits
  return { ...limits, maxConnectionsPerAddress: shareOf(maxConnections) }
}
