// Frames that lie one after the other and wait to be written, and the memory that they lie in: it must stay until they
// are written, and counts against the budget meanwhile.
import type { Heap } from '../../codec/codec.js'
import type { Budget, Holder } from '../../memory/budget.js'
import { SharedBlock, type SharedMemory } from '../../memory/sharedBlock.js'

export class Pinned {
  pointer: number
  length: number
  /** Bytes after them in which more frames can be built. */
  room = 0
  readonly memory: SharedMemory
  /** Bytes that count as the holder's: its part of the memory, and those of objects. */
  readonly #share: number
  readonly #objects: number

  /** Pins the memory for `holder`; `objects` is what the objects around it cost, in bytes. `unpin` must follow. */
  constructor(budget: Budget, holder: Holder, memory: SharedMemory, pointer: number, length: number, objects: number) {
    this.pointer = pointer
    this.length = length
    this.memory = memory
    this.#objects = objects
    this.#share = Math.max(memory.pin(budget), length) + objects
    budget.attribute(holder, this.#share)
    budget.output += this.#share
    if (objects > 0) budget.charge(objects)
  }

  /** An empty block with room for `size` bytes or more. Throws OutOfMemory if the budget or the heap has none for it. */
  static block(budget: Budget, holder: Holder, heap: Heap, size: number, objects: number): Pinned {
    const memory = SharedBlock.within(budget, holder, heap, size)
    const pinned = new Pinned(budget, holder, memory, memory.pointer, 0, objects)
    memory.release() // only `pinned` needs it
    pinned.room = memory.capacity
    return pinned
  }

  /** Where the next frame is built, if there is room. */
  get end(): number {
    return this.pointer + this.length
  }

  /** A frame of `length` bytes was built at its end. */
  extend(length: number): void {
    this.length += length
    this.room -= length
  }

  /** It is written, or given up; with the budget and the holder that it was pinned for. */
  unpin(budget: Budget, holder: Holder): void {
    this.memory.unpin()
    budget.attribute(holder, -this.#share)
    budget.output -= this.#share
    if (this.#objects > 0) budget.discharge(this.#objects)
  }
}
