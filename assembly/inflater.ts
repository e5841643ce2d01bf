// The inflater's state: what one connection's inflater remembers between calls, and its window.
//
// The window is a ring of bytes in a block of its own, so that it can grow as it is used: a peer that has sent 3 KiB has
// a window of 4 KiB, whatever was negotiated. What lies in it is what earlier calls have `keep`t.
import { copyApart } from './copy'

/** A state. Offsets are from its address. */
export const INFLATER_SIZE: u32 = 464
export const INFLATER_PHASE: u32 = 0 // u32
export const INFLATER_HELD: u32 = 4 // u32: bits in INFLATER_BITS
export const INFLATER_BITS: u32 = 8 // u64: bits of the input that are consumed and not yet used
export const INFLATER_FINAL: u32 = 16 // u32: BFINAL of the block under way
export const INFLATER_STORED: u32 = 20 // u32: bytes of a stored block still to come
export const INFLATER_MATCH: u32 = 24 // u32: bytes of a match still to be written
export const INFLATER_DISTANCE: u32 = 28 // u32: its distance
export const INFLATER_WINDOW: u32 = 32 // u32: the address of the ring, or 0
export const INFLATER_WINDOW_BITS: u32 = 36 // u32: the window that was negotiated: distances are at most 2^bits
export const INFLATER_RING_BITS: u32 = 40 // u32: the ring has 2^bits bytes; it is never smaller than what it must keep
export const INFLATER_RING_AT: u32 = 44 // u32: where in the ring the next byte goes
export const INFLATER_RING_FILLED: u32 = 48 // u32: bytes that are in it
export const INFLATER_LITERALS: u32 = 52 // u32: literal and length codes of the block under way
export const INFLATER_DISTANCES: u32 = 56 // u32: distance codes
export const INFLATER_CODE_LENGTHS: u32 = 60 // u32: codes of the code length code
export const INFLATER_INDEX: u32 = 64 // u32: code lengths that have been read; once it is dead, why it is no DEFLATE
export const INFLATER_FIXED: u32 = 68 // u32: 1 while the block under way uses the fixed codes
export const INFLATER_MESSAGE: u32 = 72 // u64: bytes of the message under way
export const INFLATER_TABLES: u32 = 80 // u32: the number of its place of tables
export const INFLATER_LENGTHS: u32 = 96 // u8 × 320, and room for 8: the code lengths of the block under way
export const INFLATER_ORDERED: u32 = 432 // u8 × 20: the lengths of the code length code

/** What comes next in the input. A new block comes first, so that a state of zeros begins with it. */
export const PHASE_BLOCK: u32 = 0
export const PHASE_STORED_LENGTH: u32 = 1
export const PHASE_STORED: u32 = 2
export const PHASE_CODE_COUNTS: u32 = 3
export const PHASE_CODE_LENGTHS: u32 = 4
export const PHASE_LENGTHS: u32 = 5
export const PHASE_SYMBOLS: u32 = 6
/** Nothing: what came was no DEFLATE. */
export const PHASE_DEAD: u32 = 7

export const LEAST_WINDOW_BITS: u32 = 8
export const MOST_WINDOW_BITS: u32 = 15

/** Prepares a state. It has no ring: one must be given before anything is kept. */
export function inflateStart(state: usize, windowBits: u32): void {
  assert((state & 7) == 0)
  assert(windowBits >= LEAST_WINDOW_BITS && windowBits <= MOST_WINDOW_BITS)
  memory.fill(state, 0, INFLATER_SIZE)
  store<u32>(state, windowBits, INFLATER_WINDOW_BITS)
}

/** Between messages: forgets what earlier ones were, as a peer without context takeover does (RFC 7692, section 7.1.1). */
export function inflateForget(state: usize): void {
  store<u32>(state, 0, INFLATER_RING_AT)
  store<u32>(state, 0, INFLATER_RING_FILLED)
}

/** The bits that the ring must have before `length` bytes more are kept. */
export function inflateRingBits(state: usize, length: u32): u32 {
  const most = load<u32>(state, INFLATER_WINDOW_BITS)
  const bytes = (load<u32>(state, INFLATER_RING_FILLED) as u64) + length
  if (bytes > 1 << (most - 1)) return most
  return bytes > 1 ? 32 - clz<u32>((bytes as u32) - 1) : 0
}

/** Gives the state a ring of 2^`bits` bytes at `ring`, and copies what is in the ring that it had. */
export function inflateRing(state: usize, ring: usize, bits: u32): void {
  const filled = load<u32>(state, INFLATER_RING_FILLED)
  assert(ring != 0 && bits <= load<u32>(state, INFLATER_WINDOW_BITS) && filled <= 1 << bits)
  const old = load<u32>(state, INFLATER_WINDOW) as usize
  const size: u32 = 1 << load<u32>(state, INFLATER_RING_BITS)
  if (filled) {
    const from = (load<u32>(state, INFLATER_RING_AT) - filled) & (size - 1)
    const first = min(filled, size - from)
    memory.copy(ring, old + from, first)
    memory.copy(ring + first, old, filled - first)
  }
  store<u32>(state, ring as u32, INFLATER_WINDOW)
  store<u32>(state, bits, INFLATER_RING_BITS)
  store<u32>(state, filled & ((1 << bits) - 1), INFLATER_RING_AT)
}

/** How many states have kept bytes: these have places of tables by turns, and those without context takeover share one. */
let keepers: u32 = 0

/** Keeps bytes that were written, because those that follow may refer to them and they won't lie in front of these. */
export function inflateKeep(state: usize, from: usize, length: u32): void {
  const size: u32 = 1 << load<u32>(state, INFLATER_RING_BITS)
  const ring = load<u32>(state, INFLATER_WINDOW) as usize
  if (!ASC_NO_ASSERT) assert(ring != 0 && load<u32>(state, INFLATER_RING_BITS) >= inflateRingBits(state, length))
  if (load<u32>(state, INFLATER_TABLES) == 0) store<u32>(state, ++keepers, INFLATER_TABLES)
  const last = min(length, size)
  from += length - last
  const at = load<u32>(state, INFLATER_RING_AT) & (size - 1)
  const first = min(last, size - at)
  memory.copy(ring + at, from, first)
  memory.copy(ring, from + first, last - first)
  store<u32>(state, (at + last) & (size - 1), INFLATER_RING_AT)
  store<u32>(state, min(size, load<u32>(state, INFLATER_RING_FILLED) + last), INFLATER_RING_FILLED)
}

/** Copies `length` bytes to `target` that begin `back` bytes before the end of the ring; they must not reach that end. */
export function copyFromRing(state: usize, target: usize, back: u32, length: u32): void {
  if (!ASC_NO_ASSERT) assert(length <= back && back <= load<u32>(state, INFLATER_RING_FILLED))
  const size: u32 = 1 << load<u32>(state, INFLATER_RING_BITS)
  const ring = load<u32>(state, INFLATER_WINDOW) as usize
  const from = (load<u32>(state, INFLATER_RING_AT) - back) & (size - 1)
  const first = min(length, size - from)
  copyApart(target, ring + from, first)
  copyApart(target + first, ring, length - first)
}
