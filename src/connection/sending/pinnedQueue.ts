// Frames of one connection that wait, in order, in pinned memory: in blocks of the connection's own, which grow with what
// waits, or where they lie already.
import type { Heap } from '../../codec/codec.js'
import { LONGEST_IN_PAGE } from '../../codec/pageOffset.js'
import type { Budget, Holder } from '../../memory/budget.js'
import type { SharedMemory } from '../../memory/sharedBlock.js'
import { Queue } from '../../time/queue.js'
import { Pinned } from './pinned.js'

/** Blocks for what waits: they grow from the one length to the other. */
const FIRST_BLOCK = 1024
const LARGEST_BLOCK = LONGEST_IN_PAGE

/** Where memory comes from, and where it counts. */
export interface PinnedQueueContext {
  readonly heap: Heap
  readonly budget: Budget
}

export class PinnedQueue {
  /** Bytes of all frames. */
  bytes = 0
  readonly #shared: PinnedQueueContext
  readonly #holder: Holder
  /** Bytes that the objects of one part of the queue cost. */
  readonly #objects: number
  readonly #parts = new Queue<Pinned>()
  /** Whether a part of the first entry has been taken already: the rest may begin amid a frame. */
  #begun = false

  constructor(shared: PinnedQueueContext, holder: Holder, objects: number) {
    this.#shared = shared
    this.#holder = holder
    this.#objects = objects
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0
  }

  /**
   * Where a frame of at most `length` bytes may be built; `commit` must follow. Where that needs a block, it has `wanted`
   * bytes, as far as that makes sense. Throws OutOfMemory.
   */
  reserve(length: number, wanted: number): number {
    const { last } = this.#parts
    if (last !== undefined && length <= last.room) return last.end
    const { budget, heap } = this.#shared
    const size = Math.max(length, Math.ceil(Math.min(wanted, LARGEST_BLOCK)), FIRST_BLOCK)
    const block = Pinned.block(budget, this.#holder, heap, size, this.#objects)
    this.#parts.push(block)
    return block.pointer
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(length: number): void {
    this.#parts.last?.extend(length)
    this.bytes += length
  }

  /** Takes frames where they lie. */
  add(memory: SharedMemory, pointer: number, length: number): void {
    this.#parts.push(this.pin(memory, pointer, length))
    this.bytes += length
  }

  /** What comes first; of more than `most` bytes, the first part, whose memory it pins for itself. */
  next(most: number): Pinned | undefined {
    const { first } = this.#parts
    if (first === undefined) return undefined
    this.#begun = first.length > most
    const part = this.#begun ? this.#split(first, most) : this.#parts.shift()
    this.bytes -= part?.length ?? 0
    return part
  }

  #split(first: Pinned, length: number): Pinned {
    const part = this.pin(first.memory, first.pointer, length)
    first.pointer += length
    first.length -= length
    return part
  }

  /** Takes all. */
  takeAll(): readonly Pinned[] {
    this.bytes = 0
    this.#begun = false
    return this.#parts.clear()
  }

  /** Drops all but the rest of an entry that was taken in part, which may be the end of a frame. */
  drop(): void {
    const rest = this.#begun ? this.#parts.shift() : undefined
    this.free()
    if (rest === undefined) return
    this.#parts.push(rest)
    this.#begun = true
    this.bytes = rest.length
  }

  /** Drops all, and releases the memory. */
  free(): void {
    for (const part of this.takeAll()) this.unpin(part)
  }

  /** Pins memory as that of the queue is. */
  pin(memory: SharedMemory, pointer: number, length: number): Pinned {
    return new Pinned(this.#shared.budget, this.#holder, memory, pointer, length, this.#objects)
  }

  /** What was taken from the queue is written, or given up. */
  unpin(part: Pinned): void {
    part.unpin(this.#shared.budget, this.#holder)
  }
}
