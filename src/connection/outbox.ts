// The outbox of one thread: the block in which the frames of a turn are built, whoever they are for, and the list of
// connections that have something to write. What a write could not finish at once stays where it is, pinned, until
// it is done; the rest of the block goes on being used.
import { type Heap, heapOfThread } from '../codec/codec.js'
import type { Block } from '../codec/heap.js'

/** Whoever writes from the outbox. */
export interface Writer {
  /** Writes what it has, as far as its transport takes it. */
  flush(): void
}

/** Holds the frames of a whole inbox's worth of echoes. */
const BLOCK_LENGTH = 256 * 1024 + 16 * 1024

/** A block and the number of unfinished writes that point into it. */
class OutboxBlock {
  readonly block: Block
  readonly #heap: Heap
  /** The outbox itself, and each unfinished write. */
  #users = 1

  constructor(heap: Heap) {
    this.#heap = heap
    this.block = heap.allocate(BLOCK_LENGTH)
  }

  get pinned(): boolean {
    return this.#users > 1
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#heap.free(this.block)
  }
}

export class Outbox {
  readonly #heap: Heap
  #current: OutboxBlock
  /** Where the next frame goes, and where the current turn's frames begin. */
  position: number
  #end: number
  readonly #dirty: (Writer | undefined)[] = []
  #listed = 0
  #depth = 0
  #scheduled = false

  constructor(heap: Heap) {
    this.#heap = heap
    this.#current = new OutboxBlock(heap)
    this.position = this.#current.block.pointer
    this.#end = this.position + this.#current.block.size
  }

  /** Most bytes that a block can take. */
  get capacity(): number {
    return this.#current.block.size
  }

  /** Makes sure that `length` bytes fit at `position`, writing out or changing the block if it must. */
  reserve(length: number): void {
    if (this.position + length <= this.#end) return
    this.#flushAll()
    if (this.position + length > this.#end) this.#change()
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

  /** An unfinished write points into the current block; it must release what it gets. */
  pin(): { release(): void } {
    this.#current.retain()
    return this.#current
  }

  #flushAll(): void {
    const dirty = this.#dirty
    // A flush may put others on the list: they follow. The array keeps its length, so it need not grow again.
    for (let at = 0; at < this.#listed; at++) {
      const writer = dirty[at]
      dirty[at] = undefined
      writer?.flush()
    }
    this.#listed = 0
    if (!this.#current.pinned) this.position = this.#current.block.pointer
    else if (this.position > this.#end - this.#current.block.size / 2) this.#change()
  }

  /** Leaves the block to the writes that still need it. */
  #change(): void {
    this.#current.release()
    this.#current = new OutboxBlock(this.#heap)
    this.position = this.#current.block.pointer
    this.#end = this.position + this.#current.block.size
  }
}

let outbox: Outbox | undefined

/** The outbox of this thread, made on first use. */
export function outboxOfThread(): Outbox {
  outbox ??= new Outbox(heapOfThread())
  return outbox
}
