// The deflater's state: what one connection's deflater remembers between calls. It is one block of memory: a table that
// finds where four bytes came last, and a buffer of which the last bytes are the window (RFC 1951, section 2). With a window
// of 2^11 bytes or more, the codes of a block are kept behind it.
//
// The buffer is longer than the window, so that it need not be moved for each message. Positions in it are 16 bits.

/** Offsets are from the state's address. */
export const DEFLATER_AT: u32 = 0 // u32: where in the buffer the next byte goes
export const DEFLATER_FLOOR: u32 = 4 // u32: the first position to which matches may refer
export const DEFLATER_HELD: u32 = 8 // u32: bits in DEFLATER_BITS, fewer than 8
export const DEFLATER_BITS: u32 = 12 // u32: bits of the output that are no whole byte yet
export const DEFLATER_SHIFT: u32 = 16 // u32: 32 less the bits of a hash
export const DEFLATER_FARTHEST: u32 = 20 // u32: the longest distance, 2^windowBits
export const DEFLATER_BUFFER: u32 = 24 // u32: where the buffer begins
export const DEFLATER_ROOM: u32 = 28 // u32: bytes of the buffer
export const DEFLATER_KEPT: u32 = 32 // u32: where codes are kept for the messages that follow, or 0; see keptCodes.ts
export const DEFLATER_USES: u32 = 36 // u32: for how many messages they are kept
export const DEFLATER_USES_LEFT: u32 = 40 // u32: for how many of these still
export const DEFLATER_HEADER_BITS: u32 = 44 // u32: bits of the header of a block with these codes
export const DEFLATER_WORTH: u32 = 48 // u32: bits of 256 bytes of a message up to which they are used again
export const DEFLATER_CAME: u32 = 52 // u32: a bit for each range of literals of which one came
export const DEFLATER_PAUSE: u32 = 56 // u32: for how many messages no codes are kept
export const DEFLATER_LAST_PAUSE: u32 = 60 // u32: for how many it was last
export const DEFLATER_TABLE: u32 = 64 // u16 each: the position at which four bytes with this hash came last; 0 is none

/** What is kept: u16 codes, code | bits << 12, of 288 literals and lengths and 32 distances; then the header. */
export const KEPT_HEADER: u32 = 640
/** The most bits of a header; 8 bytes more are for the store that writes the last ones. */
export const KEPT_HEADER_BITS: u32 = 8 * 88
const KEPT_SIZE: u32 = KEPT_HEADER + 96

/** Bits of a hash, for windows up to 2^12 bytes and for longer ones. */
const HASH_BITS: u32 = 11
const MOST_HASH_BITS: u32 = 12

/** Bytes of a state for a window of 2^11 or 2^12 bytes, of which six fit into a page of 64 KiB. */
export const DEFLATER_BYTES: u32 = 10880

/** Bytes of a state for a window of 2^`windowBits` bytes: 1, 2, 4, 10.6, 10.6, 32, 32 and 64 KiB for 8 to 15. */
export function deflaterBytes(windowBits: u32): u32 {
  if (windowBits <= 10) return 4 << windowBits
  if (windowBits <= 12) return DEFLATER_BYTES
  return windowBits < 15 ? 32768 : 65536
}

/** Prepares a state of `deflaterBytes(windowBits)` bytes. */
export function deflateStart(state: usize, windowBits: u32): void {
  assert((state & 15) == 0)
  assert(windowBits >= 8 && windowBits <= 15)
  const hashBits = windowBits <= 12 ? min(windowBits, HASH_BITS) : MOST_HASH_BITS
  const before: u32 = DEFLATER_TABLE + (2 << hashBits)
  memory.fill(state, 0, before)
  store<u32>(state, 1, DEFLATER_AT) // position 0 is none
  store<u32>(state, 1, DEFLATER_FLOOR)
  store<u32>(state, 32 - hashBits, DEFLATER_SHIFT)
  store<u32>(state, 1 << windowBits, DEFLATER_FARTHEST)
  store<u32>(state, (state + before) as u32, DEFLATER_BUFFER)
  const kept: u32 = windowBits > 10 ? KEPT_SIZE : 0
  store<u32>(state, deflaterBytes(windowBits) - before - kept, DEFLATER_ROOM)
  if (kept) store<u32>(state, (state + deflaterBytes(windowBits) - kept) as u32, DEFLATER_KEPT)
}

/** Between messages: nothing that follows refers to what came before (RFC 7692, section 7.1.1), or has codes made of it. */
export function deflateForget(state: usize): void {
  store<u32>(state, load<u32>(state, DEFLATER_AT), DEFLATER_FLOOR)
  for (let at = DEFLATER_USES; at < DEFLATER_TABLE; at += 4) store<u32>(state + at, 0)
}

/** Goes on where another state is: takes over its window, as much of it as this one can refer to, and its last bits. */
export function deflateTakeOver(state: usize, other: usize): void {
  assert(state != other)
  const end = load<u32>(other, DEFLATER_AT)
  const have = end - load<u32>(other, DEFLATER_FLOOR)
  const bytes = min(have, load<u32>(state, DEFLATER_FARTHEST))
  append(state, (load<u32>(other, DEFLATER_BUFFER) + end - bytes) as usize, bytes)
  const at = load<u32>(state, DEFLATER_AT)
  if (bytes >= 4) for (let position = at; position <= at + bytes - 4; position++) remember(state, position)
  store<u32>(state, at + bytes, DEFLATER_AT)
  store<u32>(state, load<u32>(other, DEFLATER_HELD), DEFLATER_HELD)
  store<u32>(state, load<u32>(other, DEFLATER_BITS), DEFLATER_BITS)
}

/** Notes that the four bytes at `position` came there. */
function remember(state: usize, position: u32): void {
  const bytes = load<u32>((load<u32>(state, DEFLATER_BUFFER) + position) as usize)
  store<u16>(state + DEFLATER_TABLE + (hash(bytes, load<u32>(state, DEFLATER_SHIFT)) << 1), position as u16)
}

export function hash(bytes: u32, shift: u32): usize {
  return ((bytes * 0x9e3779b1) >> shift) as usize
}

/** Puts bytes behind the window, as many as there is room for; moves the window to the buffer's begin if need be. */
export function append(state: usize, from: usize, length: u32): u32 {
  const room = load<u32>(state, DEFLATER_ROOM)
  const farthest = load<u32>(state, DEFLATER_FARTHEST)
  if (load<u32>(state, DEFLATER_AT) + min(length, room - 1 - farthest) > room) slide(state, farthest)
  const at = load<u32>(state, DEFLATER_AT)
  const bytes = min(length, room - at)
  memory.copy((load<u32>(state, DEFLATER_BUFFER) + at) as usize, from, bytes)
  return bytes
}

/** Moves the window to the buffer's begin, and its positions with it. */
function slide(state: usize, farthest: u32): void {
  const at = load<u32>(state, DEFLATER_AT)
  const keep = min(at - load<u32>(state, DEFLATER_FLOOR), farthest)
  const buffer = load<u32>(state, DEFLATER_BUFFER) as usize
  const cut = at - keep - 1
  memory.copy(buffer + 1, buffer + at - keep, keep)
  store<u32>(state, keep + 1, DEFLATER_AT)
  store<u32>(state, 1, DEFLATER_FLOOR)
  const cuts = i16x8.splat(cut as i16)
  for (let entry = state + DEFLATER_TABLE; entry < buffer; entry += 16) {
    v128.store(entry, i16x8.sub_sat_u(v128.load(entry), cuts))
  }
}
