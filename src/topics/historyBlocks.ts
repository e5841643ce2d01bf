// The memory of what topics have kept: blocks of frames, each of which holds what was published one after the other, on
// whichever topics. The bound over all of them is kept by giving up the oldest block with everything in it.
import type { SharedMemory } from '../memory/sharedBlock.js'

/** Memory that histories retain. */
export interface HistoryBlock<History> {
  readonly memory: SharedMemory
  /** Bytes that it holds, and that count towards the bound. */
  bytes: number
  /** Publications in it that are kept. */
  users: number
  /** The topics that may have publications in it, and the one of them that came last. */
  readonly histories: Set<History>
  latest: History
}

/** What a publication that is kept costs besides its frame. */
const OVERHEAD = 160

export class HistoryBlocks<History> {
  readonly #most: number
  /** In the order in which they came. */
  readonly #blocks = new Set<HistoryBlock<History>>()
  #latest: HistoryBlock<History> | undefined
  #bytes = 0

  /** For at most `most` bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** Bytes of all blocks, and of what stands for the publications in them. */
  get bytes(): number {
    return this.#bytes
  }

  /** A publication of `history` lies in `memory`, which holds `size` bytes. */
  use(memory: SharedMemory, size: number, history: History): HistoryBlock<History> {
    const block = this.#latest?.memory === memory ? this.#latest : this.#open(memory, size, history)
    block.users++
    block.bytes += OVERHEAD
    this.#bytes += OVERHEAD
    if (block.latest !== history) {
      block.histories.add(history)
      block.latest = history
    }
    return block
  }

  /** A publication in this block is kept no longer. */
  leave(block: HistoryBlock<History>): void {
    block.bytes -= OVERHEAD
    this.#bytes -= OVERHEAD
    if (--block.users > 0) return
    this.#bytes -= block.bytes
    this.#blocks.delete(block)
    if (this.#latest === block) this.#latest = undefined
    block.memory.release()
  }

  /** The oldest block, while all of them are above the bound: what is in it must go. */
  get surplus(): HistoryBlock<History> | undefined {
    if (this.#bytes <= this.#most) return undefined
    for (const block of this.#blocks) return block
    return undefined
  }

  #open(memory: SharedMemory, size: number, history: History): HistoryBlock<History> {
    const block = { memory, bytes: size, users: 0, histories: new Set([history]), latest: history }
    memory.retain()
    this.#blocks.add(block)
    this.#bytes += size
    this.#latest = block
    return block
  }
}
