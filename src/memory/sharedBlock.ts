// A block of the codec's memory from which several may send: it is free when the last of them is done.
import { type Heap, OutOfMemory } from '../codec/codec.js'
import { type Block, sizeOfBlock } from '../codec/heap.js'
import { leadOf } from '../codec/pageOffset.js'
import type { Budget, Holder } from './budget.js'
import type { MemoryBook } from './holder.js'

/** Memory that several may send from: it lives as long as anyone retains it. */
export interface SharedMemory {
  /** Where it is no memory of the codec's: the bytes from `pointer` on, one view after the other. */
  views?(pointer: number, length: number): Uint8Array[]
  retain(): void
  release(): void
  /** Keeps the memory for output that waits to be written; returns the bytes of it that are the caller's share. */
  pin(book: MemoryBook): number
  unpin(): void
}

export class SharedBlock implements SharedMemory {
  /** Where the frames begin. */
  readonly pointer: number
  readonly #heap: Heap
  readonly #block: Block
  /** Its maker, this turn's frames, and each unfinished write. */
  #users = 1
  #pins = 0
  /** The book in which the block counts while it is pinned. */
  #book: MemoryBook | undefined

  constructor(heap: Heap, length: number) {
    this.#heap = heap
    const lead = leadOf(length)
    this.#block = heap.allocate(length + lead)
    this.pointer = this.#block.pointer + lead
  }

  /** A block for output of `holder`, if the budget admits it. Throws OutOfMemory if not, or where none is left. */
  static within(budget: Budget, holder: Holder, heap: Heap, length: number): SharedBlock {
    if (!budget.admits(holder, sizeOfBlock(length))) throw new OutOfMemory('the memory for output is spent')
    return new SharedBlock(heap, length)
  }

  /** Bytes of the heap that a block for `length` bytes holds. */
  static size(length: number): number {
    return sizeOfBlock(length)
  }

  /** Bytes it can take: those that were asked for, or some more. */
  get capacity(): number {
    return this.#block.pointer + this.#block.size - this.pointer
  }

  /** Bytes of the heap it holds. */
  get size(): number {
    return this.#block.size
  }

  /** Whether anybody but its maker needs it. */
  get pinned(): boolean {
    return this.#users > 1
  }

  retain(): void {
    this.#users++
  }

  release(): void {
    if (--this.#users === 0) this.#heap.free(this.#block)
  }

  /** The block counts once, however many it is pinned by; each of them answers for its part. */
  pin(book: MemoryBook): number {
    this.#users++
    if (++this.#pins === 1) {
      this.#book = book
      book.charge(this.size)
    }
    return Math.ceil(this.size / this.#pins)
  }

  unpin(): void {
    if (--this.#pins === 0) this.#book?.discharge(this.size)
    this.release()
  }
}
