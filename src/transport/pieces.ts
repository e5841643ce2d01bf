// What is left of a write whose memory must not be lent: it is copied out, a piece at a time.
import { Buffer } from 'node:buffer'
import { codecOfThread } from '../codec/codec.js'

/** Bytes of a piece, unless it is the last. */
export const PIECE = 16 * 1024

/** Shorter pieces lie in memory that Node shares among buffers anyway. */
const SHORT = 4 * 1024

/** Memory of pieces that is free again, and the most that is kept of it: a new one lies outside of the heap. */
const spare: Buffer[] = []
const MOST_SPARE = 64

function memoryFor(length: number): Buffer {
  if (length <= SHORT) return Buffer.allocUnsafe(length)
  const memory = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE)
  return length === PIECE ? memory : memory.subarray(0, length)
}

/** The memory of a piece is needed no more: nobody may look at it. */
export function reuse(piece: Buffer): void {
  if (piece.length > SHORT && spare.length < MOST_SPARE) spare.push(wholeOf(piece))
}

function wholeOf(piece: Buffer): Buffer {
  return piece.length === PIECE ? piece : Buffer.from(piece.buffer, 0, PIECE)
}

export class Pieces {
  /** Bytes that have not been taken. */
  left = 0
  #pointer = 0
  /** Where they lie in views, the first of these, and how much of that has been taken. */
  #views: readonly Uint8Array[] | undefined
  #first = 0
  #taken = 0

  /** Bytes of the codec's memory. */
  ofMemory(pointer: number, length: number): void {
    this.left = length
    this.#pointer = pointer
    this.#views = undefined
  }

  ofViews(views: readonly Uint8Array[]): void {
    this.left = views.reduce((length, view) => length + view.length, 0)
    this.#views = views
    this.#first = this.#taken = 0
  }

  drop(): void {
    this.left = 0
    this.#views = undefined
  }

  /** Takes the next piece. */
  next(): Buffer {
    const length = Math.min(this.left, PIECE)
    const piece = memoryFor(length)
    this.left -= length
    if (this.#views === undefined) {
      codecOfThread().read(this.#pointer, piece)
      this.#pointer += length
    } else this.#copy(this.#views, piece)
    return piece
  }

  #copy(views: readonly Uint8Array[], piece: Buffer): void {
    for (let at = 0; at < piece.length; ) {
      const view = views[this.#first]
      if (view === undefined) return
      const part = view.subarray(this.#taken, this.#taken + piece.length - at)
      piece.set(part, at)
      at += part.length
      this.#taken += part.length
      if (this.#taken < view.length) continue
      this.#first++
      this.#taken = 0
    }
    if (this.left === 0) this.#views = undefined
  }
}
