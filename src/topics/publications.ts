// What has been published and not sent to all of its subscribers yet: batches, in the order in which they were said. A
// batch is sent when the turn ends, to as many as fit into a slice of time; the rest, and what is published meanwhile,
// follows in turns of its own.
import type { Heap } from '../codec/codec.js'
import { LONGEST_IN_PAGE } from '../codec/pageOffset.js'
import type { Sendable } from '../connection/connection.js'
import { DeflatedForm } from '../connection/sending/deflatedForm.js'
import type { Encoder, FrameBuffer } from '../connection/sending/encoder.js'
import { PreparedMessage, prepare, preparedInternals } from '../connection/sending/prepared.js'
import { encode } from '../connection/sending/sendable.js'
import type { Subscriber } from '../connection/subscriber.js'
import type { Turn, Writer } from '../connection/turn.js'
import { Arena } from '../memory/arena.js'
import { Queue } from '../time/queue.js'
import { Batch, type Topic } from './batch.js'
import type { Keep } from './topicHistory.js'

/** Holds a turn's publications; longer ones are sent from memory of their own. */
const BATCH_LENGTH = LONGEST_IN_PAGE

/** The most that may wait to be sent. If more is published, the oldest batches are sent to all at once. */
const MOST_BATCHES = 256
const MOST_BYTES = 4 * 1024 * 1024

/** From this part of the most on, each further publication has a share of the oldest batches sent at once. */
const MANY = 1 / 4

/** Milliseconds that sending takes before others have a turn. */
const SHARE = 4

/** Milliseconds of sending for each further publication, and for all of them in one turn, which counts towards `SHARE`. */
const SHORT_SHARE = 0.25
const SHORT_SHARES = 2

export class Publications implements Writer, FrameBuffer {
  readonly #encoder: Encoder
  readonly #heap: Heap
  readonly #turn: Turn
  #arena: Arena | undefined
  readonly #batches = new Queue<Batch>()
  /** Bytes of all batches. */
  #bytes = 0
  /** Milliseconds that have been spent on short shares since the last flush. */
  #spent = 0
  /** Asked to be flushed at the end of this turn, or of one of its own. */
  #listed = false

  constructor(encoder: Encoder, heap: Heap, turn: Turn) {
    this.#encoder = encoder
    this.#heap = heap
    this.#turn = turn
  }

  /** Whether anything waits to be sent. */
  get pending(): boolean {
    return this.#batches.length > 0
  }

  /** Publishes what has at most `most` bytes as a frame to all subscribers but `except`. Throws OutOfMemory. */
  publish(topic: Topic, data: Sendable, most: number, except?: Subscriber, keep?: Keep): void {
    if (most > BATCH_LENGTH) this.#publishAlone(topic, data, except, keep)
    else {
      if (except !== undefined) this.catchUp(except)
      const batch = this.#batchFor(topic, most)
      encode(this.#encoder, this, data)
      const { block, position } = this.#memory
      keep?.(block, block.size, batch.end, position - batch.end)
      this.#bytes += this.#memory.position - batch.end
      batch.extend(this.#memory.position)
      if (except !== undefined && topic.subscribers.has(except)) batch.skip(except)
    }
    this.#list()
  }

  /** Sends one subscriber what waits for it, because something else is about to be sent to it. */
  catchUp(subscriber: Subscriber): void {
    for (const batch of this.#batches) batch.catchUp(subscriber)
  }

  /** A subscriber comes now: what waits was published before, and is not for it. */
  skip(topic: Topic, subscriber: Subscriber): void {
    for (const batch of this.#batches) if (batch.topic === topic) batch.skip(subscriber)
  }

  /** Nobody subscribes to anything: drops what waits, and releases the memory. */
  drop(): void {
    for (const batch of this.#batches.clear()) batch.release()
    this.#bytes = 0
    this.#arena?.free()
    this.#arena = undefined
  }

  /** Where the next frame of the batch is built (FrameBuffer). */
  reserve(): number {
    return this.#memory.position
  }

  commit(pointer: number, length: number): void {
    this.#memory.position = pointer + length
  }

  /** The turn is over (Writer). */
  flush(): void {
    this.#listed = false
    const until = performance.now() + SHARE - this.#spent
    this.#spent = 0
    if (this.#deliver(until)) this.#arena?.recycle()
    else {
      this.#listed = true
      this.#turn.addLater(this)
    }
  }

  /** A long message leaves from where it lies. */
  #publishAlone(topic: Topic, data: Sendable, except: Subscriber | undefined, keep: Keep | undefined): void {
    const message = data instanceof PreparedMessage ? data : prepare(data)
    const { memory, length } = preparedInternals.frame(message)
    const form = DeflatedForm.isFor(message.byteLength) ? preparedInternals.form(message) : undefined
    const batch = new Batch(topic, memory, memory.pointer, memory.pointer + length, form)
    if (except !== undefined) batch.skip(except)
    keep?.(memory, length, memory.pointer, length)
    if (message !== data) message.release() // the batch has its memory
    this.#put(batch)
    this.#bytes += length
  }

  /** The batch of this topic that was begun last, with room for `most` bytes more. */
  #batchFor(topic: Topic, most: number): Batch {
    const arena = this.#memory
    const { last } = this.#batches
    if (last?.topic === topic && last.open && last.end === arena.position && arena.fits(most)) return last
    if (!arena.fits(most)) arena.change()
    const batch = new Batch(topic, arena.block, arena.position, arena.position)
    this.#put(batch)
    return batch
  }

  #put(batch: Batch): void {
    if (this.#full >= MANY) this.#makeRoom()
    this.#batches.push(batch)
  }

  /** Which part of the most that may wait is used. */
  get #full(): number {
    return Math.max(this.#batches.length / MOST_BATCHES, this.#bytes / MOST_BYTES)
  }

  /** Much waits: a share of it is sent now, unless the turn has had its part, and publishers are told to slow down. */
  #makeRoom(): void {
    this.#turn.strain()
    const began = performance.now()
    if (this.#spent < SHORT_SHARES) this.#deliver(began + SHORT_SHARE)
    while (this.#full >= 1) {
      this.#batches.first?.deliver(Infinity)
      this.#dropFirst()
    }
    this.#spent += performance.now() - began
  }

  /** Sends what waits until `until`, in milliseconds of `performance.now()`; false if some batches are left. */
  #deliver(until: number): boolean {
    for (let batch = this.#batches.first; batch !== undefined; batch = this.#batches.first) {
      if (!batch.deliver(until)) return false
      this.#dropFirst()
    }
    return true
  }

  #dropFirst(): void {
    const batch = this.#batches.shift()
    if (batch === undefined) return
    this.#bytes -= batch.length
    batch.release()
  }

  #list(): void {
    if (this.#listed) return
    this.#listed = true
    this.#turn.add(this)
  }

  get #memory(): Arena {
    this.#arena ??= new Arena(this.#heap, BATCH_LENGTH)
    return this.#arena
  }
}
