// What a process that serves tells of itself: only what it has anyway.

import type { ProcessServer } from '../server/server.js'
import type { BrokerStatistics } from '../topics/broker.js'

/** A process that serves connections. */
export interface ProcessStatistics {
  readonly pid: number
  /** Whether it accepts connections: not yet, still, or not any more. */
  readonly state: 'starting' | 'listening' | 'draining'
  /** Connections that are not closed. */
  readonly connections: number
  /** Opening handshakes that it has accepted. */
  readonly handshakes: number
  /** Memory that it holds, in bytes. */
  readonly rss: number
  /** CPU time that it has used, in milliseconds. */
  readonly cpu: number
  /** Since it began, in milliseconds. */
  readonly uptime: number
  /** What its broker has carried: that of the acceptors, or the one that the options name. */
  readonly broker?: BrokerStatistics | undefined
  /** How many died in its place before it. */
  readonly restarts: number
  /** How old these numbers are, in milliseconds: 0, unless it does not answer. */
  readonly age: number
}

/** The part that only the process itself knows. */
export type OwnStatistics = Pick<ProcessStatistics, 'connections' | 'handshakes' | 'rss' | 'cpu' | 'uptime' | 'broker'>

export const noStatistics: OwnStatistics = { connections: 0, handshakes: 0, rss: 0, cpu: 0, uptime: 0 }

export function ownStatistics({ connections, handshakes, brokerStatistics }: ProcessServer): OwnStatistics {
  const { user, system } = process.cpuUsage()
  return {
    connections: connections.size,
    handshakes,
    rss: process.memoryUsage.rss(),
    cpu: (user + system) / 1000,
    uptime: process.uptime() * 1000,
    broker: brokerStatistics === undefined ? undefined : countsIn(brokerStatistics),
  }
}

/** Only what can travel from an acceptor to its primary: a broker of the application's may have more in its statistics. */
function countsIn(statistics: BrokerStatistics): BrokerStatistics {
  const { connected, published, dropped, received, missed } = statistics
  const counts = Object.entries(statistics).filter(([, value]) => typeof value === 'number')
  return { ...Object.fromEntries(counts), connected, published, dropped, received, missed }
}
