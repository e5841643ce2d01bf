// What is missing, by the numbers of what arrives. A publisher's numbers on a topic count from the first that is seen
// after subscribing; memory is bounded, however many publishers come and go.
import type { Publication } from './publication.js'

const MAX_PUBLISHERS = 1024
const MAX_NUMBERS = 2 ** 20

export class Gaps {
  /** Of each subscribed topic, the latest number of each publisher. */
  readonly #latest = new Map<string, Map<number, number>>()
  readonly #maxPublishers: number
  readonly #maxNumbers: number
  /** Numbers that are remembered, of all topics. */
  #numbers = 0
  /** Publications that are known to be missing. */
  missed = 0

  /**
   * `maxPublishers`: remembered at most for each topic; the one seen first is forgotten first. `maxNumbers`: so many for
   * all topics together; then a topic remembers the latest publisher, and those that it has remembered before.
   */
  constructor(maxPublishers = MAX_PUBLISHERS, maxNumbers = MAX_NUMBERS) {
    this.#maxPublishers = maxPublishers
    this.#maxNumbers = maxNumbers
  }

  /** Numbers that are remembered. */
  get size(): number {
    return this.#numbers
  }

  /** Begins to count on a topic, from what comes next. */
  subscribe(topic: string): void {
    this.unsubscribe(topic)
    this.#latest.set(topic, new Map())
  }

  /** Forgets a topic. */
  unsubscribe(topic: string): void {
    this.#numbers -= this.#latest.get(topic)?.size ?? 0
    this.#latest.delete(topic)
  }

  /**
   * Notes a publication, and counts what is missing before it. False if it must not be delivered: its topic is not
   * subscribed, or later ones have been delivered and it was counted as missed already.
   */
  note({ topic, publisher, number, begins }: Pick<Publication, 'topic' | 'publisher' | 'number' | 'begins'>): boolean {
    const publishers = this.#latest.get(topic)
    if (publishers === undefined) return false
    const latest = publishers.get(publisher)
    if (latest !== undefined && number <= latest) return false
    if (latest !== undefined && !begins) this.missed += number - latest - 1
    if (latest === undefined) this.#makeRoom(publishers)
    publishers.set(publisher, number)
    return true
  }

  /** Makes room at the cost of this topic: a topic with many publishers must not cost other topics theirs. */
  #makeRoom(publishers: Map<number, number>): void {
    const full = publishers.size >= this.#maxPublishers || this.#numbers >= this.#maxNumbers
    if (full && publishers.size > 0) dropFirst(publishers)
    else this.#numbers++
  }
}

function dropFirst(publishers: Map<number, number>): void {
  for (const publisher of publishers.keys()) {
    publishers.delete(publisher)
    return
  }
}
