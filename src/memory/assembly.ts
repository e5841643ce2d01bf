// The unfinished payload of one connection: a region that grows within the budget as the bytes arrive.
import { type Heap, Region } from '../codec/codec.js'
import type { Budget, Claimant, UnfinishedPayload } from './budget.js'

/** Whoever fills the region. */
export interface Growing {
  /** Bytes that the region must hold. */
  readonly needed: number
  /** Bytes that are in it. */
  readonly filled: number
  /** Bytes that it may come to hold. */
  readonly announced: number
  /** Whether all that is announced, once it is there, is the whole message. Left out: that is not known. */
  readonly frameIsFinal?: boolean
  /** The region is here; it holds what was in the one before. */
  grant(region: Region): void
}

export class Assembly implements UnfinishedPayload {
  readonly claimant: Claimant
  readonly timeout: number
  standing: number | undefined
  lastArrival = Infinity
  lastGrowth = 0
  readonly #budget: Budget
  #region: Region | undefined
  /** Whether the budget watches how it arrives. */
  #watched = false

  /** `timeout` is how long it may stop arriving, in milliseconds; 0 is for ever. */
  constructor(budget: Budget, claimant: Claimant, timeout: number) {
    this.timeout = timeout
    this.#budget = budget
    this.claimant = claimant
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
   * Makes the room that is asked for.
   * False if the budget must first get free; the claimant is told when to try again. Throws a RangeError if the memory
   * itself has no place.
   */
  grow(heap: Heap, growing: Growing): boolean {
    const { needed, filled, announced } = growing
    const held = this.size
    const budget = this.#budget
    const size = this.#region?.sizeWith(needed, announced) ?? Region.size(needed, announced)
    // What has been read whole ends before anything else happens: nobody need watch whether it does.
    if (!this.#watched && (needed < announced || !growing.frameIsFinal || !budget.hasRegion(size))) this.#watch()
    if (this.#watched && !budget.allows(this, Math.max(size - held, 0))) return false
    if (this.#region === undefined) this.#region = new Region(heap, needed, announced, budget.regionFreed)
    else this.#region.grow(needed, filled, announced)
    budget.resized(held, this.#region.size)
    if (this.#watched) this.lastGrowth = budget.stalls.clock.now
    growing.grant(this.#region)
    return true
  }

  #watch(): void {
    this.#watched = true
    this.lastArrival = this.lastGrowth = this.#budget.stalls.clock.now
    this.#budget.begin(this)
  }

  /** The payload is complete: the region belongs to the caller. */
  finish(): Region | undefined {
    if (this.#watched) this.#budget.end(this)
    const region = this.#region
    this.#region = undefined
    return region
  }

  /** The payload is given up. */
  drop(): void {
    this.finish()?.release()
  }
}
