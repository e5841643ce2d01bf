// A hub and its acceptors in one process, each with topics and connections of its own, linked by real sockets: acceptors can
// die and start again, and links can break, stand still, or answer nothing.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { Hub, type HubOptions } from '../../src/brokers/hub.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import type { Resumption } from '../../src/connection/resumption.js'
import type { TopicsOptions } from '../../src/topics/options.js'
import { Topics } from '../../src/topics/topics.js'
import { type Connections, connections } from '../support/connections.js'
import { socketPair } from '../support/socketPair.js'

type Member = ReturnType<Connections['connect']>

/** One acceptor. */
export class LinkedAcceptor {
  readonly broker: LinkBroker
  /** Its end of the link, and the hub's. */
  readonly near: Socket
  readonly far: Socket
  readonly place: Connections
  readonly #members = new Set<Member>()

  constructor(near: Socket, far: Socket, topics: TopicsOptions) {
    this.near = near
    this.far = far
    this.broker = new LinkBroker(near)
    this.place = connections({ broker: this.broker, topics })
  }

  connect(): Member {
    const member = this.place.connect()
    this.#members.add(member)
    return member
  }

  publish(topic: string, data: string | Buffer): number {
    return this.place.shared.topics.publish(topic, data)
  }

  /** Bytes that its own histories take. */
  get historyBytes(): number {
    const { topics } = this.place.shared
    return topics instanceof Topics ? topics.historyBytes : 0
  }

  /** It ends at once, with its connections and what has not left it. */
  die(): void {
    for (const { peer } of this.#members) peer.terminate()
    this.near.destroy()
  }
}

/** A hub, and a function that links acceptors to it. */
export function clusterOfTopics(t: TestContext, topics: TopicsOptions, options: HubOptions = {}) {
  const hub = new Hub({ historyMemory: topics.historyMemory, ...options })
  const start = async (own: TopicsOptions = topics): Promise<LinkedAcceptor> => {
    const [near, far] = await socketPair(t)
    hub.join(far)
    return new LinkedAcceptor(near, far, own)
  }
  return { hub, start }
}

/** The position that was told. */
export function toldPosition({ position }: Resumption): string {
  assert.ok(position !== undefined)
  return position
}
