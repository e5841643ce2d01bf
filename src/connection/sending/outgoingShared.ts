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
