// What one connection makes the server hold, for those who keep something for it.

import { networkOf } from '../protocol/ipAddress.js'
import type { Budget, Holder } from './budget.js'
import { type Keeper, Remainder } from './remains.js'

/** Bytes that the objects of a kept message, chunk or pending handler cost besides its payload. */
export const OBJECTS = 512

export class Account {
  readonly #budget: Budget
  readonly #holder: Holder
  /** The network that the connection came from, which is not known any more when it has ended. */
  readonly #network: string

  constructor(budget: Budget, holder: Holder, address?: string) {
    this.#budget = budget
    this.#holder = holder
    this.#network = networkOf(address ?? '')
  }

  /** Whether memory is short: what is kept should be taken before more is read. */
  get tight(): boolean {
    return this.#budget.tight
  }

  /** Notes that `bytes` are kept; false if there is no room, and they must not be. */
  keep(bytes: number): boolean {
    return this.#budget.keep(this.#holder, bytes)
  }

  /** Notes that they are kept no longer. */
  release(bytes: number): void {
    this.#budget.release(this.#holder, bytes)
  }

  /** The connection has ended: what `keeper` still keeps for it is counted there. */
  remainder(keeper: Keeper): Remainder {
    return new Remainder(this.#budget.remains, keeper, this.#network)
  }

  /** What is kept passes from the connection to `remainder`, in bytes of payloads and of objects. */
  leave(remainder: Remainder, payloads: number, objects: number): void {
    this.#budget.attribute(this.#holder, -payloads - objects)
    remainder.take(payloads, objects)
  }
}
