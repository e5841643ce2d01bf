// The engine of `level: 'best'`: zlib, with a window that lies in the codec's memory.
import type { BestTask } from './codecTask.js'
import type { DeflateEngine } from './deflateEngine.js'
import { type Heap, sizeOfFixed } from './heap.js'
import { zlibBound, zlibDeflate } from './zlibDeflate.js'

/** zlib has no window of 2^8 bytes for streams without a header. */
export const LEAST_BEST_BITS = 9

/** The most bytes of the heap that it holds. */
export function mostBestBytes(windowBits: number): number {
  return sizeOfFixed(2 ** windowBits)
}

export class BestDeflater implements DeflateEngine {
  readonly heap: Heap
  readonly #windowBits: number
  /** The address of its window. */
  readonly #window: number
  /** Bytes of the window: its last ones are the latest. */
  #filled = 0
  #written = 0

  /** `windowBits` is 9 to 15. Throws OutOfMemory if there is no room. */
  constructor(heap: Heap, windowBits: number) {
    this.heap = heap
    this.#windowBits = windowBits
    this.#window = heap.allocateFixed(2 ** windowBits)
  }

  get size(): number {
    return mostBestBytes(this.#windowBits)
  }

  get written(): number {
    return this.#written
  }

  bound(length: number): number {
    return zlibBound(length)
  }

  deflate(from: number, length: number, to: number, room: number, last: boolean): number {
    this.#written = zlibDeflate(this.heap.codec.bytes, this.task(from, length, to, room, last))
    this.done(from, length)
    return 0
  }

  forget(): void {
    this.#filled = 0
  }

  fork(): BestDeflater {
    const copy = new BestDeflater(this.heap, this.#windowBits)
    copy.done(this.#window, this.#filled)
    return copy
  }

  adopt(copy: BestDeflater): void {
    this.forget()
    this.done(copy.#window, copy.#filled)
    copy.free()
  }

  task(from: number, length: number, to: number, room: number, last: boolean): BestTask {
    const place = { windowBits: this.#windowBits, window: this.#window, filled: this.#filled }
    return { kind: 'best', ...place, from, length, to, room, last }
  }

  /** Keeps the last bytes of what was compressed, behind as many of the window as have room. */
  done(from: number, length: number): void {
    const { call } = this.heap.codec
    const most = 2 ** this.#windowBits
    const pointer = this.#window
    const added = Math.min(length, most)
    const kept = Math.min(this.#filled, most - added)
    if (kept > 0 && kept < this.#filled) call.copy(pointer, pointer + this.#filled - kept, kept)
    call.copy(pointer + kept, from + length - added, added)
    this.#filled = kept + added
  }

  free(): void {
    this.heap.freeFixed(this.#window, 2 ** this.#windowBits)
  }
}
