// What a serving process reports of itself: only numbers that it has anyway.

import type { DeflateStatistics } from '../connection/deflateTally.js'
import { metricsOf, sumOf, type Told } from '../metrics/snapshot.js'
import type { Metrics } from '../metrics/table.js'
import type { ProcessServer } from '../server/server.js'
import type { BrokerStatistics } from '../topics/broker.js'

/** What one process that serves connections reports. */
export interface ProcessStatistics {
  /** The id of the process. */
  readonly pid: number
  /**
   * Whether the process accepts connections: not yet (`'starting'`), now (`'listening'`), or no longer (`'draining'`).
   */
  readonly state: 'starting' | 'listening' | 'draining'
  /** How many connections of the process are not closed yet. */
  readonly connections: number
  /** How many opening handshakes the process has accepted. */
  readonly handshakes: number
  /** How much memory the process holds, in bytes. */
  readonly rss: number
  /** How much CPU time the process has used, in milliseconds. */
  readonly cpu: number
  /** How long the process has been running, in milliseconds. */
  readonly uptime: number
  /** How long the compressed messages of all connections were before and after compression, since the process began. */
  readonly deflate: DeflateStatistics
  /** What the broker of the process has carried: the broker between acceptors, or the one that the options name. */
  readonly broker?: BrokerStatistics | undefined
  /** How many acceptors have died in this place before this one. */
  readonly restarts: number
  /** How old these numbers are, in milliseconds. It is 0, unless the process does not answer. */
  readonly age: number
}

/** What a server has counted, in all of its processes together, and what each process reports of itself. */
export interface ServerMetrics extends Metrics {
  /** One entry for each process that serves, as `server.statistics()` has them. */
  readonly processes: readonly ProcessStatistics[]
}

/** The same as one process tells it another. */
export interface ToldMetrics {
  readonly told: Told
  readonly processes: readonly ProcessStatistics[]
}

export function serverMetrics({ told, processes }: ToldMetrics): ServerMetrics {
  return { ...metricsOf(sumOf([told])), processes }
}

/** The part that only the process itself knows. */
export type OwnStatistics = Pick<
  ProcessStatistics,
  'connections' | 'handshakes' | 'rss' | 'cpu' | 'uptime' | 'deflate' | 'broker'
>

export const noStatistics: OwnStatistics = {
  connections: 0,
  handshakes: 0,
  rss: 0,
  cpu: 0,
  uptime: 0,
  deflate: { sent: { plain: 0, compressed: 0 }, received: { plain: 0, compressed: 0 } },
}

export function ownStatistics({
  connections,
  handshakes,
  deflateStatistics,
  brokerStatistics,
}: ProcessServer): OwnStatistics {
  const { user, system } = process.cpuUsage()
  return {
    connections: connections.size,
    handshakes,
    rss: process.memoryUsage.rss(),
    cpu: (user + system) / 1000,
    uptime: process.uptime() * 1000,
    deflate: deflateStatistics,
    broker: brokerStatistics === undefined ? undefined : countsIn(brokerStatistics),
  }
}

/** Only what can travel from an acceptor to its primary: a broker of the application's may have more in its statistics. */
function countsIn(statistics: BrokerStatistics): BrokerStatistics {
  const { connected, published, dropped, received, missed } = statistics
  const counts = Object.entries(statistics).filter(([, value]) => typeof value === 'number')
  return { ...Object.fromEntries(counts), connected, published, dropped, received, missed }
}
