// Deflates messages for one peer with context takeover, or for any number of peers without it (RFC 7692, section 7.2.1).
import type { FastTask } from './codecTask.js'
import type { Compression } from './compression.js'
import {
  DEFLATE_DONE,
  DEFLATE_LEAST_ROOM,
  DEFLATE_ROOM,
  DEFLATER_BYTES,
  MOST_WINDOW_BITS,
} from './deflate.generated.js'
import type { DeflateEngine } from './deflateEngine.js'
import { type Heap, sizeOfFixed } from './heap.js'

/** How a call of `deflate` ended, and the room with which a call does something; see there. */
export { DEFLATE_DONE, DEFLATE_LEAST_ROOM, DEFLATE_ROOM }

/** The window with which a deflater begins that may have a larger one: its state takes 1 KiB. */
const FIRST_BITS = 8

/** The most bytes of the heap that the deflater of a window holds. */
export function mostDeflaterBytes(windowBits: number): number {
  if (windowBits <= 12) return windowBits <= 10 ? 4 * 2 ** windowBits : DEFLATER_BYTES
  return windowBits < MOST_WINDOW_BITS ? 32_768 : 65_536
}

export class Deflater implements DeflateEngine {
  readonly #compression: Compression
  readonly #windowBits: number
  #bits: number
  /** The address of its state. */
  #state: number
  /** Bytes that the state has seen, up to those of its window. */
  #seen = 0

  /**
   * `windowBits` is the window that it may use, 8 to 15; more than 12 gains little and costs much: it takes 10.6 KiB of
   * memory with 12, 32 with 14, and 64 with 15, once as many bytes were deflated. `bits` is the one with which it begins.
   * Throws OutOfMemory if there is no room.
   */
  constructor(compression: Compression, windowBits: number, bits: number = Math.min(windowBits, FIRST_BITS)) {
    this.#compression = compression
    this.#windowBits = windowBits
    this.#bits = bits
    this.#state = this.#start(bits)
  }

  /** Where its memory comes from. */
  get heap(): Heap {
    return this.#compression.heap
  }

  /** Bytes of the heap that it holds. */
  get size(): number {
    return sizeOfFixed(this.#stateBytes)
  }

  /** Bytes of the input that the last call of `deflate` has consumed. */
  get consumed(): number {
    return this.#compression.consumed
  }

  /** Bytes that it has written. */
  get written(): number {
    return this.#compression.written
  }

  /** Bytes of room with which a call takes `length` bytes in one go, whatever they are. */
  bound(length: number): number {
    return this.#compression.call.deflateBound(length)
  }

  /**
   * Deflates the next `length` bytes of a message, from `from` to at most `room` bytes at `to`; `last` says that the message
   * ends with them, where its end is written but for the 00 00 ff ff that section 7.2.1 leaves out. Returns DEFLATE_DONE,
   * or DEFLATE_ROOM if the room is too small for all: call again with what is not consumed, even if that is nothing. A
   * call with less room than DEFLATE_LEAST_ROOM may do nothing. Throws OutOfMemory, before anything is done, if the
   * window can't grow; the same call may be made again.
   */
  deflate(from: number, length: number, to: number, room: number, last: boolean): number {
    if (this.#bits < this.#windowBits) this.#use(length)
    return this.#compression.call.deflate(this.#state, from, length, to, room, last ? 1 : 0)
  }

  /** Between messages: what follows does not refer to what came before (section 7.1.1.1). */
  forget(): void {
    this.#compression.call.deflateForget(this.#state)
    this.#seen = 0
  }

  /** A copy that goes on from here, with all of the window that it may have. Throws OutOfMemory. */
  fork(): Deflater {
    const copy = new Deflater(this.#compression, this.#windowBits, this.#windowBits)
    this.#compression.call.deflateTakeOver(copy.#state, this.#state)
    return copy
  }

  /** Goes on from where a copy has come to; the copy is gone. */
  adopt(copy: Deflater): void {
    this.free()
    this.#state = copy.#state
    this.#bits = copy.#bits
  }

  /** The same as a call of `deflate` for another thread. The window must not have to grow: this must be a copy. */
  task(from: number, length: number, to: number, room: number, last: boolean): FastTask {
    return { kind: 'fast', state: this.#state, from, length, to, room, last }
  }

  /** There is nothing to do once another thread has done that: all that it changed is the state. */
  done(): void {}

  /** Gives its memory back; nothing must be deflated after this. */
  free(): void {
    this.#compression.heap.freeFixed(this.#state, this.#stateBytes)
  }

  get #stateBytes(): number {
    return this.#compression.call.deflaterBytes(this.#bits)
  }

  #start(bits: number): number {
    const { heap, call } = this.#compression
    const state = heap.allocateFixed(call.deflaterBytes(bits))
    call.deflateStart(state, bits)
    return state
  }

  /** Takes a larger window once more is to be deflated than the present one reaches. */
  #use(length: number): void {
    const seen = this.#seen + length
    if (seen > 2 ** this.#bits) {
      const state = this.#start(this.#windowBits)
      this.#compression.call.deflateTakeOver(state, this.#state)
      this.free()
      this.#state = state
      this.#bits = this.#windowBits
    }
    this.#seen = seen
  }
}
