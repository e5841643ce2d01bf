// A block of the codec's memory from which several may send: it is free when the last of them is done.
import type { Heap } from '../codec/codec.js'
import type { Block } from '../codec/heap.js'

/** Memory that several may send from: it lives as long as anyone retains it. */
export interface SharedMemory {
  retain(): void
  release(): void
}

export class SharedBlock implements SharedMemory {
  readonly #heap: Heap
  readonly #block: Block
  /** Whoever made it, and each unfinished write. */
  #users = 1

  constructor(heap: Heap, length: number) {
    this.#heap = heap
    this.#block = heap.allocate(length)
  }

  get pointer(): number {
    return this.#block.pointer
  }

  /** Bytes it can take: those that were asked for, or some more. */
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
}
