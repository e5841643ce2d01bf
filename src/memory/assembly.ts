// The unfinished payload of one connection: a region that grows within the budget as the bytes arrive.
import { type Heap, Region } from '../codec/codec.js'
import type { Parser } from '../codec/parser.js'
import type { Budget, Claimant, UnfinishedPayload } from './budget.js'

export class Assembly implements UnfinishedPayload {
  readonly claimant: Claimant
  readonly timeout: number
  lastArrival: number
  lastGrowth: number
  readonly #budget: Budget
  #region: Region | undefined

  /** `timeout` is how long it may stop arriving, in milliseconds; 0 is for ever. */
  constructor(budget: Budget, claimant: Claimant, timeout: number) {
    this.timeout = timeout
    this.#budget = budget
    this.claimant = claimant
    this.lastArrival = this.lastGrowth = budget.stalls.clock.now
    budget.begin(this)
  }

  /** Bytes of its region. */
  get size(): number {
    return this.#region?.size ?? 0
  }

  /** Bytes have come; `reading` is false while this server does not read from the peer. */
  arrived(reading: boolean): void {
    const { now } = this.#budget.stalls.clock
    if (this.lastArrival === Infinity) this.lastGrowth = now // it could not grow while we did not read
    this.lastArrival = reading ? now : Infinity
  }

  /**
   * Makes the room that the parser asks for.
   * False if the budget must first get free; the claimant is told when to try again. Throws a RangeError if the memory
   * itself has no place.
   */
  grow(heap: Heap, parser: Parser): boolean {
    const { needed, filled, announced } = parser
    const held = this.size
    const budget = this.#budget
    const size = this.#region?.sizeWith(needed, announced) ?? Region.size(needed, announced)
    if (!budget.allows(this, Math.max(size - held, 0))) return false
    if (this.#region === undefined)
      this.#region = new Region(heap, needed, announced, (bytes) => budget.resized(bytes, 0))
    else this.#region.grow(needed, filled, announced)
    budget.resized(held, this.#region.size)
    this.lastGrowth = budget.stalls.clock.now
    parser.grant(this.#region)
    return true
  }

  /** The payload is complete: the region belongs to the caller. */
  finish(): Region | undefined {
    this.#budget.end(this)
    const region = this.#region
    this.#region = undefined
    return region
  }

  /** The payload is given up. */
  drop(): void {
    this.finish()?.release()
  }
}
