// A payload that is handed out while it arrives: it holds no region, but its sender must not stop either.
import type { Budget, Claimant, WatchedPayload } from './budget.js'

export class Flow implements WatchedPayload {
  readonly claimant: Claimant
  readonly timeout: number
  standing: number | undefined
  lastArrival: number
  readonly #budget: Budget

  /** `timeout` is how long it may stop arriving, in milliseconds; 0 is for ever. */
  constructor(budget: Budget, claimant: Claimant, timeout: number) {
    this.timeout = timeout
    this.claimant = claimant
    this.#budget = budget
    this.lastArrival = budget.stalls.clock.now
    budget.stalls.watch(this)
  }

  /** Bytes have come; `reading` is false while this server does not read from the peer. */
  arrived(reading: boolean): void {
    this.lastArrival = reading ? this.#budget.stalls.clock.now : Infinity
  }

  /** The payload is complete, or given up. */
  drop(): void {
    this.#budget.stalls.unwatch(this)
  }
}
