// How many pages are free after each extent, and which extent is the first with enough of them: a tournament tree over
// all pages. The leaf of a page is the gap after the extent that begins there, and each inner node is the longest gap
// below it, so that a gap is noted and found in as many steps as the tree has levels: 16 for 4 GiB.

const FEWEST = 64

export class PageGaps {
  #capacity = FEWEST
  /** The root is 1, the children of n are 2n and 2n + 1, and the leaf of page p is capacity + p. Gaps fit in 16 bits. */
  #longest = new Uint16Array(2 * FEWEST)

  /** Makes the tree reach as far as `page`. */
  cover(page: number): void {
    while (page >= this.#capacity) this.#double()
  }

  /** Notes that `length` pages are free after the extent that begins at `page`, which the tree must cover. */
  set(page: number, length: number): void {
    const longest = this.#longest
    let node = this.#capacity + page
    longest[node] = length
    for (node >>= 1; node > 0; node >>= 1) {
      const longer = Math.max(longest[2 * node] ?? 0, longest[2 * node + 1] ?? 0)
      if (longest[node] === longer) return // the nodes above it do not change either
      longest[node] = longer
    }
  }

  /** The lowest page at which an extent begins with `length` free pages after it. */
  first(length: number): number | undefined {
    const longest = this.#longest
    if (!((longest[1] ?? 0) >= length)) return undefined
    let node = 1
    while (node < this.#capacity) {
      node *= 2
      if ((longest[node] ?? 0) < length) node++
    }
    return node - this.#capacity
  }

  /** The tree becomes the left half of one that is twice as large, and the right half is empty. */
  #double(): void {
    const longest = new Uint16Array(4 * this.#capacity)
    for (let level = 1; level <= this.#capacity; level *= 2) {
      longest.set(this.#longest.subarray(level, 2 * level), 2 * level)
    }
    longest[1] = this.#longest[1] ?? 0
    this.#longest = longest
    this.#capacity *= 2
  }
}
