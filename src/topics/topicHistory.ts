// The latest publications on one topic, in their order and without gaps: the frames where they were encoded.
import type { SharedMemory } from '../memory/sharedBlock.js'
import { Topic } from './batch.js'
import type { HistoryBlock } from './historyBlocks.js'
import { KeptRing } from './keptRing.js'
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

/** Keeps the frame of a publication: `size` are the bytes that its memory holds. */
export type Keep = (memory: SharedMemory, size: number, pointer: number, length: number) => void

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
  /** Keeps what is published: the same for each publication. */
  keep: Keep | undefined
  readonly #ring = new KeptRing<HistoryBlock<TopicHistory>>()

  /** Of a topic whose latest publication has the number `last`. */
  constructor(name: string, limits: HistoryLimits, last: number) {
    this.idle = new Topic(name)
    this.limits = limits
    this.last = last
  }

  get size(): number {
    return this.#ring.size
  }

  /** The number of the oldest publication that is kept, or the next number where none is. */
  get first(): number {
    return this.last - this.#ring.size + 1
  }

  /** The publication with this number, if it is kept. */
  at(number: number): Kept | undefined {
    const index = number - this.first
    const block = index < 0 || number > this.last ? undefined : this.#ring.blockOf(index)
    return (
      block && {
        block,
        memory: block.memory,
        pointer: this.#ring.pointerOf(index),
        length: this.#ring.lengthOf(index),
        at: this.#ring.timeOf(index),
      }
    )
  }

  /** The publication that follows all others. */
  push(block: HistoryBlock<TopicHistory>, pointer: number, length: number, at: number): void {
    this.#ring.push(block, pointer, length, at)
    this.bytes += length
    this.last++
  }

  /** Publications that come right before the oldest one, in their order. */
  prepend(publications: readonly Kept[]): void {
    for (const { block, pointer, length, at } of publications.toReversed()) {
      this.#ring.unshift(block, pointer, length, at)
      this.bytes += length
    }
  }

  /** How many of the oldest ones there are up to the last that lies in a block: publications may have been prepended. */
  countThrough(block: HistoryBlock<TopicHistory>): number {
    let count = this.#ring.size
    while (count > 0 && this.#ring.blockOf(count - 1) !== block) count--
    return count
  }

  /** Whether the oldest one is beyond a limit at the time `now`. */
  isOver(now: number): boolean {
    const { messages, bytes, maxAge } = this.limits
    const { size } = this.#ring
    return size > 0 && (size > messages || this.bytes > bytes || now - this.#ring.timeOf(0) > maxAge)
  }

  /** Drops the oldest one; returns the block that it lay in. */
  shift(): HistoryBlock<TopicHistory> | undefined {
    this.bytes -= this.#ring.size > 0 ? this.#ring.lengthOf(0) : 0
    return this.#ring.shift()
  }
}
