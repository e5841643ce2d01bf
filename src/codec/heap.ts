// Memory for everything that outlives a read: slots, regions, tail blocks, parked bytes.
// Small blocks come in size classes from pages of their own (slabs); large ones are extents of whole pages that grow in
// place where they can. What an operation costs does not depend on what is held, but for the levels of a tree (pageGaps.ts).
import { DEFLATER_BYTES, INFLATER_SIZE } from './deflate.generated.js'
import { type Codec, PAGE } from './instance.js'
import { type Extent, Pages } from './pages.js'
import { SizeClass } from './sizeClass.js'
import { HEAP, SLOT_SIZE } from './wasm.generated.js'

export { PAGE }

const CLASSES = [SLOT_SIZE, 1024, 4096, 16384, 32768] as const
/** Bytes of the longest block that shares its page with others and may be asked to grow. */
export const LARGEST_CLASS = 16384
/** Of one that never grows: half a page. */
const LARGEST_FIXED = 32768
/** Shifted right by so many bits, an address is the number of its page. A shift costs half as much as a division. */
const PAGE_BITS = 16

/** A piece of the codec's memory, from `pointer`, `size` bytes long. */
export interface Block {
  readonly pointer: number
  size: number
  /** The pages of a large block. */
  readonly extent: Extent | undefined
  /** False once the block is freed: its memory is in use by others, and the heap refuses to free or extend it. */
  held: boolean
}

export class Heap {
  readonly codec: Codec
  /** Bytes in use, in whole blocks and pages. */
  used = 0
  readonly #pages: Pages
  readonly #classes: readonly SizeClass[]
  readonly #slots: SizeClass
  /** Of the states of deflaters and inflaters, which are many and all of one size: six fill a page, or 141. */
  readonly #deflaters: SizeClass
  readonly #inflaters: SizeClass

  constructor(codec: Codec) {
    this.codec = codec
    this.#pages = new Pages(codec)
    this.#slots = new SizeClass(SLOT_SIZE, this.#pages)
    this.#deflaters = new SizeClass(DEFLATER_BYTES, this.#pages)
    this.#inflaters = new SizeClass(INFLATER_SIZE, this.#pages)
    this.#classes = CLASSES.map((size) => (size === SLOT_SIZE ? this.#slots : new SizeClass(size, this.#pages)))
  }

  /** Widens the range of addresses within which pages may be reserved ahead of use, by `bytes`. */
  prefer(bytes: number): void {
    this.#pages.prefer(Math.ceil(bytes / PAGE))
  }

