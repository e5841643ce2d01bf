// UTF-8 validation (RFC 3629), resumable at any byte, failing at the first byte that can't be right.
// What is longer than a block goes through the loops of utf8Blocks.ts, after Keiser and Lemire ("Validating UTF-8 in less
// than one instruction per byte", 2020); what is shorter, and a character that is cut, through an automaton of one step
// per byte.
import { isValidSpan, lastBoundary, SHORTEST_SPAN } from './utf8Blocks'

/** The automaton's states: 0 between characters, REJECTED, or the bytes still due | lowest next << 8 | highest next << 16. */
export const UTF8_REJECTED: u32 = 0xffffffff
/** One look tells which characters so many bytes have, and so which loop they need. */
const PIECE: usize = 4096
const ANY_CONTINUATION: u32 = (0x80 << 8) | (0xbf << 16)

function step(state: u32, byte: u32): u32 {
  if (state == 0) {
    if (byte < 0x80) return 0
    if (byte < 0xc2) return UTF8_REJECTED // a continuation byte, or an overlong form of ASCII
    if (byte < 0xe0) return 1 | ANY_CONTINUATION
    if (byte == 0xe0) return 2 | (0xa0 << 8) | (0xbf << 16) // below: overlong
    if (byte == 0xed) return 2 | (0x80 << 8) | (0x9f << 16) // above: surrogates
    if (byte < 0xf0) return 2 | ANY_CONTINUATION
    if (byte == 0xf0) return 3 | (0x90 << 8) | (0xbf << 16) // below: overlong
    if (byte < 0xf4) return 3 | ANY_CONTINUATION
    if (byte == 0xf4) return 3 | (0x80 << 8) | (0x8f << 16) // above: beyond U+10FFFF
    return UTF8_REJECTED
  }
  if (byte < ((state >> 8) & 0xff) || byte > state >> 16) return UTF8_REJECTED
  const due = (state & 0xff) - 1
  return due ? due | ANY_CONTINUATION : 0
}

function steps(state: u32, from: usize, to: usize): u32 {
  while (from < to && state != UTF8_REJECTED) state = step(state, load<u8>(from++))
  return state
}

/** Validates `length` bytes that follow a span which ended in `state`; returns the new state. */
export function validate(state: u32, pointer: usize, length: usize): u32 {
  const end = pointer + length
  assert(pointer <= end)
  assert(state == UTF8_REJECTED || (state & 0xff) <= 3)
  while (state != 0 && pointer < end) {
    if (state == UTF8_REJECTED) return state
    state = step(state, load<u8>(pointer++))
  }
  while (end - pointer >= SHORTEST_SPAN) {
    const stop = min(pointer + PIECE, end)
    if (!isValidSpan(pointer, stop)) return UTF8_REJECTED
    const boundary = lastBoundary(pointer, stop)
    assert(pointer < boundary && boundary <= stop && stop - boundary <= 3)
    pointer = boundary
  }
  return steps(state, pointer, end)
}
