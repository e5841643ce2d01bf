// A broker that numbers what all processes publish on topics with a history, and keeps it for them: the hub of a cluster.
// With it, a position means the same in each process, and survives the death of all but the one that numbers.
import type { Broker } from './broker.js'
import type { HistoryLimits } from './options.js'

/** Where a topic stands. */
export interface Standing {
  /** Tells who numbers. */
  readonly epoch: number
  /** The number of the oldest publication that is kept, or the next number where none is. */
  readonly first: number
  /** The number of the latest publication. */
  readonly last: number
}

/** A publication of the past. */
export interface Recalled {
  readonly number: number
  readonly isText: boolean
  readonly payload: Uint8Array
  /** Milliseconds since it was published. */
  readonly age: number
  /** What `publishOrdered` has returned for it, if it is of this process. */
  readonly ticket?: number | undefined
}

/** What takes the order of publications. Payloads are valid only during the call. */
export interface Order {
  /**
   * A publication, the next one or a later one. `ticket` is what `publishOrdered` has returned for it, if it is of this
   * process.
   */
  ordered(topic: string, payload: Uint8Array, isText: boolean, number: number, ticket: number | undefined): void
  /** Where a topic stands, and the publications that were asked for, in order: those up to the last before `before`. */
  recalled(topic: string, standing: Standing, publications: readonly Recalled[]): void
  /** Nobody numbers any more. */
  lost(): void
}

export interface OrderingBroker extends Broker {
  /** The server calls this once, before anything else. */
  order(order: Order): void
  /** Like `subscribe`, for a topic of which so much is to be kept. */
  keep(topic: string, limits: HistoryLimits): void
  /**
   * Publishes to all processes, this one included: the publication comes back as `ordered`. Undefined if it had to be
   * dropped.
   */
  publishOrdered(topic: string, payload: Uint8Array, isText: boolean): number | undefined
  /** Asks for the publications between two numbers; false where nobody can be asked. */
  recall(topic: string, after: number, before: number): boolean
  /** So many publications have not come, and could not be recalled. */
  missing(count: number): void
}

export function isOrdering(broker: Broker): broker is OrderingBroker {
  return 'publishOrdered' in broker
}
