// What the hub keeps of topics with a history: it numbers publications in the order in which they come from the acceptors,
// and answers those that have missed some. Records are kept as they were sent.
import type { SharedMemory } from '../memory/sharedBlock.js'
import { Histories } from '../topics/history.js'
import type { HistoryLimits } from '../topics/options.js'
import type { Standing } from '../topics/ordering.js'
import type { TopicHistory } from '../topics/topicHistory.js'
import { Gaps } from './gaps.js'
import { orderedLength, recallEnd, recalledOf, writeOrdered } from './orderedRecords.js'
import { readRecord } from './publication.js'

/** Topics to which no acceptor subscribes and that are remembered; the one that was left first is forgotten first. */
const MOST_IDLE = 65_536
/** An answer holds at most so many bytes, or one publication: it must not hold up what others publish. */
const MOST_ANSWER = 256 * 1024
const BLOCK_BYTES = 64 * 1024

/** Memory for records, outside of the codec's. */
class RecordBlock implements SharedMemory {
  readonly #bytes: Buffer
  #end = 0

  constructor(length: number) {
    this.#bytes = Buffer.allocUnsafeSlow(length)
  }

  get size(): number {
    return this.#bytes.length
  }

  /** Where the next record of `length` bytes lies; undefined where it does not fit. */
  place(length: number): { readonly pointer: number; readonly bytes: Buffer } | undefined {
    const pointer = this.#end
    if (pointer + length > this.#bytes.length) return undefined
    this.#end += length
    return { pointer, bytes: this.#bytes.subarray(pointer, this.#end) }
  }

  views(pointer: number, length: number): Uint8Array[] {
    return [this.#bytes.subarray(pointer, pointer + length)]
  }

  /** The garbage collector frees it. */
  retain(): void {}

  release(): void {}

  pin(): number {
    return 0
  }

  unpin(): void {}
}

export class HubHistory {
  readonly #histories: Histories
  /** What publishers had to drop before it came here is missing for all. */
  readonly #gaps = new Gaps()
  readonly #idle = new Set<string>()
  #block = new RecordBlock(BLOCK_BYTES)

  /** With at most so many bytes. */
  constructor(memory: number, clock = (): number => performance.now()) {
    this.#clock = clock
    this.#histories = new Histories(() => undefined, memory, clock, Number.POSITIVE_INFINITY)
  }

  readonly #clock: () => number

  /** Bytes that all histories take. */
  get bytes(): number {
    return this.#histories.bytes
  }

  /** Somebody wants so much of a topic to be kept. */
  keep(topic: string, limits: HistoryLimits): void {
    this.#idle.delete(topic)
    const known = this.#histories.find(topic)
    if (known !== undefined) known.limits = limits
    else {
      this.#gaps.subscribe(topic)
      this.#histories.begin(topic, limits)
    }
  }

  has(topic: string): boolean {
    return this.#histories.has(topic)
  }

  /** Nobody subscribes to a topic any more. It is remembered until others need the room. */
  leave(topic: string): void {
    if (!this.has(topic)) return
    this.#idle.add(topic)
    if (this.#idle.size <= MOST_IDLE) return
    for (const first of this.#idle) {
      this.#idle.delete(first)
      this.#gaps.unsubscribe(first)
      return this.#histories.forget(first)
    }
  }

  /** Numbers and keeps a publication's record; returns the record in that order, or undefined for one that came before. */
  add(topic: string, record: Buffer): Buffer | undefined {
    const history = this.#histories.find(topic)
    const publication = readRecord(record)
    if (history === undefined || publication === undefined) return undefined
    const before = this.#gaps.missed
    if (!this.#gaps.note(publication)) return undefined
    if (this.#gaps.missed > before) this.#histories.interrupt(history, this.#gaps.missed - before)
    const length = orderedLength(record)
    const { block, pointer, bytes } = this.#place(length)
    writeOrdered(bytes, record, history.last + 1)
    this.#histories.keep(history, block, block.size, pointer, length)
    return bytes
  }

  /** The answer to someone who wants what is between two numbers: the latest of that, as much as one answer may hold. */
  recall(topic: string, after: number, before: number): Buffer[] {
    const history = this.#histories.find(topic)
    if (history === undefined) return []
    this.#histories.refresh(history)
    const last = Math.min(before - 1, history.last)
    let bytes = 0
    let first = last + 1
    for (let kept = history.at(last); kept !== undefined && first - 1 > after; kept = history.at(first - 1)) {
      bytes += kept.length
      if (bytes > MOST_ANSWER && first <= last) break
      first--
    }
    const now = this.#clock()
    const answer: Buffer[] = []
    for (let number = first; number <= last; number++) {
      const kept = history.at(number)
      const [ordered] = kept?.memory.views?.(kept.pointer, kept.length) ?? []
      if (kept !== undefined && ordered !== undefined) answer.push(recalledOf(ordered, now - kept.at))
    }
    return [...answer, this.standing(history)]
  }

  /** The record that says where a topic stands. */
  standing({ idle: { name }, first, last }: TopicHistory): Buffer {
    const standing: Standing = { epoch: this.#histories.epoch, first, last }
    return recallEnd(name, standing)
  }

  #place(length: number): { readonly block: RecordBlock; readonly pointer: number; readonly bytes: Buffer } {
    const own = length > BLOCK_BYTES / 4
    const place = own ? undefined : this.#block.place(length)
    if (place !== undefined) return { block: this.#block, ...place }
    const block = new RecordBlock(own ? length : BLOCK_BYTES)
    if (!own) this.#block = block
    const { pointer, bytes } = block.place(length) ?? { pointer: 0, bytes: Buffer.alloc(length) }
    return { block, pointer, bytes }
  }
}
