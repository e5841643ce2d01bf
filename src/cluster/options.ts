// What a server with acceptors can be told, and what it does when it is told nothing.
import { clusterQuantities } from '../checks/quantities.js'
import { writeClosePayload } from '../protocol/closeCode.js'
import { processors } from './processors.js'

/** The acceptors of a server, for `listen`. Times in milliseconds. */
export interface ClusterOptions {
  /**
   * How many processes accept connections, perform their handshakes and serve them; each runs this program. `'auto'` is
   * one for each processor that this process may use, within the limits of its container. At least 1, at most 1024.
   * Default: none; this process serves. Everything below is about acceptors, and does nothing without them.
   */
  readonly acceptors?: number | 'auto'
  /**
   * At a reload, how long the old acceptors serve their connections before they close them. Handshakes that are under
   * way get this time, too. Default 5000.
   */
  readonly drainAfter?: number
  /** At a reload, the time over which those closes are spread, so that clients don't all come back at once. Default 10,000. */
  readonly drainOver?: number
  /** The close code for connections of the old acceptors at a reload. Default 1012, Service Restart. */
  readonly drainCode?: number
  /** How long a process may take from its start until it listens; then it is killed. Default 30,000. */
  readonly startTimeout?: number
  /** How long an acceptor may take to end, after its last connection was sent Close; then it is killed. Default 15,000. */
  readonly stopTimeout?: number
  /**
   * Whether SIGTERM and SIGINT close the server and end the process with 0 (a second one at once), and SIGHUP reloads.
   * Default true.
   */
  readonly signals?: boolean
  /** Is told, in a line each, of acceptors that die and of reloads that fail. Default: standard error. */
  readonly log?: (line: string) => void
}

/** The options with their defaults. */
export type ClusterPlan = Required<Omit<ClusterOptions, 'acceptors'>> & { readonly acceptors: number }

/** Options that were checked, with the defaults. Throws a RangeError for a close code that may not be sent. */
export function planOf(options: ClusterOptions): ClusterPlan {
  const { drainAfter, drainOver, drainCode, startTimeout, stopTimeout } = clusterQuantities
  const { acceptors = 'auto', signals = true, log = (line) => console.error(line) } = options
  const plan = {
    acceptors: acceptors === 'auto' ? processors() : acceptors,
    drainAfter: options.drainAfter ?? drainAfter.byDefault,
    drainOver: options.drainOver ?? drainOver.byDefault,
    drainCode: options.drainCode ?? drainCode.byDefault,
    startTimeout: options.startTimeout ?? startTimeout.byDefault,
    stopTimeout: options.stopTimeout ?? stopTimeout.byDefault,
    signals,
    log,
  }
  writeClosePayload(plan.drainCode, '')
  return plan
}
