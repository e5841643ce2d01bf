// How a message of millrace/ws is sent, in one number.
import { OPCODE_BINARY, OPCODE_TEXT } from '../codec/frames.js'

/** How a message is sent, as bits. */
export const Flag = {
  binary: 1,
  compress: 2,
  /** It ends its message. */
  fin: 4,
  /** It is masked where this side's frames are not, or not masked where they are. */
  otherMask: 8,
} as const

/** The opcode of a message that is sent with these flags. */
export function opcodeFor(flags: number): number {
  return (flags & Flag.binary) !== 0 ? OPCODE_BINARY : OPCODE_TEXT
}
