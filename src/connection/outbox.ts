// The outbox of one thread: the memory in which the frames of a turn are built, whoever they are for, and the list of
// those who have something to write.
import { type Heap, heapOfThread } from '../codec/codec.js'
import { Arena } from './arena.js'

/** Whoever writes from the outbox. */
export interface Writer {
  /** Writes what it has, as far as its transport takes it. */
  flush(): void
}

/** Holds the frames of a whole inbox's worth of echoes. */
const BLOCK_LENGTH = 256 * 1024 + 16 * 1024

export class Outbox extends Arena {
  /** The turn is over: what is sent now may be written at once. */
  flushing = false
  readonly #dirty: (Writer | undefined)[] = []
  #listed = 0
  #depth = 0
  #scheduled = false

  constructor(heap: Heap) {
    super(heap, BLOCK_LENGTH)
  }

  /** Makes sure that `length` bytes fit at `position`, writing out or changing the block if it must. */
  reserve(length: number): void {
    if (this.fits(length)) return
    this.#flushAll()
    if (!this.fits(length)) this.change()
  }

  /** Puts a writer on the list; it is flushed at the end of the turn, or in a microtask outside of one. */
  add(writer: Writer): void {
    this.#dirty[this.#listed++] = writer
    if (this.#depth > 0 || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flushAll()
    })
  }

  /** Runs one turn: everything sent in `work` leaves when it is done, in one write a connection. */
  enter(): void {
    this.#depth++
  }

  leave(): void {
    if (--this.#depth === 0 && this.#listed > 0) this.#flushAll()
  }

  #flushAll(): void {
    const dirty = this.#dirty
    this.flushing = true
    // A flush may put others on the list: they follow. The array keeps its length, so it need not grow again.
    for (let at = 0; at < this.#listed; at++) {
      const writer = dirty[at]
      dirty[at] = undefined
      writer?.flush()
    }
    this.flushing = false
    this.#listed = 0
    this.recycle()
  }
}

let outbox: Outbox | undefined

/** The outbox of this thread, made on first use. */
export function outboxOfThread(): Outbox {
  outbox ??= new Outbox(heapOfThread())
  return outbox
}
