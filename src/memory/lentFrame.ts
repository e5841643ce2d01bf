// A frame whose payload lies in memory of the application's, which has lent it until the frame has left: it is written from
// there, behind a header of its own.
import type { MemoryBook } from './holder.js'
import type { SharedMemory } from './sharedBlock.js'

export class LentFrame implements SharedMemory {
  readonly #header: Uint8Array
  readonly #payload: Uint8Array

  constructor(header: Uint8Array, payload: Uint8Array) {
    this.#header = header
    this.#payload = payload
  }

  /** Bytes of the frame. */
  get length(): number {
    return this.#header.length + this.#payload.length
  }

  /** The bytes from `start` on, counted from the header's first. */
  views(start: number, length: number): Uint8Array[] {
    if (length === this.length) return [this.#header, this.#payload]
    const header = this.#header.subarray(start, start + length)
    const from = Math.max(start - this.#header.length, 0)
    const payload = this.#payload.subarray(from, from + length - header.length)
    return [header, payload].filter((view) => view.length > 0)
  }

  // It is nobody's memory here: the collector frees it when no write needs it any more.
  retain(): void {}
  release(): void {}
  unpin(): void {}
  pin(_book: MemoryBook): number {
    return 0
  }
}
