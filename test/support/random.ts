// Random numbers from a seed, so that what a random test finds can be found again: SEED=… repeats its run.

const { SEED = '6455' } = process.env

/** The seed of this run. */
export const seed = Number(SEED)

/** Mulberry32: small, fast, and random enough to find mistakes. */
export class Random {
  #state: number

  constructor(from: number) {
    this.#state = from >>> 0
  }

  /** A random u32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** A whole number from 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor((this.next() / 2 ** 32) * end)
  }

  /** A whole number from `first` to `last`. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1)
  }

  /** True in `share` of all cases. */
  chance(share: number): boolean {
    return this.next() < share * 2 ** 32
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('there is nothing to pick from')
    return item
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.alloc(length)
    for (let at = 0; at < length; at++) bytes[at] = this.next()
    return bytes
  }
}
