// First in, first out, in constant time however many wait: `Array.shift` moves all the others each time.

/** As many places may be empty at the front before the array is cut. */
const MOST_EMPTY = 1024

export class Queue<Item> {
  #items: (Item | undefined)[] = []
  #head = 0

  get length(): number {
    return this.#items.length - this.#head
  }

  /** The item that came first; undefined in an empty queue. */
  get first(): Item | undefined {
    return this.#items[this.#head]
  }

  /** The item that came last; undefined in an empty queue. */
  get last(): Item | undefined {
    return this.#items.at(-1)
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  /** Takes the item that came first; undefined from an empty queue. */
  shift(): Item | undefined {
    if (this.#head === this.#items.length) return undefined
    const item = this.#items[this.#head]
    this.#items[this.#head++] = undefined
    if (this.#head === this.#items.length) this.#items.length = this.#head = 0
    else if (this.#head >= MOST_EMPTY && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head)
      this.#head = 0
    }
    return item
  }

  /** Takes all items, in order. */
  clear(): Item[] {
    const items = this.#items.slice(this.#head) as Item[]
    this.#items = []
    this.#head = 0
    return items
  }

  *[Symbol.iterator](): IterableIterator<Item> {
    for (let at = this.#head; at < this.#items.length; at++) yield this.#items[at] as Item
  }
}
