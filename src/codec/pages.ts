// Which pages of the codec's memory are in use: extents, in the order of their addresses. Pages once touched never return
// to the system, so low addresses are used first. No operation walks along the extents: there may be 65,535 of them.

import { type Codec, PAGE } from './instance.js'
import { OutOfMemory } from './outOfMemory.js'
import { PageGaps } from './pageGaps.js'
import type { Slab } from './slab.js'
import { HEAP } from './wasm.generated.js'

/** A run of pages: `held` are in use; up to `reserved` nobody else is placed, unless room gets tight. */
export interface Extent {
  readonly first: number
  held: number
  reserved: number
  next: Extent | undefined
  previous: Extent | undefined
  /** The slab that lies in it, if the extent holds small blocks. */
  slab: Slab | undefined
}

export class Pages {
  readonly #codec: Codec
  /** The extents by their first pages. */
  readonly #extents: (Extent | undefined)[] = []
  /** The pages after each extent that nobody holds. */
  readonly #unheld = new PageGaps()
  /** The pages after each extent that nobody holds and the extent does not reserve. */
  readonly #unreserved = new PageGaps()
  #preferred: number

  constructor(codec: Codec) {
    this.#codec = codec
    this.#preferred = HEAP / PAGE
    // What lies below the heap counts as held: each extent that is placed has one before it.
    this.#link(0, this.#preferred, this.#preferred, undefined)
  }

  /** Widens the range of addresses within which pages may be reserved ahead of use, by `pages`. */
  prefer(pages: number): void {
    this.#preferred = Math.min(this.#preferred + pages, this.#codec.maximumPages)
  }

  /** The extent that begins at this page. */
  at(page: number): Extent | undefined {
    return this.#extents[page]
  }

  /**
   * Takes pages: first fit, tried three times. With its reservation, within the preferred pages; inside others'
   * reservations; beyond the preferred pages. The last two are one search, since the first gap of all is also the
   * first within the preferred pages, if one of these is long enough. Throws OutOfMemory and changes nothing if all fail.
   */
  place(held: number, reserved: number): Extent {
    return this.#placeReserved(held, Math.max(held, reserved)) ?? this.#placeTight(held)
  }

  /** Makes an extent at least `pages` long; false if the next one is in the way. Throws OutOfMemory, as `place` does. */
  extend(extent: Extent, pages: number): boolean {
    if (extent.first + pages > this.#endOf(extent)) return false
    if (pages > extent.held) {
      const refusal = this.#refusal(extent.first + pages)
      if (refusal !== undefined) throw refusal
      extent.held = pages
      extent.reserved = Math.max(extent.reserved, pages)
      this.#measure(extent)
    }
    return true
  }

  /** Gives an extent back, with what it reserves. */
  release(extent: Extent): void {
    const { first, next, previous } = extent
    this.#extents[first] = undefined
    if (next !== undefined) next.previous = previous
    if (previous !== undefined) {
      previous.next = next
      this.#measure(previous) // the longer gap first: then the shorter one changes less of the tree
    }
    this.#unheld.set(first, 0)
    this.#unreserved.set(first, 0)
    // An object that still has this extent must not keep its neighbours from being collected, and in turn theirs.
    extent.next = undefined
    extent.previous = undefined
  }

  #placeReserved(held: number, reserved: number): Extent | undefined {
    const previous = this.#before(this.#unreserved, reserved)
    if (previous === undefined) return undefined
    const first = previous.first + previous.reserved
    // If the system lets the memory grow no more, what fits into the present memory must still be allocated.
    if (first + reserved > this.#preferred || this.#refusal(first + held) !== undefined) return undefined
    return this.#link(first, held, reserved, previous)
  }

  #placeTight(held: number): Extent {
    const previous = this.#before(this.#unheld, held)
    if (previous === undefined) throw new OutOfMemory(`the memory has no room for ${held * PAGE} more bytes`)
    const first = previous.first + previous.held
    const refusal = this.#refusal(first + held)
    if (refusal !== undefined) throw refusal
    return this.#link(first, held, held, previous)
  }

  /** The first extent with so many free pages after it. */
  #before(gaps: PageGaps, pages: number): Extent | undefined {
    const first = gaps.first(pages)
    return first === undefined ? undefined : this.#extents[first]
  }

  /** The page at which the next extent begins, or the memory ends. */
  #endOf(extent: Extent): number {
    return extent.next === undefined ? this.#codec.maximumPages : extent.next.first
  }

  /** Makes the memory at least `pages` long; the error to throw if the system refuses. */
  #refusal(pages: number): OutOfMemory | undefined {
    try {
      this.#codec.growTo(pages)
      return undefined
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      return new OutOfMemory(`the system does not let the memory grow to ${pages * PAGE} bytes`, { cause })
    }
  }

  /** Puts an extent after `previous`, whose reservation ends where the extent begins. */
  #link(first: number, held: number, reserved: number, previous: Extent | undefined): Extent {
    this.#cover(first)
    const extent: Extent = { first, held, reserved, next: previous?.next, previous, slab: undefined }
    if (extent.next !== undefined) extent.next.previous = extent
    this.#extents[first] = extent
    this.#measure(extent)
    if (previous !== undefined) {
      previous.next = extent
      previous.reserved = Math.min(previous.reserved, first - previous.first)
      this.#measure(previous)
    }
    return extent
  }

  /** Makes everything that is kept by page reach as far as `page`. */
  #cover(page: number): void {
    if (page < this.#extents.length) return
    this.#unheld.cover(page)
    this.#unreserved.cover(page)
    while (this.#extents.length <= page) this.#extents.push(undefined)
  }

  #measure(extent: Extent): void {
    const free = this.#endOf(extent) - extent.first
    this.#unheld.set(extent.first, free - extent.held)
    this.#unreserved.set(extent.first, free - extent.reserved)
  }
}
