// The topics of a process by their names. Peers may make and leave topics by the thousand, and a Map is bad at that: each
// time it makes room, it leaves its old table to the garbage collector with everything in it, so that what was left long ago
// outlives one scavenge after the other. Here, rows of topics are linked by the topics themselves; a row is split or
// joined at a time, so no addition takes longer than another; and whoever chooses the names can't make a row long, because
// the hash is a sum of the characters, each multiplied by a secret number of its place, of which the high bits count.
import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import type { Topic } from './batch.js'
import { MAX_TOPIC_BYTES } from './broker.js'

/** Rows at least and at most: two characters that differ change each of 17 bits with the same chance. */
const FEWEST = 16
const MOST = 2 ** 17
const SHIFT = 15

/** A row is joined with another when there are so many rows for each topic. */
const SPARE = 4

const LENGTH = MAX_TOPIC_BYTES
/** A secret number for each character of a name, and one for its length. */
const secrets = new Int32Array(randomFillSync(Buffer.alloc(4 * (LENGTH + 1))).buffer)

export class TopicTable {
  readonly #rows: (Topic | undefined)[] = new Array(FEWEST).fill(undefined)
  /** The largest power of two that is not more than the number of rows. */
  #power = FEWEST
  #size = 0
  /** How often a place is kept for each topic that is to come. */
  readonly #kept = new Map<string, number>()
  /** Those of them that are not in the table. */
  #awaited = 0
  /** The name that was looked for last, and its hash: it is often looked for again. */
  #last = ''
  #lastHash = 0

  get size(): number {
    return this.#size
  }

  /** Topics that are in it, and those that a place is kept for. */
  get places(): number {
    return this.#size + this.#awaited
  }

  /** Whether a topic is in it, or a place is kept for it. */
  hasPlace(name: string): boolean {
    return this.find(name) !== undefined || this.#kept.has(name)
  }

  /** Keeps a place for a topic that is to come, once more with each call. */
  keepPlace(name: string): void {
    const times = this.#kept.get(name) ?? 0
    this.#kept.set(name, times + 1)
    if (times === 0 && this.find(name) === undefined) this.#awaited++
  }

  /** Undoes one `keepPlace`. */
  leavePlace(name: string): void {
    const times = this.#kept.get(name) ?? 0
    if (times > 1) return void this.#kept.set(name, times - 1)
    if (this.#kept.delete(name) && this.find(name) === undefined) this.#awaited--
  }

  find(name: string): Topic | undefined {
    if (typeof name !== 'string' || name.length > LENGTH) return undefined
    let topic = this.#rows[this.#rowOf(this.#hash(name))]
    while (topic !== undefined && topic.name !== name) topic = topic.next
    return topic
  }

  /** Adds a topic whose name is not in it. */
  add(topic: Topic): void {
    topic.hash = this.#hash(topic.name)
    this.#put(topic)
    this.#size++
    if (this.#kept.has(topic.name)) this.#awaited--
    if (this.#size > this.#rows.length && this.#rows.length < MOST) this.#split()
  }

  /** Removes a topic that is in it. */
  delete(topic: Topic): void {
    const row = this.#rowOf(topic.hash)
    const first = this.#rows[row]
    if (first === topic) this.#rows[row] = topic.next
    else {
      let before = first
      while (before !== undefined && before.next !== topic) before = before.next
      if (before === undefined) return
      before.next = topic.next
    }
    topic.next = undefined // or it would keep those after it
    this.#size--
    if (this.#kept.has(topic.name)) this.#awaited++
    if (this.#size * SPARE < this.#rows.length && this.#rows.length > FEWEST) this.#join()
  }

  #put(topic: Topic): void {
    const row = this.#rowOf(topic.hash)
    topic.next = this.#rows[row]
    this.#rows[row] = topic
  }

  /** Makes one row more: it gets its part of the row that had both parts. */
  #split(): void {
    const from = this.#rows.length - this.#power
    this.#rows.push(undefined)
    if (this.#rows.length === 2 * this.#power) this.#power *= 2
    this.#putAgain(from)
  }

  /** Makes one row less. */
  #join(): void {
    const last = this.#rows.length - 1
    if (last < this.#power) this.#power /= 2
    let topic = this.#rows.pop()
    while (topic !== undefined) {
      const { next } = topic
      this.#put(topic)
      topic = next
    }
  }

  #putAgain(row: number): void {
    let topic = this.#rows[row]
    this.#rows[row] = undefined
    while (topic !== undefined) {
      const { next } = topic
      this.#put(topic)
      topic = next
    }
  }

  #rowOf(hash: number): number {
    const row = hash & (2 * this.#power - 1)
    return row < this.#rows.length ? row : hash & (this.#power - 1)
  }

  #hash(name: string): number {
    if (name === this.#last) return this.#lastHash
    let sum = Math.imul(name.length, secrets[LENGTH] ?? 0)
    for (let at = 0; at < name.length; at++) sum = (sum + Math.imul(name.charCodeAt(at), secrets[at] ?? 0)) | 0
    this.#last = name
    this.#lastHash = sum >>> SHIFT
    return this.#lastHash
  }
}
