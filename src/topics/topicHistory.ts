// The latest publications on one topic, in their order and without gaps: the frames where they were encoded.
import type { SharedMemory } from '../memory/sharedBlock.js'
import { Topic } from './batch.js'
import type { HistoryBlock } from './historyBlocks.js'
import type { HistoryLimits } from './options.js'

/** A publication that is kept. */
export interface Kept {
  readonly block: HistoryBlock<TopicHistory>
  readonly memory: SharedMemory
  readonly pointer: number
  readonly length: number
  /** When it was published, in milliseconds of `performance.now()`. */
  readonly at: number
}

/** From so many dropped entries on, the array is cut. */
const CUT = 64

export class TopicHistory {
  /** Stands for the topic while nobody subscribes to it. */
  readonly idle: Topic
  limits: HistoryLimits
  /** The number of the latest publication, kept or not. */
  last: number
  /** Whether `last` is what it says: not before another process, which numbers the publications, has told it. */
  isKnown = true
  /** Up to this number, publications of others may be missing that nobody has numbered. */
  severed = -1
  bytes = 0
  #entries: (Kept | undefined)[] = []
  /** Where the oldest one lies. */
  #head = 0

  /** Of a topic whose latest publication has the number `last`. */
  constructor(name: string, limits: HistoryLimits, last: number) {
    this.idle = new Topic(name)
    this.limits = limits
    this.last = last
  }

  get size(): number {
    return this.#entries.length - this.#head
  }

  /** The number of the oldest publication that is kept, or the next number where none is. */
  get first(): number {
    return this.last - this.size + 1
  }

  get oldest(): Kept | undefined {
    return this.#entries[this.#head]
  }

  /** The publication with this number, if it is kept. */
  at(number: number): Kept | undefined {
    return number > this.last ? undefined : this.#entries[this.#entries.length - 1 - (this.last - number)]
  }

  /** The publication that follows all others. */
  push(kept: Kept): void {
    this.#entries.push(kept)
    this.bytes += kept.length
    this.last++
  }

  /** Publications that come right before the oldest one, in their order. */
  prepend(publications: readonly Kept[]): void {
    this.#entries = [...publications, ...this.#entries.slice(this.#head)]
    this.#head = 0
    for (const { length } of publications) this.bytes += length
  }

  /** How many of the oldest ones there are up to the last that lies in a block: publications may have been prepended. */
  countThrough(block: HistoryBlock<TopicHistory>): number {
    let end = this.#entries.length
    while (end > this.#head && this.#entries[end - 1]?.block !== block) end--
    return end - this.#head
  }

  /** Whether the oldest one is beyond a limit at the time `now`. */
  isOver(now: number): boolean {
    const { messages, bytes, maxAge } = this.limits
    const { oldest } = this
    return oldest !== undefined && (this.size > messages || this.bytes > bytes || now - oldest.at > maxAge)
  }

  /** Drops the oldest one. */
  shift(): Kept | undefined {
    const kept = this.#entries[this.#head]
    if (kept === undefined) return undefined
    this.#entries[this.#head++] = undefined
    this.bytes -= kept.length
    if (this.#head >= CUT && 2 * this.#head >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return kept
  }
}
