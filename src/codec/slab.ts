// A page of small blocks of one size. It knows of each of them whether it is held, so that none is freed twice: the
// memory of two connections would be the same from then on.
import { PAGE } from './instance.js'

/** HELD marks a block that is held; NONE stands for the successor of the last block that is free again. */
const HELD = -1
const NONE = -2

export class Slab {
  /** The size of each block. */
  readonly size: number
  /** The page, by its number. */
  readonly page: number
  /** How many blocks are free. */
  free: number
  /** Its place among the slabs that have free blocks. */
  place = 0
  readonly #blocks: number
  /** For each block that was ever taken: HELD or, if the block is free again, the block that was freed before it. */
  readonly #state: number[] = []
  /** The block that was freed last. */
  #freed = NONE

  constructor(size: number, page: number) {
    this.size = size
    this.page = page
    this.#blocks = Math.floor(PAGE / size)
    this.free = this.#blocks
  }

  get empty(): boolean {
    return this.free === this.#blocks
  }

  /** Takes the block that was freed last or, without one, the lowest that was never taken. There must be a free block. */
  take(): number {
    const state = this.#state
    let block = this.#freed
    if (block === NONE) {
      block = state.push(HELD) - 1
    } else {
      this.#freed = state[block] ?? NONE
      state[block] = HELD
    }
    this.free--
    return this.page * PAGE + block * this.size
  }

  /** Takes a block back. Throws an Error and changes nothing if no block that is held begins there. */
  release(pointer: number): void {
    const block = (pointer - this.page * PAGE) / this.size
    if (this.#state[block] !== HELD) throw new Error(`a block was freed twice, or none begins at ${pointer}`)
    this.#state[block] = this.#freed
    this.#freed = block
    this.free++
  }
}
