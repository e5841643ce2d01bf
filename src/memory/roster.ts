// Those who stand in a list, in the order in which they came, and come and go with each message. That is no Set: when V8 gives
// a Set another table, the old one refers to the new one. Once one of them is old, its garbage keeps all that follow, and what
// stood in them, through every collection of the young: messages of 64 KiB cost a collection of everything each 200 ms.

/** Whoever can stand in one roster at a time. */
export interface Rostered {
  /** Where it stands, which only the roster reads. */
  standing?: number | undefined
}

/** Fewer places are not worth to be closed up. */
const LEAST = 32

export class Roster<Item extends Rostered> {
  readonly #items: (Item | undefined)[] = []
  /** No earlier place is taken. */
  #head = 0
  /** Where the next one stands. The array keeps its length, so that it need not grow again. */
  #end = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Who came first; undefined if there is nobody. */
  get first(): Item | undefined {
    if (this.#size === 0) return undefined
    while (this.#items[this.#head] === undefined) this.#head++
    return this.#items[this.#head]
  }

  has(item: Item): boolean {
    return item.standing !== undefined && this.#items[item.standing] === item
  }

  add(item: Item): void {
    if (this.has(item)) return
    if (this.#end >= LEAST && this.#end >= 2 * this.#size) this.#closeUp()
    item.standing = this.#end
    this.#items[this.#end++] = item
    this.#size++
  }

  /** Returns whether it stood here. */
  delete(item: Item): boolean {
    if (item.standing === undefined || !this.has(item)) return false
    this.#items[item.standing] = undefined
    item.standing = undefined
    if (--this.#size === 0) this.#head = this.#end = 0
    return true
  }

  /** Those who stand here now, whoever comes and goes meanwhile. */
  [Symbol.iterator](): IterableIterator<Item> {
    return this.#all().values()
  }

  #all(): Item[] {
    return this.#items.filter((item) => item !== undefined)
  }

  #closeUp(): void {
    const all = this.#all()
    this.#items.fill(undefined, all.length, this.#end)
    for (const [at, item] of all.entries()) {
      item.standing = at
      this.#items[at] = item
    }
    this.#head = 0
    this.#end = all.length
  }
}
