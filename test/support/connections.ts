// A connection over the transport in memory: what a test needs to feed one peer and to look at what it is sent.

import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection } from '../../src/connection/connection.js'
import type { Handlers, OutputPolicy } from '../../src/connection/handlers.js'
import { Peer } from '../../src/connection/peer.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import { type Opening, openRoute, openServer, type RouteContext } from '../../src/connection/shared.js'
import { Slices } from '../../src/connection/slices.js'
import { turnOfThread } from '../../src/connection/turn.js'
import { Budget } from '../../src/memory/budget.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { defaultLimits, type ServerLimits } from '../../src/server/options.js'
import { Deadlines } from '../../src/time/deadlines.js'
import { TurnClock } from '../../src/time/turnClock.js'
import type { Broker } from '../../src/topics/broker.js'
import type { TopicsOptions } from '../../src/topics/options.js'
import { Topics } from '../../src/topics/topics.js'
import { MemoryTransport } from './memoryTransport.js'

/**
 * A slice never ends: what a test feeds is dealt with in one go, however busy the machine is. The slices themselves are
 * tested with a clock that tests set, in slices.test.ts, and over sockets.
 */
class Unhurried extends Slices {
  override spend(): boolean {
    return false
  }
}

/** What is shared by the connections of a test. */
export interface Connections {
  readonly shared: RouteContext<undefined>
  readonly budget: Budget
  /** Another peer, its opening handshake done: the connection as applications have it, and what lies behind it. */
  connect(more?: Partial<Opening<undefined>>): {
    peer: Connection<undefined>
    inside: Peer<undefined>
    wire: MemoryTransport
  }
}

const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
const source = { remoteAddress: undefined, secure: false, told: false }

/** What applications give a server, as far as its connections are concerned: handlers and limits, all in one. */
export interface ConnectionsOptions extends Handlers<undefined>, Partial<ServerLimits> {
  readonly outputPolicy?: OutputPolicy
  readonly broker?: Broker
  readonly topics?: TopicsOptions
  readonly streamThreshold?: number | undefined
  readonly streamLeft?: 'drain' | 'fail'
}

/** A place for connections with these options. */
export function connections(options: ConnectionsOptions): Connections {
  const { outputPolicy = 'pause', streamThreshold, streamLeft = 'drain' } = options
  const limits = limitsOf(options)
  const budget = new Budget(limits.payloadMemory, limits.maxMessage)
  const topics = new Topics(
    encoderOfThread('server'),
    heapOfThread(),
    turnOfThread(),
    limits.maxTopics,
    options.broker,
    undefined,
    options.topics,
  )
  const parts = openServer<undefined>({
    budget,
    deadlines: new Deadlines(() => false),
    topics,
    slices: new Unhurried(turnOfThread(), new TurnClock()),
    closed: () => undefined,
  })
  const shared = openRoute(parts, options, { limits, outputPolicy, large: undefined, streamThreshold, streamLeft })
  return {
    shared,
    budget,
    connect(more = {}) {
      const wire = new MemoryTransport()
      const request = new UpgradeRequest(head, undefined, source, undefined)
      const opening = { request, data: undefined, protocol: '', ...more }
      const inside = new Peer<undefined>(shared, wire, opening)
      inside.start(new Uint8Array(0))
      return { peer: inside.connection, inside, wire }
    },
  }
}

function limitsOf(options: ConnectionsOptions): ServerLimits {
  const given = Object.entries(options).filter(([name]) => name in defaultLimits)
  return { ...defaultLimits, ...Object.fromEntries(given) }
}
