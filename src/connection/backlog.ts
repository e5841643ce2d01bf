// What waits behind an unfinished message of a connection: encoded frames, in order. RFC 6455, section 5.4: the fragments
// of one message must not be interleaved with another's. What waits costs what it is long, not what it is many: short
// frames are copied together into blocks, and only long ones stay where they lie.
import { type Heap, OutOfMemory } from '../codec/codec.js'
import type { Budget, Holder } from '../payload/budget.js'
import type { FrameBuffer } from './encoder.js'
import { FIRST_BLOCK, LARGEST_BLOCK, LONGEST_COPIED, type Outgoing } from './outgoing.js'
import { Pinned } from './pinned.js'
import type { SharedMemory } from './sharedBlock.js'

export class Backlog implements FrameBuffer {
  /** Bytes of all frames that wait. */
  bytes = 0
  readonly #heap: Heap
  readonly #budget: Budget
  readonly #holder: Holder
  #waiting: Pinned[] = []
  /** Bytes in blocks of ours, since the last frame that stayed where it lay. */
  #copied = 0

  constructor(heap: Heap, budget: Budget, holder: Holder) {
    this.#heap = heap
    this.#budget = budget
    this.#holder = holder
  }

  /** Where a frame of at most `length` bytes may be built; `commit` must follow. Throws if there is no memory left. */
  reserve(length: number): number {
    const last = this.#waiting.at(-1)
    return last !== undefined && length <= last.room ? last.end : this.#addBlock(length)
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(_pointer: number, length: number): void {
    this.#waiting.at(-1)?.extend(length)
    this.#copied += length
    this.bytes += length
  }

  /** Takes frames that are encoded already. Throws if there is no memory left for a copy. */
  add(memory: SharedMemory, pointer: number, length: number): void {
    if (length > LONGEST_COPIED) return this.#share(memory, pointer, length)
    const target = this.reserve(length)
    this.#heap.codec.call.copy(target, pointer, length)
    this.commit(target, length)
  }

  /** The message under way has ended: all that waits follows it, and is never asked again whether it may. */
  moveTo(outgoing: Outgoing): void {
    const waiting = this.#takeAll()
    try {
      for (const frames of waiting) this.#move(frames, outgoing)
    } finally {
      this.#unpin(waiting)
    }
  }

  /** Without memory for a copy, it leaves from where it lies: it was accepted. */
  #move({ memory, pointer, length }: Pinned, outgoing: Outgoing): void {
    try {
      outgoing.addFrames(memory, pointer, length)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      outgoing.addShared(memory, pointer, length)
    }
  }

  /** The message under way will never end: what waits is given up. */
  drop(): void {
    this.#unpin(this.#takeAll())
  }

  #share(memory: SharedMemory, pointer: number, length: number): void {
    this.#waiting.push(new Pinned(this.#budget, this.#holder, memory, pointer, length, 0))
    this.#copied = 0
    this.bytes += length
  }

  /** Blocks grow with what they hold, by a quarter of it, so that what is held is never much more than that. */
  #addBlock(length: number): number {
    const size = Math.max(length, Math.min(this.#copied / 4, LARGEST_BLOCK), FIRST_BLOCK)
    const block = Pinned.block(this.#budget, this.#holder, this.#heap, Math.ceil(size), 0)
    this.#waiting.push(block)
    return block.pointer
  }

  #unpin(waiting: readonly Pinned[]): void {
    for (const frames of waiting) frames.unpin(this.#budget, this.#holder)
  }

  #takeAll(): Pinned[] {
    const waiting = this.#waiting
    this.#waiting = []
    this.#copied = this.bytes = 0
    return waiting
  }
}
