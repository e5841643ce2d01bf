// A connection over the transport in memory: what a test needs to feed one peer and to look at what it is sent.

import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { Callbacks } from '../../src/connection/callbacks.js'
import type { Connection } from '../../src/connection/connection.js'
import { Deadlines, ticksOf } from '../../src/connection/deadlines.js'
import { encoderOfThread } from '../../src/connection/encoder.js'
import type { Handlers, OutputPolicy, Shared } from '../../src/connection/handlers.js'
import { Peer } from '../../src/connection/peer.js'
import { Slices } from '../../src/connection/slices.js'
import { turnOfThread } from '../../src/connection/turn.js'
import { Work } from '../../src/connection/work.js'
import { TurnClock } from '../../src/memory/turnClock.js'
import { Budget } from '../../src/payload/budget.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { Topics } from '../../src/pubsub/topics.js'
import { defaultLimits, type ServerLimits } from '../../src/server/options.js'
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
export interface Room {
  readonly shared: Shared<undefined>
  readonly budget: Budget
  /** Another peer, its opening handshake done. */
  connect(): { peer: Peer<undefined>; wire: MemoryTransport }
}

const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
const source = { remoteAddress: undefined, secure: false, told: false }

/** A place for connections with these handlers and limits. */
export function room(
  handlers: Handlers<undefined>,
  limits: Partial<ServerLimits> = {},
  outputPolicy: OutputPolicy = 'pause',
  streamThreshold?: number,
  streamLeft: 'drain' | 'fail' = 'drain',
): Room {
  const all = { ...defaultLimits, ...limits }
  const connections = new Set<Connection<unknown>>()
  const budget = new Budget(all.payloadMemory, all.maxMessage)
  const work = new Work()
  const shared: Shared<undefined> = {
    work,
    codec: codecOfThread(),
    heap: heapOfThread(),
    encoder: encoderOfThread('server'),
    turn: turnOfThread(),
    slices: new Unhurried(turnOfThread(), new TurnClock()),
    topics: new Topics(encoderOfThread('server'), heapOfThread(), turnOfThread(), all.maxTopics, undefined),
    budget,
    deadlines: new Deadlines(() => false),
    handlers,
    callbacks: new Callbacks(handlers, work),
    limits: all,
    times: {
      pingInterval: ticksOf(all.pingInterval),
      idleTimeout: ticksOf(all.idleTimeout),
      pauseTimeout: ticksOf(all.pauseTimeout),
      maxLifetime: ticksOf(all.maxLifetime),
    },
    outputPolicy,
    large: undefined,
    streamThreshold,
    streamLeft,
    connections,
    closed: () => undefined,
  }
  return {
    shared,
    budget,
    connect() {
      const wire = new MemoryTransport()
      const request = new UpgradeRequest(head, undefined, source, undefined)
      const opening = { request, data: undefined, protocol: '' }
      const peer = new Peer<undefined>(shared, wire, opening)
      peer.start(new Uint8Array(0))
      return { peer, wire }
    },
  }
}

/** Resolves when pending callbacks have run: microtasks, immediates, and those that these start. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}
