// What a load is asked for.
import type { Reach } from '../client/options.js'
import type { DeflateLoad } from './deflateMaterial.js'
import type { Pattern } from './pattern.js'
import type { LoadKind } from './payload.js'

export interface LoadOptions {
  readonly url: URL
  /** Further addresses: the connections are shared out among all of them by turns. Default: none. */
  readonly more?: readonly URL[]
  readonly connections: number
  /** The number of the first of them, where another process of the same load has those before it. Default: 0. */
  readonly firstConnection?: number
  /** Payload bytes per message. */
  readonly size: number
  /** Messages in flight per connection. */
  readonly pipeline: number
  /** Seconds that are measured, after `warmup` seconds that are not. */
  readonly duration: number
  readonly warmup: number
  readonly kind: LoadKind
  /** How messages of the kind `deflate` are compressed. */
  readonly deflate?: DeflateLoad
  /** Compare every byte of every answer, inflated where it is compressed. */
  readonly verify: boolean
  /**
   * Whether each message carries its number and that of its connection, so that answers that are lost, doubled or reordered are
   * told apart. Messages that have no room for it, and those of the kind `deflate`, do without. Default: false.
   */
  readonly sequence?: boolean
  /** Messages per second over all connections, sent on schedule whether or not answers came. 0: as fast as answers come. */
  readonly rate: number
  /**
   * Whether another load runs on the same core: at a fixed rate, this one then sleeps between messages instead of spinning
   * until each is due, and counts latency from when a message was sent. Default: false.
   */
  readonly shares?: boolean
  /** What the connections do. Default: they wait for the echo of each message. */
  readonly pattern?: Pattern
  /** Whether the connections are streams of HTTP/2 sessions, which they share. */
  readonly http2?: boolean
  /** How the servers are reached, and what they are asked for: headers, cookies, subprotocols, TLS, a Unix socket. */
  readonly reach?: Reach
}
