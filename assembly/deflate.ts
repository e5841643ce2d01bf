// DEFLATE (RFC 1951), as RFC 7692 uses it. It is made for short messages: fast and greedy, with fixed codes while these
// are short, dynamic ones where they pay, and stored blocks for what does not get shorter.
import { out, outBits, outHeld, padByte, put, putStored, resumeOut } from './bitOutput'
import { writeTokens } from './blockWriter'
import { append, DEFLATER_AT, DEFLATER_BITS, DEFLATER_HELD, DEFLATER_KEPT } from './deflater'
import { hasKept, keptLimit, noteUse, writeKeptHeader } from './keptCodes'
import { clearTokens, findTokens, tokensEnd, writeAtOnce } from './matches'
import { END_OF_BLOCK } from './symbols'
import { MOST_TOKENS, report, SHORT_CODES, TOKENS, workspace } from './workspace'

/** How a call of `deflate` ended. */
export const DEFLATE_DONE: u32 = 0
export const DEFLATE_ROOM: u32 = 1 // there is not enough room for the rest

/** Up to so many bytes, the fixed codes are written at once. */
const SHORT: u32 = 256
/** The longest block, so that it may be a stored one. */
const LONGEST_BLOCK: u32 = 0xffff
/** Room that a block may need beyond the bytes that it stands for: its header, 9 bits for each of few bytes, and a store. */
const BLOCK_ROOM: u32 = 64
/** Room that the end of a message may need, and what a store may write behind it. */
const END_ROOM: u32 = 16
/** With so much room, a call does something. */
export const DEFLATE_LEAST_ROOM: u32 = 128

/** Bytes of room with which a call takes `length` bytes whatever they are. */
export function deflateBound(length: u32): f64 {
  return (length as f64) + ((length / MOST_TOKENS + 1) as f64) * BLOCK_ROOM + END_ROOM
}

/**
 * Deflates `length` bytes from `from` and writes at most `room` bytes to `to`. With `flush`, they are the last ones of a
 * message, which ends as RFC 7692, section 7.2.1 says: with an empty stored block, but for its 00 00 ff ff. Returns a
 * DEFLATE status; how many bytes were consumed and written is in the workspace.
 */
export function deflate(state: usize, from: usize, length: u32, to: usize, room: u32, flush: bool): u32 {
  const end = from + length
  const roomEnd = to + room
  let at = from
  let status = DEFLATE_DONE
  resumeOut(to, load<u32>(state, DEFLATER_BITS) as u64, load<u32>(state, DEFLATER_HELD) as u64)
  while (at < end) {
    const left = roomEnd - out
    if (left <= BLOCK_ROOM) {
      status = DEFLATE_ROOM
      break
    }
    at += writeBlock(state, at, min<usize>(min<usize>(end - at, LONGEST_BLOCK), left - BLOCK_ROOM) as u32)
  }
  if (at == end && flush) {
    if (roomEnd - out < END_ROOM) status = DEFLATE_ROOM
    else {
      put(0, 3)
      padByte()
    }
  }
  store<u32>(state, outBits as u32, DEFLATER_BITS)
  store<u32>(state, outHeld as u32, DEFLATER_HELD)
  assert(out <= roomEnd && at <= end && outHeld < 8)
  report((at - from) as u32, (out - to) as u32)
  return status
}

/** Writes a block of at most `length` bytes; returns how many it stands for. It is never longer than a stored one. */
function writeBlock(state: usize, from: usize, length: u32): u32 {
  if (length <= SHORT) return writeShortBlock(state, from, length)
  return hasKept(state, length) ? writeKeptBlock(state, from, length) : writeLongBlock(state, from, length)
}

function writeShortBlock(state: usize, from: usize, length: u32): u32 {
  const bytes = append(state, from, length)
  const start = out
  const bits = outBits
  const held = outHeld
  put(0b010, 3)
  writeAtOnce(state, load<u32>(state, DEFLATER_AT) + bytes, workspace + SHORT_CODES, usize.MAX_VALUE)
  put(0, 7)
  if (((out - start) << 3) + (outHeld as usize) > (bytes + 5) << 3) {
    resumeOut(start, bits, held)
    putStored(from, bytes)
  }
  return bytes
}

/**
 * Writes a block with the codes that are kept, while they suit: what follows is for the next block. If this one is not
 * shorter than what it stands for, a block with codes of its own takes its place.
 */
function writeKeptBlock(state: usize, from: usize, length: u32): u32 {
  const bytes = append(state, from, length)
  assert(bytes == length)
  const begin = load<u32>(state, DEFLATER_AT)
  const start = out
  const bits = outBits
  const held = outHeld
  writeKeptHeader(state)
  const codes = load<u32>(state, DEFLATER_KEPT) as usize
  writeAtOnce(state, begin + bytes, codes, start + keptLimit(state, bytes))
  const code = load<u16>(codes + (END_OF_BLOCK << 1)) as u32
  put(code & 0xfff, code >> 12)
  const taken = load<u32>(state, DEFLATER_AT) - begin
  const isShorter = out - start < taken
  noteUse(state, isShorter && taken == bytes)
  if (isShorter) return taken
  store<u32>(state, begin, DEFLATER_AT)
  resumeOut(start, bits, held)
  return writeLongBlock(state, from, length)
}

function writeLongBlock(state: usize, from: usize, length: u32): u32 {
  const full = workspace + TOKENS + 4 * MOST_TOKENS
  clearTokens()
  let taken: u32 = 0
  while (taken < length && tokensEnd < full) {
    const bytes = append(state, from + taken, length - taken)
    const at = load<u32>(state, DEFLATER_AT)
    findTokens(state, at + bytes)
    taken += load<u32>(state, DEFLATER_AT) - at
  }
  writeTokens(state, from, taken)
  return taken
}
