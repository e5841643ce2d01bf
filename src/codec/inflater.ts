// Inflates the messages of one peer (RFC 7692, section 7.2.2). Its window grows as it is used.
import { Buffer } from 'node:buffer'
import type { InflateTask } from './codecTask.js'
import type { Compression } from './compression.js'
import { corruptionText } from './corruption.js'
import {
  INFLATE_CORRUPT,
  INFLATE_LIMIT,
  INFLATE_MORE,
  INFLATE_ROOM,
  INFLATER_INDEX,
  INFLATER_SIZE,
} from './deflate.generated.js'
import { type Heap, sizeOfFixed } from './heap.js'

/** How a call of `inflate` ended; see there. */
export { INFLATE_CORRUPT, INFLATE_LIMIT, INFLATE_MORE, INFLATE_ROOM }

/** The sizes of the window while it grows, as powers of two: those of the heap's blocks. */
const STEPS = [10, 12, 14, 15] as const

/** The most bytes of the heap that the inflater of a window holds. */
export function mostInflaterBytes(windowBits: number): number {
  return INFLATER_SIZE + 2 ** (STEPS.find((step) => step >= windowBits) ?? windowBits)
}

export class Inflater {
  readonly #compression: Compression
  #windowBits: number
  /** The address of its state, 0 once that is freed; and that of its window, 0 while there is none. */
  #state: number
  #window = 0
  #stepBits = 0

  /**
   * `windowBits` is what was negotiated for the peer, 8 to 15: it refers to no more than the last 2^windowBits bytes. It
   * takes half a KiB, and no window before the first message is kept. Throws OutOfMemory if there is no room.
   */
  constructor(compression: Compression, windowBits: number) {
    this.#compression = compression
    this.#windowBits = windowBits
    this.#state = compression.heap.allocateFixed(INFLATER_SIZE)
    compression.call.inflateStart(this.#state, windowBits)
  }

  /** Where its memory comes from. */
  get heap(): Heap {
    return this.#compression.heap
  }

  /** Whether it may begin anew: it is not freed, and has kept nothing. */
  get fresh(): boolean {
    return this.#state !== 0 && this.#window === 0
  }

  /** Begins anew, as if for another peer. It must be fresh. */
  restart(windowBits: number): void {
    this.#windowBits = windowBits
    this.#compression.call.inflateStart(this.#state, windowBits)
  }

  /** Bytes of the heap that it holds. */
  get size(): number {
    return INFLATER_SIZE + (this.#window === 0 ? 0 : sizeOfFixed(2 ** this.#stepBits))
  }

  /** Bytes of the input that the last call of `inflate` has consumed. */
  get consumed(): number {
    return this.#compression.consumed
  }

  /** Bytes that it has written. If the message is text, the UTF-8 of these is to be validated now, while they are at hand. */
  get written(): number {
    return this.#compression.written
  }

  /**
   * Inflates the next `length` bytes of a message, which lie at `from`, to at most `room` bytes at `to`. What this message
   * has written before and nobody has kept lies from `base` to `to`, which are the same if that is nothing. The message may
   * have `limit` bytes in all. Addresses are those of the codec's memory, lengths are in bytes.
   *
   * Returns INFLATE_MORE once all are consumed and everything is written; INFLATE_ROOM if more room is needed: grow it, and
   * call again with what is not consumed, even if that is nothing; INFLATE_LIMIT if the message is longer than the limit;
   * INFLATE_CORRUPT if it is no DEFLATE. After the last two, nothing more can be inflated.
   */
  inflate(from: number, length: number, base: number, to: number, room: number, limit: number): number {
    return this.#compression.call.inflate(this.#state, from, length, base, to, room, limit)
  }

  /** The same as a call of `inflate` for another thread; `text` is left out. The state must stay until that has done it. */
  task(from: number, length: number, base: number, to: number, room: number, limit: number): Omit<InflateTask, 'text'> {
    return { kind: 'inflate', state: this.#state, from, length, base, to, room, limit }
  }

  /** The state as it is, for `restore`, if what happens to it may have to be undone. Nothing must be kept meanwhile. */
  save(): Buffer {
    const copy = Buffer.allocUnsafe(INFLATER_SIZE)
    this.#compression.heap.codec.read(this.#state, copy)
    return copy
  }

  restore(saved: Buffer): void {
    this.#compression.heap.codec.write(this.#state, saved)
  }

  /** After INFLATE_CORRUPT, or an end where none may be: why it is no DEFLATE. */
  get corruption(): string {
    return corruptionText(this.#compression.heap.codec.bytes.readUInt32LE(this.#state + INFLATER_INDEX))
  }

  /** Ends the message. False if it ends where none may: it is corrupt. */
  end(): boolean {
    return this.#compression.call.inflateEnd(this.#state) !== 0
  }

  /**
   * Keeps bytes that were written, because later ones may refer to them and they will not lie between `base` and `to`: a
   * message with context takeover, or a piece of one that is handed on. Throws OutOfMemory if the window can't grow.
   */
  keep(from: number, length: number): void {
    const { call } = this.#compression
    if (length === 0) return
    const bits = call.inflateRingBits(this.#state, length)
    if (bits > this.#stepBits || this.#window === 0) this.#grow(bits)
    call.inflateKeep(this.#state, from, length)
  }

  /** Between messages: forgets what came before, where the peer has no context takeover (section 7.1.1.1). */
  forget(): void {
    this.#compression.call.inflateForget(this.#state)
  }

  /** Gives its memory back, once; nothing must be inflated after this. */
  free(): void {
    if (this.#state === 0) return
    const { heap } = this.#compression
    if (this.#window !== 0) heap.freeFixed(this.#window, 2 ** this.#stepBits)
    heap.freeFixed(this.#state, INFLATER_SIZE)
    this.#state = this.#window = 0
  }

  #grow(bits: number): void {
    const { heap, call } = this.#compression
    const step = Math.min(STEPS.find((least) => least >= bits) ?? this.#windowBits, this.#windowBits)
    const window = heap.allocateFixed(2 ** step)
    call.inflateRing(this.#state, window, step)
    if (this.#window !== 0) heap.freeFixed(this.#window, 2 ** this.#stepBits)
    this.#window = window
    this.#stepBits = step
  }
}
