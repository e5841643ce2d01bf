// First in, first out, whatever its length.

export class Queue<Item> {
  #items: Item[] = []
  #first = 0

  get length(): number {
    return this.#items.length - this.#first
  }

  get first(): Item | undefined {
    return this.#items[this.#first]
  }

  push(item: Item): void {
    this.#items.push(item)
  }

  shift(): Item | undefined {
    const item = this.#items[this.#first]
    if (this.#first < this.#items.length) this.#first++
    if (this.#first < 1024 || this.#first < this.#items.length / 2) return item
    this.#items = this.#items.slice(this.#first)
    this.#first = 0
    return item
  }

  *[Symbol.iterator](): Iterator<Item> {
    for (let at = this.#first; at < this.#items.length; at++) yield this.#items[at] as Item
  }
}
