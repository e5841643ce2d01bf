// The memory that large payloads may hold in this process. When it is spent, reading pauses; only the oldest
// unfinished payload may always grow to the message limit, so that somebody can finish and nobody deadlocks.
import { runOutside } from '../internals/context.js'

/** Someone with an unfinished payload. */
export interface Claimant {
  /** Memory may have become free: ask again. */
  budgetFreed(): void
  /** The payload's sender has sent nothing for the whole payload timeout. */
  payloadStalled(): void
}

/** A payload that is arriving. */
export interface Unfinished {
  readonly claimant: Claimant
  /** When its last byte came, in milliseconds of `performance.now()`; Infinity while we are not reading. */
  readonly lastArrival: number
  /** How long it may stop arriving, in milliseconds; 0 is for ever. */
  readonly timeout: number
}

export class Budget {
  /** Bytes that may be held. */
  readonly limit: number
  /** Bytes held: regions, parked reads, copies kept for handlers that are not done. */
  used = 0
  /** In order of age: a Set keeps the order in which its members came. */
  readonly #unfinished = new Set<Unfinished>()
  readonly #waiting = new Set<Unfinished>()
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
  begin(payload: Unfinished): void {
    this.#unfinished.add(payload)
    this.#began()
  }

  /** It is complete, or given up; what it holds is given back by `give`, later. */
  end(payload: Unfinished): void {
    this.#waiting.delete(payload)
    if (this.#unfinished.delete(payload)) this.#wake()
  }

  /** Whether `payload` may hold `bytes` more. If not, `budgetFreed` tells its claimant when to ask again. */
  allows(payload: Unfinished, bytes: number): boolean {
    if (this.used + bytes <= this.limit || this.#unfinished.values().next().value === payload) return true
    this.#waiting.add(payload)
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

  /** Tells those whose payload has not moved for too long. */
  checkStalls(now: number): void {
    for (const { lastArrival, timeout, claimant } of this.#unfinished) {
      if (timeout > 0 && now - lastArrival > timeout) runOutside(() => claimant.payloadStalled())
    }
  }

  #wake(): void {
    if (this.#waiting.size === 0 || this.#wakeUp !== undefined) return
    this.#wakeUp = setImmediate(() => runOutside(() => this.#tellWaiting()))
  }

  #tellWaiting(): void {
    this.#wakeUp = undefined
    const [oldest] = this.#unfinished
    // The oldest first, even with nothing free; the others in the order in which they began to wait.
    if (oldest !== undefined && this.#waiting.delete(oldest)) oldest.claimant.budgetFreed()
    for (const payload of [...this.#waiting]) {
      if (this.spent) return
      if (this.#waiting.delete(payload)) payload.claimant.budgetFreed()
    }
  }
}
