// The options of `new WebSocket(url, protocols, options)`, and what holds where nothing is given.
import type { ClientRequest } from 'node:http'
import type { RequestOptions } from 'node:https'
import type { SocketOptions } from './adoption.js'
import type { PerMessageDeflateOptions } from './perMessageDeflate.js'
import { CLOSE_TIMEOUT, type WebSocketOptions } from './webSocketOptions.js'

/** The options of a client, besides those of node:http and node:tls. */
export interface ClientOptions extends WebSocketOptions, SocketOptions, RequestOptions {
  /** The subprotocols to offer, where they are not given before. */
  readonly protocols?: string | readonly string[] | undefined
  /** The Origin header. */
  readonly origin?: string | undefined
  /** The version in Sec-WebSocket-Version: 13, the default, or 8. */
  readonly protocolVersion?: number | undefined
  /** Compression: what is offered. Default: true. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined
  /** Whether redirects are followed. Default: false. */
  readonly followRedirects?: boolean | undefined
  /** How many. Default: 10. */
  readonly maxRedirects?: number | undefined
  /** How long the opening handshake may take between two bytes, in milliseconds. */
  readonly handshakeTimeout?: number | undefined
  /** Finishes each request in the place of `request.end()`. */
  readonly finishRequest?: ((request: ClientRequest, webSocket: object) => void) | undefined
}

const VERSIONS = [8, 13]

const defaults = {
  closeTimeout: CLOSE_TIMEOUT,
  autoPong: true,
  allowSynchronousEvents: true,
  maxBufferedChunks: 256 * 1024,
  maxFragments: 16 * 1024,
  maxPayload: 100 * 1024 * 1024,
  maxPendingAutoPongs: 60,
  protocolVersion: 13,
  perMessageDeflate: true,
  followRedirects: false,
  maxRedirects: 10,
  skipUTF8Validation: false,
} satisfies ClientOptions

/** Options of which those that count are there. */
export type FullOptions = ClientOptions & {
  readonly [Name in keyof typeof defaults]: NonNullable<ClientOptions[Name]>
}

/** The options with what holds where nothing is given. Throws a RangeError for a version that is none. */
export function clientOptions(given: ClientOptions): FullOptions {
  const options = { ...defaults, ...given } as FullOptions
  if (VERSIONS.includes(options.protocolVersion)) return options
  const supported = `(supported versions: ${VERSIONS.join(', ')})`
  throw new RangeError(`Unsupported protocol version: ${options.protocolVersion} ${supported}`)
}

/** The subprotocols and the options of a client: the options may come in the place of the subprotocols, and hold them. */
export function clientArguments(protocols: unknown, given: unknown): [readonly string[], ClientOptions] {
  const isOptions = typeof protocols === 'object' && protocols !== null && !Array.isArray(protocols)
  const options = ((isOptions ? protocols : given) ?? {}) as ClientOptions
  const names = isOptions || protocols === undefined ? options.protocols : protocols
  return [names === undefined ? [] : ([names].flat() as string[]), options]
}
