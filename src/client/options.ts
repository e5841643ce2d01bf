// What `connect` can be told, and what it does when it is told nothing.
import type { LookupFunction } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { connectionLimits, serverLimits } from '../checks/limits.js'
import { defaultsOf, numbersOf } from '../checks/quantities.js'
import type { Connection } from '../connection/connection.js'
import type { DeflateOptions } from '../connection/deflateSettings.js'
import type { ConnectionLimits, Handlers, OutputPolicy } from '../connection/handlers.js'
import type { ReconnectOptions } from './backOff.js'
import type { UpgradeResponse } from './upgradeResponse.js'

/** The limits of a client's connection. Lengths are in bytes, and times in milliseconds. A time of 0 means "no limit". */
export interface ClientLimits extends ConnectionLimits {
  /**
   * How long it may take until the connection is open, in milliseconds: the look-up of the name, TCP, a proxy, TLS,
   * redirects and the opening handshake, all together. Default: 10,000.
   */
  readonly handshakeTimeout: number
}

/** Headers of a request. One with several values travels in several lines. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>

/** How a server is reached, and what it is asked for. */
export interface Reach {
  /** The subprotocols to offer, the preferred ones first. A server that chooses another one is refused. Default: none. */
  readonly protocols?: readonly string[]
  /** Headers for the request, for example Authorization. The headers of the handshake itself can't be set. */
  readonly headers?: RequestHeaders
  /** Cookies for the request, by name. They travel as they are given. */
  readonly cookies?: Readonly<Record<string, string>>
  /** The Origin header. Default: none, as with all programs that are no browsers. */
  readonly origin?: string
  /**
   * Gives up the attempt when it is aborted: `connect` rejects with its reason. An open connection is not ended by it,
   * but with `reconnect`, there are no further attempts.
   */
  readonly signal?: AbortSignal
  /** Options of `tls.connect` for `wss:` addresses: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized` and so on. */
  readonly tls?: ConnectionOptions
  /** The path of a Unix socket to connect to. The host of the address is then only named in the request. */
  readonly unix?: string
  /** The local IP address to connect from. Default: what the system chooses. */
  readonly localAddress?: string
  /** Looks up host names. Default: `dns.lookup`. */
  readonly lookup?: LookupFunction
  /**
   * The address of an HTTP proxy, which is asked to CONNECT to the server: `http://user:password@proxy:3128`. To `https:` ones
   * TLS is spoken, and `tls.ca` vouches for these, too. Default: none; the environment is not asked.
   */
  readonly proxy?: string | URL
  /**
   * How many redirects are followed. The headers Authorization and Cookie, `cookies` and the headers of `headers` that
   * name a key, token, secret or session do not travel to another origin, and nothing leads from `wss:` to `ws:`.
   * Default: 0.
   */
  readonly followRedirects?: number
  /**
   * Whether the connection is a stream of an HTTP/2 session (RFC 8441), which connections to one server share. With `true`,
   * a server that does not offer that is an error; to `ws:` addresses, HTTP/2 is spoken without asking. With `'auto'`, it is
   * used for `wss:` addresses if the server offers it, and HTTP/1.1 otherwise. Not together with `proxy`. Default: false.
   */
  readonly http2?: boolean | 'auto'
}

/**
 * The options of `connect`: the handlers and limits of the connection, the same as a server's, and how the server is
 * reached.
 */
export interface ClientOptions<Data = undefined>
  extends Reach,
    Omit<Handlers<Data>, 'largeResult' | 'leftOut' | 'refresh'>,
    Partial<ClientLimits> {
  /** The first value of `connection.data`. Default: undefined. */
  readonly data?: Data
  /** Offers permessage-deflate (RFC 7692), and compresses if the server accepts it. Default: false. */
  readonly deflate?: boolean | DeflateOptions
  /** What happens when the server does not read what it is sent. Default: `'pause'`. */
  readonly outputPolicy?: OutputPolicy
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
  /** Whether only the public API of Node.js is used, which is slower. Default: as for a server. */
  readonly publicApi?: boolean
  /** Called with the server's answer before the connection opens. If it throws, the connection is given up. */
  upgrade?(response: UpgradeResponse): void
  /**
   * Connects again whenever the connection ends without this side having closed it. Messages that are sent meanwhile
   * are kept, up to a limit. Default: false.
   */
  readonly reconnect?: boolean | ReconnectOptions
  /** Called before each new attempt to connect: what ended the connection or the attempt, and when the next one begins. */
  reconnecting?(connection: Connection<Data>, pause: ReconnectPause): unknown
  /** Called when the connection is open again, after what was kept has been sent. */
  reconnected?(connection: Connection<Data>, kept: KeptMessages): unknown
}

/** Why and when there is another attempt to connect. */
export interface ReconnectPause {
  /** Which attempt it is, counted from 1 since the connection was open. */
  readonly attempt: number
  /** Milliseconds until it begins. */
  readonly delay: number
  /** The close code with which the last connection ended. */
  readonly code: number
  /** The reason with which the last connection ended. */
  readonly reason: string
  /** Why the last attempt failed; undefined before the first. */
  readonly error: unknown
}

/**
 * What has become of the messages that were given to `send` while there was no connection. What was on its way when the
 * connection ended may have arrived or not: only an answer of the server can tell.
 */
export interface KeptMessages {
  /** How many were sent now. */
  readonly sent: number
  /** How many were dropped, because there was no room for them. */
  readonly dropped: number
}

/** The limits of a client that was told nothing. */
const defaults: ClientLimits = {
  ...defaultsOf(connectionLimits),
  handshakeTimeout: serverLimits.handshakeTimeout.byDefault,
}

/** The limits that `options` ask for. */
export function clientLimits(options: Partial<ClientLimits>): ClientLimits {
  return numbersOf<keyof ClientLimits>(options, { ...defaults })
}
