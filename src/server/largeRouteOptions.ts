// What a route can be told about its large messages.
import type { Connection } from '../connection/connection.js'
import type { LargeOptions } from '../pool/pool.js'

/** The option `large`: a module of yours handles large messages, in a pool of threads. */
export interface LargeRouteOptions<Data> extends LargeOptions {
  /**
   * Makes what the module gets as `context.data`, for each message. The result is cloned for the thread. Default:
   * undefined.
   */
  context?(connection: Connection<Data>): unknown
}
