// The subscribers of a topic, in the order in which they came. Most topics have one subscriber, and peers can make topics by
// the thousand: with a Map for each, the garbage collector would have several times as much to copy.
import type { Subscriber } from '../connection/subscriber.js'

export class Subscribers {
  /** The only subscriber, as long as there has never been another at the same time. */
  #only: Subscriber | undefined
  #several: Map<Subscriber, number> | undefined
  #last = 0

  get size(): number {
    return this.#several?.size ?? (this.#only === undefined ? 0 : 1)
  }

  has(subscriber: Subscriber): boolean {
    return this.#several?.has(subscriber) ?? this.#only === subscriber
  }

  /** The number of a subscriber, larger than the numbers of all that came before it; undefined for anybody else. */
  numberOf(subscriber: Subscriber): number | undefined {
    if (this.#several !== undefined) return this.#several.get(subscriber)
    return this.#only === subscriber ? this.#last : undefined
  }

  /** Adds a subscriber that is not in it yet. */
  add(subscriber: Subscriber): void {
    if (this.size > 0) this.#several ??= this.#asMap()
    this.#last++
    if (this.#several === undefined) this.#only = subscriber
    else this.#several.set(subscriber, this.#last)
  }

  delete(subscriber: Subscriber): void {
    if (this.#several !== undefined) this.#several.delete(subscriber)
    else if (this.#only === subscriber) this.#only = undefined
  }

  /** All subscribers. If there are several, the iterator also sees those that come later. */
  [Symbol.iterator](): IterableIterator<Subscriber> {
    if (this.#several !== undefined) return this.#several.keys()
    return (this.#only === undefined ? [] : [this.#only]).values()
  }

  #asMap(): Map<Subscriber, number> {
    const several = new Map<Subscriber, number>()
    if (this.#only !== undefined) several.set(this.#only, this.#last)
    this.#only = undefined
    return several
  }
}
