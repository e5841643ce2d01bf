// What the sending halves of all connections share, and what each of them tells.
import type { Heap } from '../../codec/codec.js'
import type { Budget } from '../../memory/budget.js'
import type { Counts } from '../../metrics/counts.js'
import { turnClockOfThread } from '../../time/turnClock.js'
import type { Transport } from '../../transport/transport.js'
import type { Turn } from '../turn.js'

/** Longer frames are sent from where they lie: a shorter one is copied, if that saves a write of its own. */
export const LONGEST_COPIED = 16_384

/** Bytes that the objects of a write cost. */
export const OBJECTS = 256

/**
 * Bytes that one connection writes before the others have a turn, a message of 1 MiB in one write; and in a turn in which
 * others have much to read or write, too. What a write can't finish at once, libuv writes in one go, as soon as it can.
 */
const MOST_IN_A_ROW = 1024 * 1024 + 65_536
const LITTLE_IN_A_ROW = 256 * 1024

/** Bytes that a connection with so many waiting may write now. */
export function shareOf(waiting: number, transport: Transport): number {
  return waiting > LITTLE_IN_A_ROW && turnClockOfThread().crowded(transport) ? LITTLE_IN_A_ROW : MOST_IN_A_ROW
}

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
  readonly counts: Counts
}

/**
 * How many bytes may be buffered where the output policy is not to wait. A peer whose share of a turn is spent may be reading
 * all that it is sent, so nothing is refused before the ceiling, which is there for what the application itself piles up.
 */
export function mostBuffered(
  { blocked, waits }: { readonly blocked: boolean; readonly waits: boolean },
  { outputLimit, outputCeiling }: { readonly outputLimit: number; readonly outputCeiling: number },
): number {
  if (blocked) return outputLimit
  return waits ? Math.max(outputLimit, outputCeiling) : Number.POSITIVE_INFINITY
}
