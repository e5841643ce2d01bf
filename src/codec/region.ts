// A region: the memory of one large message. It grows with what has arrived, never with what was announced,
// and is shared by everyone who still needs its bytes: the message's handler, and each connection it is sent on.
import { type Block, type Heap, LARGEST_CLASS, sizeOfBlock } from './heap.js'
import { HALF_PAGE, leadOf } from './pageOffset.js'

/** Free bytes in front of the payload, so that a frame header can be written there and both leave in one write. */
export const HEADROOM = 16

export class Region {
  readonly #heap: Heap
  readonly #freed: (bytes: number) => void
  #block: Block
  /** Free bytes in front of the headroom. */
  #lead: number
  #users = 1

  /** A region for `needed` bytes of a message that may become `expected` bytes long; `freed` hears of its end. */
  constructor(heap: Heap, needed: number, expected: number, freed: (bytes: number) => void) {
    this.#heap = heap
    this.#freed = freed
    this.#lead = leadFor(needed, expected)
    this.#block = heap.allocate(footprint(needed, expected) + this.#lead, expected + HEADROOM + this.#lead)
  }

  /** Bytes of the heap that a region with room for `needed` bytes would hold. */
  static size(needed: number, expected: number): number {
    return sizeOfBlock(footprint(needed, expected) + leadFor(needed, expected))
  }

  /** The most bytes that one holds for a message of `longest` bytes, wherever it began when it was shorter. */
  static most(longest: number): number {
    return Math.max(Region.size(longest, longest), sizeOfBlock(longest + HEADROOM + HALF_PAGE))
  }

  /** The most bytes that it would hold with room for `needed` bytes. */
  sizeWith(needed: number, expected: number): number {
    return Math.max(Region.size(needed, expected), sizeOfBlock(needed + HEADROOM + this.#lead))
  }

  /** The address of the first payload byte. */
  get pointer(): number {
    return this.#block.pointer + this.#lead + HEADROOM
  }

  /** Payload bytes it can take. */
  get capacity(): number {
    return this.#block.size - this.#lead - HEADROOM
  }

  /** Bytes of the heap it holds. */
  get size(): number {
    return this.#block.size
  }

  /** Makes room for `needed` bytes, in place or by moving the `filled` bytes it holds. Only its first user may call this. */
  grow(needed: number, filled: number, expected: number): void {
    if (this.#heap.extend(this.#block, needed + HEADROOM + this.#lead)) return
    // The region must move, because something lies in its way. It gets twice the room, so that it need not move each time.
    const lead = leadFor(needed, expected)
    const reserve = Math.max(expected, 2 * needed) + HEADROOM + lead
    const next = this.#heap.allocate(footprint(needed, expected) + lead, reserve)
    this.#heap.codec.call.copy(next.pointer + lead, this.#block.pointer + this.#lead, filled + HEADROOM)
    this.#heap.free(this.#block)
    this.#block = next
    this.#lead = lead
  }

  /** One more user keeps it. */
  retain(): void {
    this.#users++
  }

  /** Keeps the region for output that waits to be written. It costs nothing more: its bytes count as a region already. */
  pin(): number {
    this.#users++
    return 0
  }

  unpin(): void {
    this.release()
  }

  /** A user is done; the last one gives the memory back. */
  release(): void {
    if (this.#users <= 0) throw new Error('a region was released twice')
    if (--this.#users > 0) return
    this.#heap.free(this.#block)
    this.#freed(this.#block.size)
  }
}

/** Small regions double, so that a trickle of fragments is not copied each time; large ones extend page by page. */
function footprint(needed: number, expected: number): number {
  return Math.min(Math.max(expected, needed), needed * 2, needed + 65536) + HEADROOM
}

/** Where in its page the region begins: that of what will be a long frame, once it has pages of its own. */
function leadFor(needed: number, expected: number): number {
  return footprint(needed, expected) > LARGEST_CLASS ? leadOf(Math.max(needed, expected) + HEADROOM) : 0
}
