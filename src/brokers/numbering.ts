// How a publisher numbers what it publishes, so that a receiver can tell what is missing. A topic's numbers
// never go back, even when the topic was forgotten meanwhile: memory is bounded, whatever topics there are.
import { randomBytes } from 'node:crypto'
import { MAX_TOPIC_BYTES } from '../topics/broker.js'

/** A topic that is published to. */
export interface NumberedTopic {
  /** Its name in UTF-8. */
  readonly bytes: Buffer
  /** Of the latest publication. */
  number: number
  /** The latest publication is the first with which receivers can count. */
  begins: boolean
}

const MAX_TOPICS = 16_384

export class Numbering {
  /** Tells this publisher from all others. */
  readonly publisher = randomBytes(6).readUIntBE(0, 6)
  readonly #topics = new Map<string, NumberedTopic>()
  readonly #maxTopics: number
  /** The highest number of all topics that were forgotten. */
  #floor = 0

  constructor(maxTopics = MAX_TOPICS) {
    this.#maxTopics = maxTopics
  }

  /** Topics that are remembered. */
  get size(): number {
    return this.#topics.size
  }

  /** The next number on a topic; undefined for a topic that is too long. Valid until the next call. */
  next(topic: string): NumberedTopic | undefined {
    const known = this.#topics.get(topic)
    if (known === undefined) return this.#begin(topic)
    known.number++
    known.begins = false
    return known
  }

  #begin(topic: string): NumberedTopic | undefined {
    if (topic.length > MAX_TOPIC_BYTES) return undefined
    const bytes = Buffer.from(topic)
    if (bytes.length > MAX_TOPIC_BYTES) return undefined
    if (this.#topics.size >= this.#maxTopics) this.#dropOldest()
    const numbered = { bytes, number: this.#floor + 1, begins: true }
    this.#topics.set(topic, numbered)
    return numbered
  }

  #dropOldest(): void {
    for (const [topic, { number }] of this.#topics) {
      this.#floor = Math.max(this.#floor, number)
      this.#topics.delete(topic)
      return
    }
  }
}
