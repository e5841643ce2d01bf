// What a connection and the topics of its server are to each other: it subscribes and publishes, they deliver.

import type { SharedMemory } from '../memory/sharedBlock.js'
import type { Tally } from '../metrics/tally.js'
import type { Sendable, SendResult } from './connection.js'
import type { DeflatedBytes } from './deflateTally.js'
import type { Resumption, Returning } from './resumption.js'
import type { DeflatedForm } from './sending/deflatedForm.js'

export type { DeflatedBytes, SharedMemory, Tally }

/** Someone to whom topics deliver. */
export interface Subscriber {
  /** The fewest bytes of a message that it is to be sent compressed for many; undefined if it can take none of these. */
  readonly sharedThreshold?: number | undefined
  /**
   * Takes frames that are encoded, one or more, as they lie in memory; `deflated` says what was compressed, and `tally`
   * what the frames count as, where they were looked at before. Returns what became of them. Never throws.
   */
  deliver(memory: SharedMemory, pointer: number, length: number, deflated?: DeflatedBytes, tally?: Tally): SendResult
  /** Takes a long message that is compressed for many, as soon as it is. Whoever has a `sharedThreshold` can. Never throws. */
  deliverForm?(form: DeflatedForm): SendResult
  /** So many publications on a topic were dropped, as `deliver` or `deliverForm` has just said. */
  leftOut?(topic: string, publications: number): void
}

/** The topics. */
export interface Publisher {
  /** Whether something was published that has not been sent to all subscribers yet. */
  readonly pending: boolean
  /** Delivers what is pending for one subscriber: something else is about to be sent to it. */
  catchUp(subscriber: Subscriber): void
  /** Throws a RangeError above `most` subscriptions, and a TypeError for what can be no topic. */
  subscribe(subscriber: Subscriber, topic: string, most: number): void
  /** Subscribes, and has what was missed sent first. Throws as `subscribe` does. */
  resume(subscriber: Subscriber, topic: string, most: number, returning: Returning): Promise<Resumption>
  /** Whether there was a subscription to end. */
  unsubscribe(subscriber: Subscriber, topic: string): boolean
  isSubscribed(subscriber: Subscriber, topic: string): boolean
  /** Publishes to all subscribers but `except`; returns how many there are in this process. */
  publish(topic: string, data: Sendable, except?: Subscriber): number
  /** Ends all subscriptions of a subscriber that is gone; returns how many it had. */
  leave(subscriber: Subscriber): number
}
