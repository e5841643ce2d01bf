// What the sending halves of all connections share, and what each of them tells.
import type { Heap } from '../../codec/codec.js'
import type { Budget } from '../../memory/budget.js'
import type { Turn } from '../turn.js'

/** Whoever decides what is sent. */
export interface OutgoingOwner {
  /** What could be written has been; `buffered` tells what is left. */
  flushed(): void
  /** A write failed: the peer is gone. */
  writeFailed(): void
  /** There is more to write, in a turn of its own. */
  goesOn(): void
}

/** What the sending halves of all connections share. */
export interface OutgoingContext {
  readonly heap: Heap
  readonly turn: Turn
  readonly budget: Budget
}
