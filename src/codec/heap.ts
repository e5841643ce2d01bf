// Memory for everything that outlives a read: slots, regions, tail blocks, parked bytes.
// Small blocks come in size classes from pages of their own; large ones are extents of whole pages that grow in place
// where they can. Pages once touched never return to the system, so low addresses are used first.
import type { Codec } from './instance.js'
import { HEAP, SLOT_SIZE } from './wasm.generated.js'

export const PAGE = 65536
const CLASSES = [SLOT_SIZE, 1024, 4096, 16384] as const
const LARGEST_CLASS = 16384

/** A run of pages: `held` are in use; up to `reserved` nobody else is placed, unless room gets tight. */
interface Extent {
  readonly first: number
  held: number
  reserved: number
  next: Extent | undefined
  previous: Extent | undefined
}

/** A page of small blocks of one size. */
interface Slab {
  readonly extent: Extent
  readonly size: number
  readonly free: number[]
}

/** A piece of the codec's memory, from `pointer`, `size` bytes long. */
export interface Block {
  readonly pointer: number
  size: number
  readonly extent: Extent | undefined
}

export class Heap {
  readonly codec: Codec
  /** Bytes in use, in whole blocks and pages. */
  used = 0
  readonly #first: Extent
  readonly #slabs = new Map<number, Slab>()
  readonly #open: Slab[][] = CLASSES.map(() => [])
  #preferredPages: number

  constructor(codec: Codec) {
    this.codec = codec
    const pages = HEAP / PAGE
    this.#first = { first: 0, held: pages, reserved: pages, next: undefined, previous: undefined }
    this.#preferredPages = pages
  }

  /** Widens the range of addresses within which pages may be reserved ahead of use, by `bytes`. */
  prefer(bytes: number): void {
    this.#preferredPages = Math.min(this.#preferredPages + Math.ceil(bytes / PAGE), this.codec.maximumPages)
  }

  /** Allocates at least `bytes`. Of a large block, `reserve` bytes are kept free behind it if there is room. */
  allocate(bytes: number, reserve = bytes): Block {
    const block = bytes <= LARGEST_CLASS ? this.#allocateSmall(bytes) : this.#allocatePages(bytes, reserve)
    this.used += block.size
    return block
  }

  /** Makes a block of whole pages at least `bytes` long, in place; false if something is in the way. */
  extend(block: Block, bytes: number): boolean {
    const { extent } = block
    if (extent === undefined) return bytes <= block.size
    const pages = Math.ceil(bytes / PAGE)
    const next = extent.next === undefined ? this.codec.maximumPages : extent.next.first
    if (extent.first + pages > next) return false
    if (pages > extent.held) {
      this.codec.growTo(extent.first + pages)
      this.used += (pages - extent.held) * PAGE
      extent.held = pages
      extent.reserved = Math.max(extent.reserved, pages)
      block.size = pages * PAGE
    }
    return true
  }

  free(block: Block): void {
    this.used -= block.size
    if (block.extent !== undefined) {
      unlink(block.extent)
      return
    }
    this.#freeSmall(block.pointer)
  }

  /** Allocates a slot: a block that every connection has, so nothing is kept of it but its address. */
  allocateSlot(): number {
    this.used += SLOT_SIZE
    return this.#takeSmall(0)
  }

  freeSlot(pointer: number): void {
    this.used -= SLOT_SIZE
    this.#freeSmall(pointer)
  }

  #allocateSmall(bytes: number): Block {
    const index = classOf(bytes)
    return { pointer: this.#takeSmall(index), size: CLASSES[index] ?? LARGEST_CLASS, extent: undefined }
  }

  #takeSmall(index: number): number {
    const open = this.#open[index] ?? []
    const slab = open.at(-1) ?? this.#openSlab(CLASSES[index] ?? LARGEST_CLASS, open)
    const pointer = slab.free.pop() ?? 0
    if (slab.free.length === 0) open.pop()
    return pointer
  }

  #freeSmall(pointer: number): void {
    const slab = this.#slabs.get(Math.floor(pointer / PAGE))
    if (slab === undefined) throw new Error('a block was freed twice')
    const open = this.#open[classOf(slab.size)]
    if (slab.free.length === 0) open?.push(slab)
    slab.free.push(pointer)
    // An empty page is given back, unless it is the last of its class: the next small block will want one.
    if (slab.free.length === Math.floor(PAGE / slab.size) && open !== undefined && open.length > 1) {
      open.splice(open.indexOf(slab), 1)
      this.#slabs.delete(slab.extent.first)
      unlink(slab.extent)
    }
  }

  #openSlab(size: number, open: Slab[]): Slab {
    const extent = this.#place(1, 1)
    const free: number[] = []
    for (let at = PAGE - (PAGE % size) - size; at >= 0; at -= size) free.push(extent.first * PAGE + at)
    const slab = { extent, size, free }
    this.#slabs.set(extent.first, slab)
    open.push(slab)
    return slab
  }

  #allocatePages(bytes: number, reserve: number): Block {
    const extent = this.#place(Math.ceil(bytes / PAGE), Math.ceil(reserve / PAGE))
    return { pointer: extent.first * PAGE, size: extent.held * PAGE, extent }
  }

  /** First fit: with the reservation, then into what others only reserve, then wherever the memory can grow. */
  #place(held: number, reserved: number): Extent {
    const extent =
      this.#fit(held, Math.max(held, reserved), this.#preferredPages, false) ??
      this.#fit(held, held, this.#preferredPages, true) ??
      this.#fit(held, held, this.codec.maximumPages, true)
    if (extent === undefined) throw new RangeError(`the memory has no room for ${held * PAGE} more bytes`)
    return extent
  }

  #fit(held: number, reserved: number, end: number, tight: boolean): Extent | undefined {
    for (let at: Extent | undefined = this.#first; at !== undefined; at = at.next) {
      const first = at.first + (tight ? at.held : at.reserved)
      if (first + reserved > (at.next === undefined ? end : Math.min(end, at.next.first))) continue
      this.codec.growTo(first + held) // may throw: nothing is taken yet
      if (tight) at.reserved = at.held
      const extent: Extent = { first, held, reserved, next: at.next, previous: at }
      if (at.next !== undefined) at.next.previous = extent
      at.next = extent
      return extent
    }
    return undefined
  }
}

/** Bytes that a block for `bytes` takes: a size class, or whole pages. */
export function sizeOfBlock(bytes: number): number {
  return bytes <= LARGEST_CLASS ? (CLASSES[classOf(bytes)] ?? LARGEST_CLASS) : Math.ceil(bytes / PAGE) * PAGE
}

function classOf(bytes: number): number {
  if (bytes <= SLOT_SIZE) return 0
  if (bytes <= 1024) return 1
  return bytes <= 4096 ? 2 : 3
}

function unlink(extent: Extent): void {
  if (extent.previous !== undefined) extent.previous.next = extent.next
  if (extent.next !== undefined) extent.next.previous = extent.previous
}
