// The subscribers of a topic, in the order in which they came. Most topics have one subscriber, and peers can make topics by
// the thousand: with a Map for each, the garbage collector would have several times as much to copy.
import type { Subscriber } from '../connection/subscriber.js'

/** One subscriber of one topic. */
export interface Subscription<Topic> {
  readonly topic: Topic
  readonly subscriber: Subscriber
  /** Larger than the numbers of all who came before it. */
  readonly number: number
  /** Its place in the list of all subscriptions of its subscriber. */
  place: number
}

export class Subscribers<Topic> {
  /** The only subscriber, as long as there has never been another at the same time. */
  #only: Subscription<Topic> | undefined
  #several: Map<Subscriber, Subscription<Topic>> | undefined
  #last = 0

  get size(): number {
    return this.#several?.size ?? (this.#only === undefined ? 0 : 1)
  }

  find(subscriber: Subscriber): Subscription<Topic> | undefined {
    if (this.#several !== undefined) return this.#several.get(subscriber)
    return this.#only?.subscriber === subscriber ? this.#only : undefined
  }

  has(subscriber: Subscriber): boolean {
    return this.find(subscriber) !== undefined
  }

  /** The number of a subscriber; undefined for anybody else. */
  numberOf(subscriber: Subscriber): number | undefined {
    return this.find(subscriber)?.number
  }

  /** Adds a subscriber of `topic` that is not in it yet, and whose list gives it the place `place`. */
  add(topic: Topic, subscriber: Subscriber, place: number): Subscription<Topic> {
    if (this.size > 0) this.#several ??= this.#asMap()
    const subscription = { topic, subscriber, number: ++this.#last, place }
    if (this.#several === undefined) this.#only = subscription
    else this.#several.set(subscriber, subscription)
    return subscription
  }

  delete(subscriber: Subscriber): void {
    if (this.#several !== undefined) this.#several.delete(subscriber)
    else if (this.#only?.subscriber === subscriber) this.#only = undefined
  }

  /** All subscribers. If there are several, the iterator also sees those that come later. */
  [Symbol.iterator](): IterableIterator<Subscriber> {
    if (this.#several !== undefined) return this.#several.keys()
    return (this.#only === undefined ? [] : [this.#only.subscriber]).values()
  }

  #asMap(): Map<Subscriber, Subscription<Topic>> {
    const several = new Map<Subscriber, Subscription<Topic>>()
    if (this.#only !== undefined) several.set(this.#only.subscriber, this.#only)
    this.#only = undefined
    return several
  }
}
