// What waits behind an unfinished message of a connection: encoded frames, in order. RFC 6455, section 5.4: the fragments
// of one message must not be interleaved with another's. What waits costs what it is long, not what it is many: short
// frames are copied together into blocks, and only long ones stay where they lie.
import { type Codec, type Heap, OutOfMemory } from '../codec/codec.js'
import type { Budget, Holder } from '../payload/budget.js'
import type { FrameBuffer } from './framing.js'
import { FIRST_BLOCK, LARGEST_BLOCK, LONGEST_COPIED, type Outgoing } from './outgoing.js'
import { SharedBlock, type SharedMemory } from './sharedBlock.js'

/** Frames that lie one behind the other, and whose memory they lie in. */
interface Segment {
  readonly memory: SharedMemory
  readonly pointer: number
  length: number
  /** Bytes of the memory that count as this connection's. */
  readonly share: number
}

export class Backlog implements FrameBuffer {
  /** Bytes of all frames that wait. */
  bytes = 0
  readonly #codec: Codec
  readonly #heap: Heap
  readonly #budget: Budget
  readonly #holder: Holder
  #segments: Segment[] = []
  /** Room left in the last segment, which is a block of ours; 0 if there is none. */
  #room = 0
  /** Bytes in blocks of ours, since the last frame that stayed where it lay. */
  #copied = 0

  constructor(codec: Codec, heap: Heap, budget: Budget, holder: Holder) {
    this.#codec = codec
    this.#heap = heap
    this.#budget = budget
    this.#holder = holder
  }

  /** Where a frame of at most `length` bytes may be built; `commit` must follow. Throws if there is no memory left. */
  reserve(length: number): number {
    const last = this.#segments.at(-1)
    if (last !== undefined && length <= this.#room) return last.pointer + last.length
    return this.#addBlock(length)
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(_pointer: number, length: number): void {
    const last = this.#segments.at(-1)
    if (last === undefined) return
    last.length += length
    this.#room -= length
    this.#copied += length
    this.bytes += length
  }

  /** Takes frames that are encoded already. Throws if there is no memory left for a copy. */
  add(memory: SharedMemory, pointer: number, length: number): void {
    if (length > LONGEST_COPIED) return this.#share(memory, pointer, length)
    const target = this.reserve(length)
    this.#codec.call.copy(target, pointer, length)
    this.commit(target, length)
  }

  /** The message under way has ended: all that waits follows it, and is never asked again whether it may. */
  moveTo(outgoing: Outgoing): void {
    const segments = this.#takeAll()
    try {
      for (const segment of segments) this.#move(segment, outgoing)
    } finally {
      this.#unpin(segments)
    }
  }

  /** Without memory for a copy, it leaves from where it lies: it was accepted. */
  #move({ memory, pointer, length }: Segment, outgoing: Outgoing): void {
    try {
      outgoing.addFrames(this.#codec, memory, pointer, length)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      outgoing.addShared(memory, pointer, length)
    }
  }

  /** The message under way will never end: what waits is given up. */
  drop(): void {
    this.#unpin(this.#takeAll())
  }

  #share(memory: SharedMemory, pointer: number, length: number): void {
    this.#pin(memory, pointer, length)
    this.#room = this.#copied = 0
    this.bytes += length
  }

  /** Blocks grow with what they hold, by a quarter of it, so that what is held is never much more than that. */
  #addBlock(length: number): number {
    const size = Math.max(length, Math.min(this.#copied / 4, LARGEST_BLOCK), FIRST_BLOCK)
    const memory = SharedBlock.within(this.#budget, this.#holder, this.#heap, Math.ceil(size))
    this.#pin(memory, memory.pointer, 0)
    memory.release() // the segment has it now
    this.#room = memory.size
    return memory.pointer
  }

  #pin(memory: SharedMemory, pointer: number, length: number): void {
    const share = Math.max(memory.pin(this.#budget), length)
    this.#budget.attribute(this.#holder, share)
    this.#segments.push({ memory, pointer, length, share })
  }

  #unpin(segments: readonly Segment[]): void {
    for (const { memory, share } of segments) {
      memory.unpin()
      this.#budget.attribute(this.#holder, -share)
    }
  }

  #takeAll(): Segment[] {
    const segments = this.#segments
    this.#segments = []
    this.#room = this.#copied = this.bytes = 0
    return segments
  }
}
