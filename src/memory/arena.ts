// Memory in which frames are built one after the other, turn after turn. What a write could not finish at once stays
// where it is, pinned, until it is done; the rest of the block goes on being used.
import { type Heap, OutOfMemory } from '../codec/codec.js'
import { SharedBlock } from './sharedBlock.js'

export class Arena {
  /** Where the next frame goes. */
  position: number
  readonly #heap: Heap
  #block: SharedBlock
  #end: number

  constructor(heap: Heap, length: number) {
    this.#heap = heap
    this.#block = new SharedBlock(heap, length)
    this.position = this.#block.pointer
    this.#end = this.position + this.#block.size
  }

  /** Most bytes that a block can take. */
  get capacity(): number {
    return this.#block.size
  }

  /** The block that the frames are in. Code that sends from it later must retain it. */
  get block(): SharedBlock {
    return this.#block
  }

  /** Whether `length` bytes have their place at `position`. */
  fits(length: number): boolean {
    return this.position + length <= this.#end
  }

  /** The turn is over: its frames are written, or pinned. */
  recycle(): void {
    if (!this.#block.pinned) this.position = this.#block.pointer
    else if (!this.fits(this.#block.size / 2)) this.tryChange()
  }

  /** Leaves the block to those who still need it. Throws OutOfMemory, and changes nothing, if there is no memory left. */
  change(): void {
    const next = new SharedBlock(this.#heap, this.#block.size)
    this.#block.release()
    this.#block = next
    this.position = this.#block.pointer
    this.#end = this.position + this.#block.size
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
