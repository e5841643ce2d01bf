// Those who make the server hold something, as the budget knows them.
import type { Rostered } from './roster.js'

/** A connection or socket that makes the server hold something. */
export interface Holder extends Rostered {
  /** Bytes that it makes the server hold, regions of messages that are arriving left out: the budget's own. */
  held: number
  /** Whether the holder has ended already: ending it would free nothing. */
  readonly gone: boolean
  /** The holder holds the most, and room is needed: it must end, and release what it holds. */
  evicted(): void
}

/** Someone with an unfinished payload. */
export interface Claimant extends Holder {
  /** Memory may have become free: ask again. */
  budgetFreed(): void
  /** The payload's sender has sent nothing for the whole payload timeout, or too little while others wait for memory: that is `why`. */
  payloadStalled(why: string): void
}

/** A payload whose sender must not stop. */
export interface WatchedPayload extends Rostered {
  readonly claimant: Claimant
  /** When its last byte came, by the budget's clock; Infinity while we are not reading. */
  readonly lastArrival: number
  /** How long it may stop arriving, in milliseconds; 0 is for ever. */
  readonly timeout: number
}

/** A payload that is arriving in a region. */
export interface UnfinishedPayload extends WatchedPayload {
  /** When its region last grew. */
  readonly lastGrowth: number
  /** Bytes of its region. */
  readonly size: number
}

/** Where memory that is held is counted, in bytes. */
export interface MemoryBook {
  charge(bytes: number): void
  discharge(bytes: number): void
}
