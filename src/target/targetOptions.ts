// What a target can be told, and what it does when it is told nothing.
import type { ClusterOptions } from '../cluster/options.js'
import type { CloseOptions } from '../server/drainage.js'
import type { ListenOptions } from '../server/listener.js'
import type { ServerLimits } from '../server/options.js'
import type { Broker } from '../topics/broker.js'
import type { Bounds } from './bounds.js'

/** What a target serves, wherever it listens. */
export interface ServedOptions {
  /** Limits of its server: `{ maxMessage: 2 ** 28 }`. Default: those of `createServer`, for any number of one address's connections. */
  readonly limits?: Partial<ServerLimits>
  /** Whether messages are compressed for clients that offer it, on every path. Default: false; on `/deflate` always. */
  readonly deflate?: boolean
  /** Carries `/topics/NAME` and `/broadcast` to other machines. Default: none. */
  readonly broker?: Broker
  /** What visitors may ask the paths for, at most. */
  readonly bounds?: Partial<Bounds>
  /**
   * Whether the paths answer that push, flood, stall or break: `/source`, `/flood` and others. Default: true where the
   * target listens on a loopback address or a Unix socket, and otherwise false.
   */
  readonly faults?: boolean
  /**
   * Whether the paths answer that tell of the server: metrics and dashboard. Default: true where the target listens on a
   * loopback address or a Unix socket, and otherwise false.
   */
  readonly admin?: boolean
  /** Whether `/corrupt` answers, which breaks RFC 6455 on purpose. Default: false. */
  readonly allowCorrupt?: boolean
  /** Whether `/headers` shows the values of Cookie and Authorization. Default: false. */
  readonly showSecrets?: boolean
}

/** How a target is closed. Times are in milliseconds. */
export interface TargetCloseOptions extends CloseOptions {
  /**
   * How long `/readyz` answers 503 while new connections are still accepted, so that load balancers have noticed before
   * anything is refused. Default: 0.
   */
  readonly notice?: number
}

/** Options of `startTarget`: what it serves, and where it listens. The host is 127.0.0.1 unless you name another one. */
export interface TargetOptions extends ServedOptions, ListenOptions, ClusterOptions {
  /**
   * A port of their own for the paths that tell of the server, and for those about its health; with acceptors, it is the
   * primary that answers there. They answer on the target's own port only with `admin`, then. Default: none.
   */
  readonly adminPort?: number
  /** The address for `adminPort`. Default: that of the target. */
  readonly adminHost?: string
}
