// The codes of a dynamic block, kept for the messages that follow it: to make codes takes about as long as to find matches and
// to write them, and what a connection is sent is most often alike. With codes at hand, a message is written as it is read.
// They belong to one state, as its window does, because the lengths of codes tell how often each symbol came.
import { out, outBits, outHeld, put, resumeOut } from './bitOutput'
import { writeHeader } from './blockHeader'
import {
  DEFLATER_AT,
  DEFLATER_CAME,
  DEFLATER_FARTHEST,
  DEFLATER_FLOOR,
  DEFLATER_HEADER_BITS,
  DEFLATER_KEPT,
  DEFLATER_LAST_PAUSE,
  DEFLATER_PAUSE,
  DEFLATER_ROOM,
  DEFLATER_USES,
  DEFLATER_USES_LEFT,
  DEFLATER_WORTH,
  KEPT_HEADER,
  KEPT_HEADER_BITS,
} from './deflater'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  DISTANCE_SYMBOLS,
  FIRST_LENGTH,
  LITERAL_SYMBOLS,
  LITERALS,
} from './symbols'
import { DYNAMIC_CODES, LITERAL_COUNTS, WRITTEN_LENGTHS, workspace } from './workspace'

/** The longest kept code: two of them, their extra bits and 23 bits that are held are no more than 64. */
export const LONGEST_KEPT: u32 = 11
/** The most messages for which codes are kept: at first it is one, then twice as many each time. */
const MOST_USES: u32 = 64
/** After a message for which they did not suit, codes are not kept for one message, then for twice as many each time. */
const LONGEST_PAUSE: u32 = 32
/** Of shorter messages, the header is too large a part: codes of their own have a shorter one. */
const LEAST_WITH_KEPT: u32 = 768
/** The longest message that is written with kept codes: of longer ones, to make codes is a small part of the work. */
const LONGEST_WITH_KEPT: u32 = 2048
/** Kept codes no longer suit once a message takes more bits than so many eighths of what the first one took, byte for byte. */
const TOLERANCE: u32 = 10
/** Literals are foreseen in ranges of so many: a bit of DEFLATER_CAME stands for each. */
const RANGE: u32 = 32
/** By how many bits counts are shifted while symbols are foreseen, which count once. */
const WEIGHT: u32 = 3
/** What was counted lies here meanwhile: codes are written there later. */
const COUNTED: u32 = DYNAMIC_CODES
const COUNTED_SIZE: u32 = 4 * (ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS)

/** Whether a block may be written with kept codes: if it is short, and the window has room for all of it. */
function mayUse(state: usize, length: u32): bool {
  if (load<u32>(state, DEFLATER_KEPT) == 0 || length < LEAST_WITH_KEPT || length > LONGEST_WITH_KEPT) return false
  return length < load<u32>(state, DEFLATER_ROOM) - load<u32>(state, DEFLATER_FARTHEST)
}

/** Whether a block of this length is to be written with the codes that are kept. */
export function hasKept(state: usize, length: u32): bool {
  return load<u32>(state, DEFLATER_USES_LEFT) != 0 && mayUse(state, length)
}

/**
 * Whether the codes of the block that the window ends with are to be kept. Those of one with nothing before it are not: it
 * has more literals than what follows, and where each message stands alone, all would be such.
 */
export function keeps(state: usize, length: u32): bool {
  if (!mayUse(state, length) || load<u32>(state, DEFLATER_AT) - length == load<u32>(state, DEFLATER_FLOOR)) return false
  const pause = load<u32>(state, DEFLATER_PAUSE)
  if (pause == 0) return true
  store<u32>(state, pause - 1, DEFLATER_PAUSE)
  return false
}

/**
 * Counts symbols that did not come but may in the messages that follow: literals near others that came, as a literal without
 * a code ends a block, and lengths and distances between others. They weigh little, and their codes are about as long as
 * each other, so that few bits of the header say so.
 */
