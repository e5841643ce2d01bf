// What carries publications between processes and machines. At most once: what a broker can't deliver now is dropped
// and counted, never kept for later.

/** The longest name of a topic, in bytes of UTF-8. */
export const MAX_TOPIC_BYTES = 255

/**
 * A function that takes what other processes have published. It never throws. `payload` is valid only during the call.
 * `missed` is how many publications on the topic are known to be missing before this one (default: 0): clients that ask for
 * what they have missed are told of them.
 */
export type Receive = (topic: string, payload: Uint8Array, isText: boolean, missed?: number) => void

/**
 * A function that takes that publications of other processes may be missing from now on, on any topic, and that nobody can
 * count them: a broker that can't tell what it has lost calls it when it goes away, and again when it is back. Clients that
 * ask for what they have missed are told of a gap.
 */
export type Interrupted = () => void

/** What a broker has carried since it was made. */
export interface BrokerStatistics {
  /** Whether the broker can carry publications at the moment. */
  readonly connected: boolean
  /** How many publications of this process were given to the broker. */
  readonly published: number
  /** How many of these publications the broker had to drop before they left this process. */
  readonly dropped: number
  /** How many of these publications wait to be confirmed now. Only brokers that keep them have it. */
  readonly queued?: number
  /** How many of these publications were confirmed late. Only brokers that keep them have it. */
  readonly late?: number
  /** How many of these publications have arrived or not, which nobody knows. Only brokers with confirmations have it. */
  readonly unconfirmed?: number
  /** How many publications of other processes arrived here. */
  readonly received: number
  /**
   * How many publications of other processes are known to be missing here. They are counted by the numbers of those
   * that arrived.
   */
  readonly missed: number
}

/**
 * What carries the publications of one server to other processes. No method of a broker may throw or wait. The guide on
 * brokers shows how to write one.
 */
export interface Broker {
  /**
   * The server calls this once, before anything else. The broker must call `receive` for what other processes publish,
   * and `interrupted` where it may have lost some of that.
   */
  attach(receive: Receive, interrupted?: Interrupted): void
  /** The server calls this when a topic gets its first subscriber in this process. */
  subscribe(topic: string): void
  /** The server calls this when a topic loses its last subscriber in this process. */
  unsubscribe(topic: string): void
  /**
   * Publishes to the subscribers in all other processes, but not to those in this process. `payload` is valid only
   * during the call.
   */
  publish(topic: string, payload: Uint8Array, isText: boolean): void
  /** What this broker has carried so far. */
  readonly statistics: BrokerStatistics
  /**
   * Stops the broker. The promise resolves when everything that was given to the broker before has left, or when it is
   * certain that it can't leave.
   */
  close(): Promise<void>
}
