// What carries publications between processes and machines. At most once: what a broker can't deliver now is dropped
// and counted, never kept for later.

/** The longest name of a topic, in bytes of UTF-8. */
export const MAX_TOPIC_BYTES = 255

/** Takes what others have published; never throws. `payload` is valid during the call only. */
export type Receive = (topic: string, payload: Uint8Array, isText: boolean) => void

/** What a broker has carried. */
export interface BrokerStatistics {
  /** Whether it can carry anything now. */
  readonly connected: boolean
  /** Publications of this process that were given to it. */
  readonly published: number
  /** Of those, the ones that this process had to drop. */
  readonly dropped: number
  /** Publications of others that arrived here. */
  readonly received: number
  /** Publications of others that are known to be missing, by the numbers of those that arrived. */
  readonly missed: number
}

/** A broker of one server. Its methods never throw and never wait. */
export interface Broker {
  /** Called once, by the server that uses it, before anything else. */
  attach(receive: Receive): void
  /** A topic has its first subscriber here. */
  subscribe(topic: string): void
  /** A topic has lost its last subscriber here. */
  unsubscribe(topic: string): void
  /** Publishes to the subscribers of all other processes; not to this one's. `payload` is valid during the call only. */
  publish(topic: string, payload: Uint8Array, isText: boolean): void
  readonly statistics: BrokerStatistics
  /** Carries nothing any more; resolves when what was given to it has left, or can't. */
  close(): Promise<void>
}
