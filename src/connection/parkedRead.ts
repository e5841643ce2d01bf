// What was read of one connection while nothing could be delivered: the frames that the codec had found, then bytes that
// it has not seen. It lies in memory of its own, which stays until the handler that is being shown a part of it returns.
import type { Codec, Heap } from '../codec/codec.js'
import { ENTRY_INFO, ENTRY_LENGTH, ENTRY_POINTER, ENTRY_SIZE, INFO_REGION, TABLE } from '../codec/wasm.generated.js'
import { SharedBlock } from './sharedBlock.js'

const ENTRY_WORDS = ENTRY_SIZE / 4
const INFO_WORD = (TABLE + ENTRY_INFO) / 4
const POINTER_WORD = (TABLE + ENTRY_POINTER) / 4
const LENGTH_WORD = (TABLE + ENTRY_LENGTH) / 4

/** Numbers that are kept of each frame: its info, where its payload lies, and how long that is. */
const NUMBERS = 3

/** Bytes that the objects of a parked read cost besides its block. */
const OBJECTS = 256

/** A part of the frame table, in words, and the bytes behind it that are not parsed yet. */
export interface Rest {
  readonly from: number
  readonly to: number
  readonly start: number
  readonly end: number
  /** What `parse` returned after the frames; it can't always be asked again. */
  readonly status: number
}

export class ParkedRead {
  readonly memory: SharedBlock
  readonly status: number
  readonly start: number
  readonly end: number
  readonly #entries: readonly number[]
  #next = 0

  private constructor(memory: SharedBlock, entries: readonly number[], start: number, end: number, status: number) {
    this.memory = memory
    this.#entries = entries
    this.start = start
    this.end = end
    this.status = status
  }

  /** Bytes that `rest` will cost, once it is parked. */
  static cost(codec: Codec, rest: Rest): number {
    const frames = (rest.to - rest.from) / ENTRY_WORDS
    return SharedBlock.size(rest.end - firstByte(codec, rest)) + frames * NUMBERS * 8 + OBJECTS
  }

  /** Copies frames and bytes out of the inbox. Throws OutOfMemory where none is left. */
  static park(codec: Codec, heap: Heap, rest: Rest): ParkedRead {
    const first = firstByte(codec, rest)
    const memory = new SharedBlock(heap, rest.end - first)
    codec.call.copy(memory.pointer, first, rest.end - first)
    const shift = memory.pointer - first
    const entries: number[] = []
    for (let at = rest.from; at < rest.to; at += ENTRY_WORDS) {
      const info = codec.words[INFO_WORD + at] ?? 0
      const pointer = codec.words[POINTER_WORD + at] ?? 0
      entries.push(info, inRegion(info) ? pointer : pointer + shift, codec.words[LENGTH_WORD + at] ?? 0)
    }
    return new ParkedRead(memory, entries, rest.start + shift, rest.end + shift, rest.status)
  }

  /** Bytes that it will cost with `length` more behind it. */
  costWith(length: number): number {
    const numbers = this.#entries.length - this.#next
    return SharedBlock.size(this.end - this.memory.pointer + length) + numbers * 8 + OBJECTS
  }

  /** The same with `length` bytes more from `start` behind it; the caller releases this one. */
  followedBy(codec: Codec, heap: Heap, start: number, length: number): ParkedRead {
    const kept = this.end - this.memory.pointer
    const memory = new SharedBlock(heap, kept + length)
    codec.call.copy(memory.pointer, this.memory.pointer, kept)
    codec.call.copy(memory.pointer + kept, start, length)
    const shift = memory.pointer - this.memory.pointer
    const entries = this.#entries.slice(this.#next)
    for (let at = 0; at < entries.length; at += NUMBERS) {
      if (!inRegion(entries[at] ?? 0)) entries[at + 1] = (entries[at + 1] ?? 0) + shift
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

  /** Takes the next frame and shows it to `deliver`; its payload stays where it is until that returns. */
  deliverNext(deliver: (info: number, pointer: number, length: number) => void): void {
    const at = this.#next
    this.#next += NUMBERS
    this.memory.retain()
    try {
      deliver(this.#entries[at] ?? 0, this.#entries[at + 1] ?? 0, this.#entries[at + 2] ?? 0)
    } finally {
      this.memory.release()
    }
  }
}

/** The first byte that must be kept: of the first payload that lies where it was read, or of what is not parsed yet. */
function firstByte(codec: Codec, { from, to, start }: Rest): number {
  let first = start
  for (let at = from; at < to; at += ENTRY_WORDS) {
    if (!inRegion(codec.words[INFO_WORD + at] ?? 0)) first = Math.min(first, codec.words[POINTER_WORD + at] ?? first)
  }
  return first
}

function inRegion(info: number): boolean {
  return (info & INFO_REGION) !== 0
}
