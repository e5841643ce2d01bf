// Where the heap's pages go, told in the plainest way: a list of all pages, walked from its beginning for each placement.
import assert from 'node:assert/strict'

/** Whose page it is. One that is only reserved has its owner's number below zero, one that nobody has is 0. */
type Owner = number

export class FirstFit {
  readonly #owners: Owner[]
  #preferred: number
  #last = 0

  /** `pages` in all, of which nobody ever gets those below `first`. */
  constructor(first: number, pages: number) {
    this.#owners = Array.from({ length: pages }, (_, page) => (page < first ? Infinity : 0))
    this.#preferred = first
  }

  prefer(pages: number): void {
    this.#preferred = Math.min(this.#preferred + pages, this.#owners.length)
  }

  /** The first page of what is placed, and its owner; undefined if it fits nowhere. */
  place(held: number, reserved: number): { first: number; owner: Owner } | undefined {
    const wanted = Math.max(held, reserved)
    const spacious = this.#find(wanted, this.#preferred, (owner) => owner === 0)
    const first =
      spacious ??
      this.#find(held, this.#preferred, (owner) => owner <= 0) ??
      this.#find(held, this.#owners.length, (owner) => owner <= 0)
    if (first === undefined) return undefined
    const owner = ++this.#last
    const robbed = this.#owners[first] ?? 0
    if (robbed < 0) this.#replace((other) => other === robbed, 0)
    this.#owners.fill(-owner, first, first + (spacious === undefined ? held : wanted))
    this.#owners.fill(owner, first, first + held)
    return { first, owner }
  }

  /** Makes what begins at `first` longer, unless a page of another is in the way. */
  extend(first: number, pages: number): boolean {
    const owner = this.#owners[first] ?? 0
    assert.ok(owner > 0)
    if (first + pages > this.#owners.length) return false
    const wanted = this.#owners.slice(first, first + pages)
    if (!wanted.every((other) => other === 0 || Math.abs(other) === owner)) return false
    this.#owners.fill(owner, first, first + pages)
    return true
  }

  release(owner: Owner): void {
    this.#replace((other) => Math.abs(other) === owner, 0)
  }

  #find(length: number, end: number, free: (owner: Owner) => boolean): number | undefined {
    let run = 0
    for (let page = 0; page < end; page++) {
      run = free(this.#owners[page] ?? 0) ? run + 1 : 0
      if (run === length) return page - length + 1
    }
    return undefined
  }

  #replace(which: (owner: Owner) => boolean, by: Owner): void {
    for (const [page, owner] of this.#owners.entries()) if (which(owner)) this.#owners[page] = by
  }
}
