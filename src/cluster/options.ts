// What a server with acceptors can be told, and what it does when it is told nothing.
import { clusterQuantities } from '../checks/quantities.js'
import { writeClosePayload } from '../protocol/closeCode.js'
import { processors } from './processors.js'

/** Options of `listen` for several processes. Times are in milliseconds. */
export interface ClusterOptions {
  /**
   * How many processes accept and serve connections; each of them runs your program. `'auto'` means one for each
   * processor that this process may use, within the limits of its container. At least 1, and at most 1024. Default:
   * none, so this process serves. All options below have an effect only together with this one.
   */
  readonly acceptors?: number | 'auto'
  /**
   * How long the old acceptors go on serving their connections at a reload, before they close them. Handshakes that
   * have begun get the same time. Default: 5000.
   */
  readonly drainAfter?: number
  /**
   * The time over which the old acceptors spread these closes, so that clients do not all reconnect at once. Default:
   * 10,000.
   */
  readonly drainOver?: number
  /** The close code that clients of the old acceptors get at a reload. Default: 1012, Service Restart. */
  readonly drainCode?: number
  /** How long an acceptor may take from its start until it listens. After that, it is killed. Default: 30,000. */
  readonly startTimeout?: number
  /**
   * How long an acceptor may take to end after it has sent Close to its last connection. After that, it is killed.
   * Default: 15,000.
   */
  readonly stopTimeout?: number
  /**
   * How long an acceptor may be silent: one that does not answer its primary for so long hangs, is killed, and another one
   * takes its place. Its event loop must turn once in that time, so let no handler work longer. Time in which the primary
   * or the machine stands still does not count. 0 means that acceptors may be silent for ever, and so does `--inspect`.
   * Default: 30,000.
   */
  readonly hangTimeout?: number
  /**
   * Whether the primary handles signals: SIGTERM and SIGINT close the server and end the process with 0 (a second one
   * ends it at once), and SIGHUP reloads. Default: true.
   */
  readonly signals?: boolean
  /**
   * Called with a line of text when an acceptor dies or a reload fails. Default: the line is printed on standard error.
   */
  readonly log?: (line: string) => void
}

/** The options with their defaults. */
export type ClusterPlan = Required<Omit<ClusterOptions, 'acceptors'>> & { readonly acceptors: number }

/** Options that were checked, with the defaults. Throws a RangeError for a close code that may not be sent. */
export function planOf(options: ClusterOptions): ClusterPlan {
  const { drainAfter, drainOver, drainCode, startTimeout, stopTimeout, hangTimeout } = clusterQuantities
  const { acceptors = 'auto', signals = true, log = (line) => console.error(line) } = options
  const plan = {
    acceptors: acceptors === 'auto' ? processors() : acceptors,
    drainAfter: options.drainAfter ?? drainAfter.byDefault,
    drainOver: options.drainOver ?? drainOver.byDefault,
    drainCode: options.drainCode ?? drainCode.byDefault,
    startTimeout: options.startTimeout ?? startTimeout.byDefault,
    stopTimeout: options.stopTimeout ?? stopTimeout.byDefault,
    hangTimeout: options.hangTimeout ?? hangTimeout.byDefault,
    signals,
    log,
  }
  writeClosePayload(plan.drainCode, '')
  return plan
}