  /**
   * Allocates at least `bytes`. After a large block, `reserve` bytes are kept free if there is room. Throws
   * OutOfMemory, before anything is changed, if the memory has no room for `bytes`.
   */
  allocate(bytes: number, reserve = bytes): Block {
    const block = bytes <= LARGEST_CLASS ? blockOf(this.#classFor(bytes)) : this.#allocatePages(bytes, reserve)
    this.used += block.size
    return block
  }

  /**
   * Allocates at least `bytes` that will never be more, and returns their address: there may be many of them, so nothing else
   * is kept. A block of up to 32 KiB takes no whole page, as one that may grow does, and the state of a deflater or an
   * inflater, of DEFLATER_BYTES or INFLATER_SIZE, just what it needs. Throws OutOfMemory as `allocate` does.
   */
  allocateFixed(bytes: number): number {
    if (bytes > LARGEST_FIXED) return this.allocate(bytes).pointer
    const sizeClass = this.#statesOf(bytes) ?? this.#classFor(bytes)
    const pointer = sizeClass.take()
    this.used += sizeClass.size
    return pointer
  }

  /** Gives back what `allocateFixed` has returned for `bytes`. Throws an Error, before anything is changed, if it is not held. */
  freeFixed(pointer: number, bytes: number): void {
    if (bytes <= LARGEST_FIXED) return this.#freeSmall(pointer, sizeOfFixed(bytes))
    const extent = pointer < HEAP ? undefined : this.#pages.at(pointer / PAGE)
    if (extent === undefined || extent.slab !== undefined) throw new Error(`a block was freed twice: ${pointer}`)
    this.#pages.release(extent)
    this.used -= extent.held * PAGE
  }

  /**
   * Makes a block of whole pages at least `bytes` long, in place; false if something is in the way. Throws OutOfMemory,
   * before anything is changed, if the system gives no more memory.
   */
  extend(block: Block, bytes: number): boolean {
    if (!block.held) throw new Error('a block was extended after it was freed')
    if (block.extent === undefined) return bytes <= block.size
    if (!this.#pages.extend(block.extent, Math.ceil(bytes / PAGE))) return false
    const size = block.extent.held * PAGE
    this.used += size - block.size
    block.size = size
    return true
  }

  /** Gives a block back. Throws an Error, before anything is changed, if it was given back before. */
  free(block: Block): void {
    if (!block.held) throw new Error('a block was freed twice')
    if (block.extent === undefined) {
      this.#freeSmall(block.pointer, block.size)
    } else {
      this.#pages.release(block.extent)
      this.used -= block.size
    }
    block.held = false
  }

  /**
   * Makes sure that a slot could be had now. A connection has none before its first bytes come, but one for which there is
   * no memory must not be opened. Throws OutOfMemory as `allocate` does.
   */
  expectSlot(): void {
    this.#slots.expect()
  }

  /** Allocates a slot, as `allocate` does. There may be many of them, so nothing is kept of a slot but its address. */
  allocateSlot(): number {
    const pointer = this.#slots.take()
    this.used += SLOT_SIZE
    return pointer
  }

  /** Gives a slot back. Throws an Error, before anything is changed, if no slot that is held begins there. */
  freeSlot(pointer: number): void {
    this.#freeSmall(pointer, SLOT_SIZE)
  }

  #statesOf(bytes: number): SizeClass | undefined {
    if (bytes === DEFLATER_BYTES) return this.#deflaters
    return bytes === INFLATER_SIZE ? this.#inflaters : undefined
  }

  #classFor(bytes: number): SizeClass {
    return this.#classes[classOf(bytes)] ?? this.#slots
  }

  #allocatePages(bytes: number, reserve: number): Block {
    const extent = this.#pages.place(Math.ceil(bytes / PAGE), Math.ceil(reserve / PAGE))
    return { pointer: extent.first * PAGE, size: extent.held * PAGE, extent, held: true }
  }

  #freeSmall(pointer: number, size: number): void {
    const slab = this.#pages.at(pointer >>> PAGE_BITS)?.slab
    if (slab?.size !== size) throw new Error(`a block was freed twice, or none of ${size} bytes begins at ${pointer}`)
    const sizeClass = this.#statesOf(size) ?? this.#classFor(size)
    sizeClass.release(slab, pointer)
    this.used -= size
  }
}

function blockOf(sizeClass: SizeClass): Block {
  return { pointer: sizeClass.take(), size: sizeClass.size, extent: undefined, held: true }
}

/** Bytes that a block for `bytes` takes: a size class, or whole pages. */
export function sizeOfBlock(bytes: number): number {
  return bytes <= LARGEST_CLASS ? (CLASSES[classOf(bytes)] ?? LARGEST_CLASS) : Math.ceil(bytes / PAGE) * PAGE
}

/** The same of one that never grows. */
export function sizeOfFixed(bytes: number): number {
  if (bytes === DEFLATER_BYTES || bytes === INFLATER_SIZE) return bytes
  return bytes > LARGEST_CLASS && bytes <= LARGEST_FIXED ? LARGEST_FIXED : sizeOfBlock(bytes)
}

function classOf(bytes: number): number {
  if (bytes <= SLOT_SIZE) return 0
  if (bytes <= 1024) return 1
  if (bytes <= 4096) return 2
  return bytes <= LARGEST_CLASS ? 3 : 4
}
