// What was read of one connection while nothing could be delivered: the frames that the codec had found, then bytes that
// it has not seen. It lies in memory of its own, which stays until the handler that is being shown a part of it returns.
import type { Heap } from '../../codec/codec.js'
import { isInRegion } from '../../codec/frames.js'
import type { Parser } from '../../codec/parser.js'
import { SharedBlock } from '../../memory/sharedBlock.js'

/** Numbers that are kept of each frame: its info, where its payload lies, and how long that is. */
const NUMBERS = 3

/** In the place of the bytes of a frame that are dealt with: all are, and the frame is. */
export const DONE = -1

/** Bytes that the objects of a parked read cost besides its block. */
const OBJECTS = 256

/** Frames that the parser has found, as numbers of their entries, and the bytes after them that are not parsed yet. */
export interface Rest {
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
  /** What `parse` returned after the frames. It is kept because `parse` can't always be called again for it. */
  readonly status: number
}

export class ParkedRead {
  readonly memory: SharedBlock
  readonly status: number
  readonly start: number
  readonly end: number
  readonly #entries: number[]
  #next = 0

  private constructor(memory: SharedBlock, entries: number[], start: number, end: number, status: number) {
    this.memory = memory
    this.#entries = entries
    this.start = start
    this.end = end
    this.status = status
  }

  /** Bytes that `rest` will cost, once it is parked. */
  static cost(parser: Parser, rest: Rest): number {
    const frames = rest.to - rest.from
    return SharedBlock.size(rest.end - firstByte(parser, rest)) + frames * NUMBERS * 8 + OBJECTS
  }

  /** Copies frames and bytes out of the inbox. Throws OutOfMemory where none is left. */
  static park(parser: Parser, heap: Heap, rest: Rest): ParkedRead {
    const first = firstByte(parser, rest)
    const memory = new SharedBlock(heap, rest.end - first)
    heap.codec.call.copy(memory.pointer, first, rest.end - first)
    const shift = memory.pointer - first
    const entries: number[] = []
    for (let entry = rest.from; entry < rest.to; entry++) {
      const info = parser.info(entry)
      const pointer = parser.pointer(entry)
      entries.push(info, isInRegion(info) ? pointer : pointer + shift, parser.length(entry))
    }
    return new ParkedRead(memory, entries, rest.start + shift, rest.end + shift, rest.status)
  }

  /** Bytes that this read would cost with `length` more bytes at its end. */
  costWith(length: number): number {
    const numbers = this.#entries.length - this.#next
    return SharedBlock.size(this.end - this.memory.pointer + length) + numbers * 8 + OBJECTS
  }

  /** A parked read with `length` more bytes, from `start`, at its end. The caller releases the present one. */
  followedBy(heap: Heap, start: number, length: number): ParkedRead {
    const kept = this.end - this.memory.pointer
    const memory = new SharedBlock(heap, kept + length)
    heap.codec.call.copy(memory.pointer, this.memory.pointer, kept)
    heap.codec.call.copy(memory.pointer + kept, start, length)
    const shift = memory.pointer - this.memory.pointer
    const entries = this.#entries.slice(this.#next)
    for (let at = 0; at < entries.length; at += NUMBERS) {
      if (!isInRegion(entries[at] ?? 0)) entries[at + 1] = (entries[at + 1] ?? 0) + shift
    }
    return new ParkedRead(memory, entries, this.start + shift, this.end + shift + length, this.status)
  }

  /** Bytes that it costs. */
  get cost(): number {
    return this.memory.size + this.#entries.length * 8 + OBJECTS
  }

  /** Whether all its frames have been taken; what is left is not parsed yet. */
  get taken(): boolean {
    return this.#next >= this.#entries.length
  }

  /**
   * Takes the next frame and shows it to `deliver`; its payload stays where it is until that returns. Where it returns
   * DONE, the frame is dealt with; otherwise the number of bytes that are, and what is left is the next frame.
   */
  deliverNext(deliver: (info: number, pointer: number, length: number) => number): void {
    const at = this.#next
    this.#next += NUMBERS
    this.memory.retain()
    try {
      const done = deliver(this.#entries[at] ?? 0, this.#entries[at + 1] ?? 0, this.#entries[at + 2] ?? 0)
      if (done !== DONE) this.#leave(at, done)
    } finally {
      this.memory.release()
    }
  }

  #leave(at: number, done: number): void {
    this.#next = at
    this.#entries[at + 1] = (this.#entries[at + 1] ?? 0) + done
    this.#entries[at + 2] = (this.#entries[at + 2] ?? 0) - done
  }
}

/** The first byte that must be kept: of the first payload that lies where it was read, or of what is not parsed yet. */
function firstByte(parser: Parser, { from, to, start }: Rest): number {
  let first = start
  for (let entry = from; entry < to; entry++) {
    if (!isInRegion(parser.info(entry))) first = Math.min(first, parser.pointer(entry))
  }
  return first
}