export function foresee(state: usize): void {
  const counts = workspace + LITERAL_COUNTS
  memory.copy(workspace + COUNTED, counts, COUNTED_SIZE)
  let came = load<u32>(state, DEFLATER_CAME)
  for (let at: u32 = 0; at < 4 * (ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS); at += 16) {
    const four = v128.load(counts + at)
    if (v128.any_true(four)) came |= 1 << (at / (4 * RANGE))
    v128.store(counts + at, i32x4.shl(four, WEIGHT))
  }
  store<u32>(state, came, DEFLATER_CAME)
  for (let first: u32 = 0; first < LITERALS; first += RANGE) {
    if (came & (1 << (first / RANGE))) foreseeAll(first, first + RANGE)
  }
  foreseeBetween(FIRST_LENGTH, LITERAL_SYMBOLS)
  foreseeBetween(ALL_LITERAL_SYMBOLS, ALL_LITERAL_SYMBOLS + DISTANCE_SYMBOLS)
}

function foreseeBetween(first: u32, end: u32): void {
  const counts = workspace + LITERAL_COUNTS
  while (first < end && load<u32>(counts + (first << 2)) == 0) first++
  while (first < end && load<u32>(counts + (end << 2) - 4) == 0) end--
  foreseeAll(first, end)
}

function foreseeAll(first: u32, end: u32): void {
  for (let symbol = first; symbol < end; symbol++) {
    const count = workspace + LITERAL_COUNTS + (symbol << 2)
    if (load<u32>(count) == 0) store<u32>(count, 1)
  }
}

/** Counts only what came, as before. */
export function unforesee(): void {
  memory.copy(workspace + LITERAL_COUNTS, workspace + COUNTED, COUNTED_SIZE)
}

/** Writes codes as they are kept, code | bits << 12, u16 each; 0 is none. */
export function packCodes(codes: usize, lengths: usize, target: usize): void {
  for (let symbol: u32 = 0; symbol < ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS; symbol++) {
    const bits = load<u8>(lengths + symbol) as u32
    const code = load<u32>(codes + (symbol << 2)) & 0xfff
    store<u16>(target + (symbol << 1), bits ? ((code | (bits << 12)) as u16) : 0)
  }
}

/** Keeps the codes and the header that were made last, if there is room for it. The block takes `bits` for `length` bytes. */
export function keepCodes(state: usize, headerBits: u32, bits: u32, length: u32): void {
  if (headerBits > KEPT_HEADER_BITS) return
  const kept = load<u32>(state, DEFLATER_KEPT) as usize
  packCodes(workspace + DYNAMIC_CODES, workspace + WRITTEN_LENGTHS, kept)
  keepHeader(kept)
  const uses = max(1, min(load<u32>(state, DEFLATER_USES) << 1, MOST_USES))
  store<u32>(state, uses, DEFLATER_USES)
  store<u32>(state, uses, DEFLATER_USES_LEFT)
  store<u32>(state, headerBits, DEFLATER_HEADER_BITS)
  store<u32>(state, (bits * TOLERANCE * 32) / length, DEFLATER_WORTH)
}

function keepHeader(kept: usize): void {
  const to = out
  const bits = outBits
  const held = outHeld
  resumeOut(kept + KEPT_HEADER, 0, 0)
  writeHeader()
  resumeOut(to, bits, held)
}

/** Bytes that a message of `length` bytes may become with the kept codes. */
export function keptLimit(state: usize, length: u32): u32 {
  return min(length, (length * load<u32>(state, DEFLATER_WORTH)) >> 11)
}

/** Notes that the kept codes were used for a message, and whether they suited it. */
export function noteUse(state: usize, suited: bool): void {
  const left = suited ? load<u32>(state, DEFLATER_USES_LEFT) - 1 : 0
  store<u32>(state, left, DEFLATER_USES_LEFT)
  if (left) return
  const pause = load<u32>(state, DEFLATER_LAST_PAUSE)
  store<u32>(state, suited ? pause >> 1 : max(1, min(pause << 1, LONGEST_PAUSE)), DEFLATER_LAST_PAUSE)
  if (suited) return
  store<u32>(state, load<u32>(state, DEFLATER_LAST_PAUSE), DEFLATER_PAUSE)
  store<u32>(state, load<u32>(state, DEFLATER_USES) >> 2, DEFLATER_USES)
}

/** Writes the header of a block with the kept codes. */
export function writeKeptHeader(state: usize): void {
  let at = (load<u32>(state, DEFLATER_KEPT) + KEPT_HEADER) as usize
  let left = load<u32>(state, DEFLATER_HEADER_BITS)
  for (; left >= 32; left -= 32, at += 4) put(load<u32>(at), 32)
  put(load<u32>(at) & ((1 << left) - 1), left)
}
