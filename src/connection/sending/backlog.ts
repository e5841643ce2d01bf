// Encoded frames that wait until the unfinished message of a connection has ended, in order. RFC 6455, section 5.4: the
// fragments of one message must not be interleaved with another's. The cost depends on how long the frames are, not on how
// many: short frames are copied together into blocks, and only long ones stay where they lie.
import { OutOfMemory } from '../../codec/codec.js'
import type { Holder } from '../../memory/budget.js'
import type { SharedMemory } from '../../memory/sharedBlock.js'
import type { FrameBuffer } from './encoder.js'
import { LONGEST_COPIED } from './outgoingShared.js'
import type { Pinned } from './pinned.js'
import { PinnedQueue, type PinnedQueueContext } from './pinnedQueue.js'

/** Where frames go that are encoded already; both throw OutOfMemory, the second only where it copies. */
export interface FrameTarget {
  addFrames(memory: SharedMemory, pointer: number, length: number): void
  addShared(memory: SharedMemory, pointer: number, length: number): void
}

export class Backlog implements FrameBuffer {
  readonly #shared: PinnedQueueContext
  readonly #waiting: PinnedQueue
  /** Bytes in blocks of ours, since the last frame that stayed where it lay. */
  #copied = 0

  constructor(shared: PinnedQueueContext, holder: Holder) {
    this.#shared = shared
    this.#waiting = new PinnedQueue(shared, holder, 0)
  }

  /** Bytes of all frames that wait. */
  get bytes(): number {
    return this.#waiting.bytes
  }

  /** Where a frame of at most `length` bytes may be built; `commit` must follow. Throws if there is no memory left. */
  reserve(length: number): number {
    // Blocks grow by a quarter of what they hold, so that what is held is never much more than that.
    return this.#waiting.reserve(length, this.#copied / 4)
  }

  /** Takes the `length` bytes that were built where `reserve` said. */
  commit(_pointer: number, length: number): void {
    this.#waiting.commit(length)
    this.#copied += length
  }

  /** Takes frames that are encoded already. Throws if there is no memory left for a copy. */
  add(memory: SharedMemory, pointer: number, length: number): void {
    if (length > LONGEST_COPIED) {
      this.#copied = 0
      return this.#waiting.add(memory, pointer, length)
    }
    const target = this.reserve(length)
    this.#shared.heap.codec.call.copy(target, pointer, length)
    this.commit(target, length)
  }

  /** The message under way has ended: all that waits follows it, and is never asked again whether it may. */
  moveTo(outgoing: FrameTarget): void {
    const all = this.#takeAll()
    try {
      for (const frames of all) this.#move(frames, outgoing)
    } finally {
      for (const frames of all) this.#waiting.unpin(frames)
    }
  }

  /** Without memory for a copy, it leaves from where it lies: it was accepted. */
  #move({ memory, pointer, length }: Pinned, outgoing: FrameTarget): void {
    try {
      outgoing.addFrames(memory, pointer, length)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      outgoing.addShared(memory, pointer, length)
    }
  }

  /** The message under way will never end: what waits is given up. */
  drop(): void {
    for (const frames of this.#takeAll()) this.#waiting.unpin(frames)
  }

  #takeAll(): readonly Pinned[] {
    this.#copied = 0
    return this.#waiting.takeAll()
  }
}
