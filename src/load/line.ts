// What looks at all that a connection of a load hears, piece by piece, and makes what it says.
import type { Piece } from '../codec/counter.js'
import { ProtocolViolation } from '../protocol/violation.js'
import type { Sequence } from './sequence.js'

/** A line whose messages have numbers, by which it knows what is an answer. */
export interface NumberedLine {
  /** What is wrong with what has come, if anything. */
  readonly problem: string | undefined
  readonly sequence?: Sequence
  /** The frames of the next messages, which must be written before others are made. Absent where nothing of its own is sent. */
  next?(): { readonly pointer: number; readonly length: number }
  /** Nothing is being written any more. */
  written(): void
  /** Takes whole frames from the first on, as long as they look like what was sent; returns where it has come to. */
  skim(start: number, end: number): number
  /** Takes a piece of a message, which is an answer or came before all answers. Returns what is wrong with it. */
  take(piece: Piece, isAnswer: boolean): string | undefined
  /** Answers since this was asked last. */
  takeAnswers(): number
  /** Messages that were passed over since this was asked last. */
  takePassed(): number
  /** Gives back everything; the transport must be gone. */
  free(): void
}

/** What is wrong with a message that looks compressed where nothing of that was agreed. */
export function reservedBit(): string {
  return `the server broke the protocol: ${new ProtocolViolation('RESERVED_BITS').message}`
}
