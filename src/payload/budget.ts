// The memory that large payloads may hold in this process. When it is spent, reading pauses; only the oldest
// unfinished payload may always grow to the message limit, so that somebody can finish and nobody deadlocks.

/** Someone with an unfinished payload. */
export interface Claimant {
  /** Memory may have become free: ask again. */
  budgetFreed(): void
  /** The payload's sender has sent nothing for the whole payload timeout. */
  payloadStalled(): void
  /** When the last byte came, in milliseconds of `performance.now()`; Infinity while we are not reading. */
  readonly lastArrival: number
}

export class Budget {
  /** Bytes that may be held. */
  readonly limit: number
  /** Bytes held: regions, parked reads, copies kept for handlers that are not done. */
  used = 0
  /** In order of age: a Set keeps the order in which its members came. */
  readonly #unfinished = new Set<Claimant>()
  readonly #waiting = new Set<Claimant>()
  #wakeUp: NodeJS.Immediate | undefined

  readonly #began: () => void

  /** `began` is called when a payload begins to arrive. */
  constructor(limit: number, began: () => void = () => undefined) {
    this.limit = limit
    this.#began = began
  }

  get spent(): boolean {
    return this.used >= this.limit
  }

  /** How many payloads are unfinished. */
  get unfinished(): number {
    return this.#unfinished.size
  }

  /** A payload begins to arrive. */
  begin(claimant: Claimant): void {
    this.#unfinished.add(claimant)
    this.#began()
  }

  /** It is complete, or given up; what it holds is given back by `give`, later. */
  end(claimant: Claimant): void {
    this.#waiting.delete(claimant)
    if (this.#unfinished.delete(claimant)) this.#wake()
  }

  /** Whether `claimant` may hold `bytes` more. If not, `budgetFreed` tells it when to ask again. */
  allows(claimant: Claimant, bytes: number): boolean {
    if (this.used + bytes <= this.limit || this.#unfinished.values().next().value === claimant) return true
    this.#waiting.add(claimant)
    return false
  }

  /** Notes that `bytes` more are held, allowed or not: what has been read must go somewhere. */
  charge(bytes: number): void {
    this.used += bytes
  }

  /** Notes that `bytes` are free again. */
  readonly give = (bytes: number): void => {
    this.used -= bytes
    this.#wake()
  }

  /** Tells those whose payload has not moved for `timeout` milliseconds. */
  checkStalls(now: number, timeout: number): void {
    for (const claimant of this.#unfinished) if (now - claimant.lastArrival > timeout) claimant.payloadStalled()
  }

  #wake(): void {
    if (this.#waiting.size === 0 || this.#wakeUp !== undefined) return
    this.#wakeUp = setImmediate(() => {
      this.#wakeUp = undefined
      const [oldest] = this.#unfinished
      // The oldest first, even with nothing free; the others in the order in which they began to wait.
      if (oldest !== undefined && this.#waiting.delete(oldest)) oldest.budgetFreed()
      for (const claimant of [...this.#waiting]) {
        if (this.spent) return
        if (this.#waiting.delete(claimant)) claimant.budgetFreed()
      }
    })
  }
}
