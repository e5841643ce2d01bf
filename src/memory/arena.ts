// Memory in which frames are built one after the other, turn after turn. What a write could not finish at once stays
// where it is, pinned, until it is done; the rest of the block goes on being used.
import { type Heap, OutOfMemory } from '../codec/codec.js'
import { SharedBlock } from './sharedBlock.js'

/** In the place of a builder. An object, as V8 compares two objects without a call, and an object with undefined with one. */
export const NOBODY: object = {}

export class Arena {
  /** Where the next frame goes. */
  position: number
  /** Whose frames end there, as long as that is certain: whoever it is may go on without further questions. */
  builder: object = NOBODY
  readonly #heap: Heap
  #block: SharedBlock
  #end: number

  constructor(heap: Heap, length: number) {
    this.#heap = heap
    this.#block = new SharedBlock(heap, length)
    this.position = this.#block.pointer
    this.#end = this.position + this.#block.capacity
  }

  /** Most bytes that a block can take. */
  get capacity(): number {
    return this.#block.capacity
  }

  /** The block that the frames are in. Code that sends from it later must retain it. */
  get block(): SharedBlock {
    return this.#block
  }

  /** Whether `length` bytes have their place at `position`. */
  fits(length: number): boolean {
    return this.position + length <= this.#end
  }

  /** What was built in a block at `pointer` is written: if it is what was built last, the next frame has its place. */
  takeBack(block: SharedBlock, pointer: number, length: number): void {
    if (block === this.#block && pointer + length === this.position) this.position = pointer
  }

  /** The turn is over: its frames are written, or pinned. */
  recycle(): void {
    this.builder = NOBODY
    if (!this.#block.pinned) this.position = this.#block.pointer
    else if (!this.fits(this.#block.capacity / 2)) this.tryChange()
  }

  /** Leaves the block to those who still need it. Throws OutOfMemory, and changes nothing, if there is no memory left. */
  change(): void {
    const next = new SharedBlock(this.#heap, this.#block.capacity)
    this.#block.release()
    this.#block = next
    this.builder = NOBODY
    this.position = this.#block.pointer
    this.#end = this.position + this.#block.capacity
  }

  /** Changes to another block. False without memory for one: then this block serves until it is full. */
  tryChange(): boolean {
    try {
      this.change()
      return true
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      return false
    }
  }

  /** Nothing more is built here. */
  free(): void {
    this.#block.release()
  }
}
