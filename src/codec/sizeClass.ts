// All small blocks of one size: which slab the next one comes from, and when a slab's page is given back.
import type { Pages } from './pages.js'
import { Slab } from './slab.js'

export class SizeClass {
  readonly size: number
  readonly #pages: Pages
  /** The slabs with free blocks, in no order; the last is taken from. */
  readonly #open: Slab[] = []

  constructor(size: number, pages: Pages) {
    this.size = size
    this.#pages = pages
  }

  /** Takes a block, from a new page if necessary. Throws OutOfMemory if there is no such page. */
  take(): number {
    const slab = this.#open.at(-1) ?? this.#openSlab()
    const pointer = slab.take()
    if (slab.free === 0) this.#open.pop()
    return pointer
  }

  /** Makes sure that there is a block to take. Throws as `take` does. */
  expect(): void {
    if (this.#open.length === 0) this.#openSlab()
  }

  /** Takes a block of this slab back. Throws an Error if it is not held. */
  release(slab: Slab, pointer: number): void {
    slab.release(pointer)
    if (slab.free === 1) slab.place = this.#open.push(slab) - 1
    // An empty page is given back, unless it is the last of its class: the next small block will want one.
    if (slab.empty && this.#open.length > 1) this.#closeSlab(slab)
  }

  #openSlab(): Slab {
    const extent = this.#pages.place(1, 1)
    const slab = new Slab(this.size, extent.first)
    extent.slab = slab
    slab.place = this.#open.push(slab) - 1
    return slab
  }

  #closeSlab(slab: Slab): void {
    const last = this.#open.pop()
    if (last !== undefined && last !== slab) {
      this.#open[slab.place] = last
      last.place = slab.place
    }
    const extent = this.#pages.at(slab.page)
    if (extent !== undefined) this.#pages.release(extent)
  }
}
