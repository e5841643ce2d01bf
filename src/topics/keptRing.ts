// What is known of the publications that a topic keeps, in rows of numbers that are used again and again: a publication must
// not cost an object, which would live long enough to be moved by the garbage collector, and then die.

/** Places that the rows have at first; they have twice as many whenever that is not enough. */
const FEWEST = 4

export class KeptRing<Block> {
  #blocks: (Block | undefined)[] = []
  #pointers: number[] = []
  #lengths: number[] = []
  #times: number[] = []
  /** Where the oldest one lies: the others follow it, around the end. */
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** In which block one lies. The oldest one has the index 0, and others must not be asked for than there are. */
  blockOf(index: number): Block | undefined {
    return this.#blocks[this.#place(index)]
  }

  pointerOf(index: number): number {
    return this.#pointers[this.#place(index)] ?? 0
  }

  lengthOf(index: number): number {
    return this.#lengths[this.#place(index)] ?? 0
  }

  /** When it was published, in milliseconds of `performance.now()`. */
  timeOf(index: number): number {
    return this.#times[this.#place(index)] ?? 0
  }

  push(block: Block, pointer: number, length: number, time: number): void {
    if (this.#size === this.#blocks.length) this.#resize(Math.max(FEWEST, 2 * this.#size))
    this.#put(this.#place(this.#size++), block, pointer, length, time)
  }

  /** Puts one in front of the oldest. */
  unshift(block: Block, pointer: number, length: number, time: number): void {
    if (this.#size === this.#blocks.length) this.#resize(Math.max(FEWEST, 2 * this.#size))
    this.#head = this.#place(this.#blocks.length - 1)
    this.#size++
    this.#put(this.#head, block, pointer, length, time)
  }

  /** Takes the oldest one away; returns its block. */
  shift(): Block | undefined {
    if (this.#size === 0) return undefined
    const block = this.#blocks[this.#head]
    this.#blocks[this.#head] = undefined
    this.#head = this.#place(1)
    this.#size--
    const places = this.#blocks.length
    if (this.#size < places / 4) this.#resize(this.#size === 0 ? 0 : Math.max(FEWEST, places / 2))
    return block
  }

  #put(place: number, block: Block, pointer: number, length: number, time: number): void {
    this.#blocks[place] = block
    this.#pointers[place] = pointer
    this.#lengths[place] = length
    this.#times[place] = time
  }

  /** There are always as many places as a power of two says, or none. */
  #place(index: number): number {
    return (this.#head + index) & (this.#blocks.length - 1)
  }

  #resize(places: number): void {
    if (places === this.#blocks.length) return
    const head = this.#head
    this.#blocks = moved(this.#blocks, head, places, undefined)
    this.#pointers = moved(this.#pointers, head, places, 0)
    this.#lengths = moved(this.#lengths, head, places, 0)
    this.#times = moved(this.#times, head, places, 0)
    this.#head = 0
  }
}

/** A row whose items begin at `head`, with so many places: what is beyond them is empty. */
function moved<Item>(row: readonly Item[], head: number, places: number, empty: Item): Item[] {
  const items = row
    .slice(head, head + places)
    .concat(row.slice(0, head))
    .slice(0, places)
  while (items.length < places) items.push(empty)
  return items
}
