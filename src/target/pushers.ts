// The connections that a target pushes to, floods or stalls: each of them costs time or memory for as long as it lasts, so
// there is a bound to how many there are at once.

export class Pushers {
  readonly #most: number
  #now = 0

  constructor(most: number) {
    this.#most = most
  }

  /** How many there are now. */
  get size(): number {
    return this.#now
  }

  get full(): boolean {
    return this.#now >= this.#most
  }

  get most(): number {
    return this.#most
  }

  /** Takes a place, unless all are taken. Returns what gives it back, once however often it is called. */
  take(): (() => void) | undefined {
    if (this.full) return undefined
    this.#now++
    let given = false
    return () => {
      if (!given) this.#now--
      given = true
    }
  }
}
