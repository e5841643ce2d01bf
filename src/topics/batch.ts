// What was published on a topic in a turn: frames, one after the other, that lie in one place until every subscriber has
// been sent them. If there are many subscribers, that takes several turns. A subscriber that is sent something else
// meanwhile gets its part of the batch first, so that it sees everything in order.
import { heapOfThread, OutOfMemory } from '../codec/codec.js'
import type { SendResult } from '../connection/connection.js'
import type { DeflatedForm } from '../connection/sending/deflatedForm.js'
import { DeflatedRow } from '../connection/sending/deflatedFrames.js'
import type { Subscriber } from '../connection/subscriber.js'
import type { SharedMemory } from '../memory/sharedBlock.js'
import { Tally } from '../metrics/tally.js'
import { Subscribers } from './subscribers.js'

/** From so many bytes on, frames are counted once for all subscribers. */
const LONG = 256
const MOST_TALLIES = 2

/** Frames that were looked at, and what they count as. */
interface TalliedFrames {
  readonly memory: SharedMemory
  readonly pointer: number
  readonly length: number
  readonly tally: Tally
}

/** Subscribers between two looks at the clock. */
const BETWEEN_LOOKS = 32

export class Topic {
  readonly name: string
  readonly subscribers = new Subscribers<Topic>()
  /** The table's own: the topic behind this one in its row, and the hash of its name. */
  next: Topic | undefined
  hash = 0

  constructor(name: string) {
    this.name = name
  }
}

export class Batch {
  readonly topic: Topic
  readonly #memory: SharedMemory
  readonly #start: number
  #end: number
  /** Where the batch begins for subscribers that have had a part of it, or came after a part of it was published. */
  #ahead: Map<Subscriber, number> | undefined
  #rest: Iterator<Subscriber> | undefined
  /** The same, compressed: a row for each threshold, below which messages are not. */
  #rows: DeflatedRow[] | undefined
  #tallies: TalliedFrames[] | undefined
  /** The number of the last subscriber that has been sent the batch. */
  #passed = 0

  /** The only message, if it is so long that it is compressed elsewhere. */
  readonly #form: DeflatedForm | undefined

  /** Keeps `memory`, and `form`, until `release`. Frames lie from `start` to `end`; more may follow, until it is sent. */
  constructor(topic: Topic, memory: SharedMemory, start: number, end: number, form?: DeflatedForm) {
    this.topic = topic
    this.#form = form
    form?.retain()
    this.#memory = memory
    this.#start = start
    this.#end = end
    memory.retain()
  }

  /** Where its last frame ends. */
  get end(): number {
    return this.#end
  }

  get length(): number {
    return this.#end - this.#start
  }

  /** Whether more frames may be added: the sweep over the subscribers has not begun. */
  get open(): boolean {
    return this.#rest === undefined
  }

  /** A frame follows the others, up to `end`. */
  extend(end: number): void {
    this.#end = end
  }

  /** The frames so far are not for this subscriber, or it has had them. */
  skip(subscriber: Subscriber): void {
    this.#ahead ??= new Map()
    this.#ahead.set(subscriber, this.#end)
  }

  /** Sends one subscriber the frames that it has not had, because something else is about to be sent to it. */
  catchUp(subscriber: Subscriber): void {
    const number = this.topic.subscribers.numberOf(subscriber)
    if (number === undefined || number <= this.#passed) return
    const from = this.#ahead?.get(subscriber) ?? this.#start
    this.skip(subscriber)
    this.#deliver(subscriber, from)
  }

  /** Sends the batch to all, or until `until`, in milliseconds of `performance.now()`; false if some have not had it. */
  deliver(until: number): boolean {
    const { subscribers } = this.topic
    this.#rest ??= subscribers[Symbol.iterator]()
    for (let count = 1; ; count++) {
      const { done, value: subscriber } = this.#rest.next()
      if (done === true) return true
      // Only where the sweep may be cut: nothing of the application's runs before that, so nobody catches up meanwhile.
      const number = count % BETWEEN_LOOKS === 0 ? subscribers.numberOf(subscriber) : undefined
      this.#deliver(subscriber, this.#ahead?.get(subscriber) ?? this.#start)
      if (count % BETWEEN_LOOKS !== 0) continue
      this.#passed = number ?? this.#passed
      if (performance.now() > until) return false
    }
  }

  release(): void {
    this.#memory.release()
    this.#form?.release()
    for (const row of this.#rows ?? []) row.release()
  }

  #deliver(subscriber: Subscriber, from: number): void {
    if (from >= this.#end) return
    const { sharedThreshold } = subscriber
    const long = this.#form
    if (long !== undefined && sharedThreshold !== undefined && long.byteLength >= sharedThreshold)
      return this.#told(subscriber, subscriber.deliverForm?.(long), from)
    const form = sharedThreshold === undefined ? undefined : this.#deflated(from, sharedThreshold)
    const { memory, pointer, length } = form ?? { memory: this.#memory, pointer: from, length: this.#end - from }
    const tally = length < LONG ? undefined : this.#tallyOf(memory, pointer, length)
    this.#told(subscriber, subscriber.deliver(memory, pointer, length, form, tally), from)
  }

  /** Has a subscriber know what was left out for it. */
  #told(subscriber: Subscriber, result: SendResult | undefined, from: number): void {
    if (result === 'dropped')
      subscriber.leftOut?.(this.topic.name, this.#tallyOf(this.#memory, from, this.#end - from).frames)
  }

  /** What these frames count as. Most subscribers are sent the same ones, or the same ones compressed. */
  #tallyOf(memory: SharedMemory, pointer: number, length: number): Tally {
    const known = this.#tallies?.find(
      (row) => row.memory === memory && row.pointer === pointer && row.length === length,
    )
    if (known !== undefined) return known.tally
    const tally = new Tally(heapOfThread().codec.bytes, pointer, pointer + length)
    this.#tallies = [{ memory, pointer, length, tally }, ...(this.#tallies ?? [])].slice(0, MOST_TALLIES)
    return tally
  }

  /** The frames from `from` on, each compressed once for all who take them so; undefined without memory for that. */
  #deflated(from: number, threshold: number) {
    try {
      return this.#row(threshold).frames(from, this.#end)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return undefined
    }
  }

  #row(threshold: number): DeflatedRow {
    this.#rows ??= []
    const known = this.#rows.find((row) => row.threshold === threshold)
    if (known !== undefined) return known
    const row = new DeflatedRow(heapOfThread(), this.#start, threshold)
    this.#rows.push(row)
    return row
  }
}
