// Who subscribes to a topic, in the order in which they came. Most topics have one subscriber, and peers can make topics by
// the thousand: a Map for each would be several times as much for the garbage collector to copy as all the rest of it.
import type { Subscriber } from '../connection/subscriber.js'

export class Subscribers {
  /** The only one, where there has never been another. */
  #only: Subscriber | undefined
  #several: Map<Subscriber, number> | undefined
  #last = 0

  get size(): number {
    return this.#several?.size ?? (this.#only === undefined ? 0 : 1)
  }

  has(subscriber: Subscriber): boolean {
    return this.#several?.has(subscriber) ?? this.#only === subscriber
  }

  /** The number of a subscriber, which is larger than those of all that came before; undefined if it is none. */
  numberOf(subscriber: Subscriber): number | undefined {
    if (this.#several !== undefined) return this.#several.get(subscriber)
    return this.#only === subscriber ? this.#last : undefined
  }

  /** Adds one that is none yet. */
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

  /** All of them. Where there are several, the iterator sees those that come later, too. */
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
