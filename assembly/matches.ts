// Finds matches in the window (RFC 1951, section 4): greedy, with one look at where the next four bytes came last. What it
// finds is either counted and kept as tokens, of which a block is made once it is clear which codes are the shortest, or
// written at once: with the fixed codes, which is all that short messages need, or with those that are kept (keptCodes.ts).
import { flushBytes, out, outBits, outHeld, resumeOut } from './bitOutput'
import {
  DEFLATER_AT,
  DEFLATER_BUFFER,
  DEFLATER_FARTHEST,
  DEFLATER_FLOOR,
  DEFLATER_SHIFT,
  DEFLATER_TABLE,
  hash,
} from './deflater'
import { ALL_LITERAL_SYMBOLS, FIRST_LENGTH, LONGEST_MATCH } from './symbols'
import {
  DISTANCE_COUNTS,
  FIXED_CODES,
  LITERAL_COUNTS,
  MATCH_LENGTHS,
  MOST_TOKENS,
  TOKENS,
  workspace,
} from './workspace'

/** A token: a literal, or TOKEN_MATCH | length symbol | its extra bits << 5 | distance symbol << 10 | its extra bits << 15. */
export const TOKEN_MATCH: u32 = 0x80000000

/** Behind the last token. */
export let tokensEnd: usize = 0

export function clearTokens(): void {
  tokensEnd = workspace + TOKENS
}

/**
 * The length of a match: as many bytes as are the same at both places, of which the first four are. Most end within the 16
 * that follow: these are compared at once, because how many turns a loop takes is what no processor could guess.
 */
function matchLength(earlier: usize, later: usize, most: u32): u32 {
  let length: u32 = 4
  while (length + 16 <= most) {
    const same = i8x16.eq(v128.load(earlier + length), v128.load(later + length))
    const differences = ~i8x16.bitmask(same) & 0xffff
    if (differences) return length + (ctz<i32>(differences) as u32)
    length += 16
  }
  while (length < most && load<u8>(earlier + length) == load<u8>(later + length)) length++
  return length
}

/** The symbol of a distance, and its extra bits << 5; `twos` is the distance less one, of 2 or more. */
function distanceToken(distance: u32): u32 {
  const before = distance - 1
  if (before < 2) return before
  const extra = 30 - clz<u32>(before)
  return ((extra << 1) + (before >> extra)) | ((before & ((1 << extra) - 1)) << 5)
}

function count(counts: u32, symbol: u32): void {
  const at = workspace + counts + (symbol << 2)
  store<u32>(at, load<u32>(at) + 1)
}

/** Notes some of the places within a match: the next one, and the last ones. */
function noteMatch(window: usize, table: usize, shift: u32, at: u32, length: u32, end: u32): void {
  const next = at + length
  if (next + 3 > end) return
  store<u16>(table + (hash(load<u32>(window + at + 1), shift) << 1), (at + 1) as u16)
  store<u16>(table + (hash(load<u32>(window + next - 2), shift) << 1), (next - 2) as u16)
  store<u16>(table + (hash(load<u32>(window + next - 1), shift) << 1), (next - 1) as u16)
}

/** Counts and keeps what is found in the buffer up to `end`, until there is no room for tokens. */
export function findTokens(state: usize, end: u32): void {
  find<Token>(state, end, 0, workspace + TOKENS + 4 * MOST_TOKENS)
}

/**
 * Writes what is found in the buffer up to `end` with these codes (keptCodes.ts), until a literal has none or the output has
 * come to `full`. There must be room for 11 bits of each byte until then, and for a match.
 */
export function writeAtOnce(state: usize, end: u32, codes: usize, full: usize): void {
  find<Bits>(state, end, codes, full)
  flushBytes()
}

/** What `find` does with what it finds: it is compiled for either, because to ask each time would cost more than to do it. */
type Token = u32
type Bits = u64

/** A literal of 11 bits more, and 63 are held; a match has up to 40 bits, and writes before what is held of whole bytes. */
const LONGEST_HELD: u64 = 52

function find<Output>(state: usize, end: u32, codes: usize, full: usize): void {
  const window = load<u32>(state, DEFLATER_BUFFER) as usize
  const table = state + DEFLATER_TABLE
  const shift = load<u32>(state, DEFLATER_SHIFT)
  const floor = load<u32>(state, DEFLATER_FLOOR)
  const farthest = load<u32>(state, DEFLATER_FARTHEST)
  const extras = workspace + FIXED_CODES + 3
  let at = load<u32>(state, DEFLATER_AT)
  let to = sizeof<Output>() == sizeof<Token>() ? tokensEnd : out
  let bits = outBits
  let held = outHeld
  while (at < end && to < full) {
    if (at + 4 <= end) {
      const bytes = load<u32>(window + at)
      const entry = table + (hash(bytes, shift) << 1)
      const distance = at - load<u16>(entry)
      store<u16>(entry, at as u16)
      // One branch for both: whether what is there is too old is as good as random.
      const isNear = u32(distance - 1 < min(farthest, at - floor))
      if (isNear & u32(load<u32>(window + at - distance) == bytes)) {
        const length = matchLength(window + at - distance, window + at, min(LONGEST_MATCH, end - at))
        const lengthToken = load<u16>(workspace + MATCH_LENGTHS + (length << 1)) as u32
        const far = distanceToken(distance)
        let coded = true // a match without a code begins one byte later, or is none
        if (sizeof<Output>() == sizeof<Token>()) {
          count(LITERAL_COUNTS, FIRST_LENGTH + (lengthToken & 31))
          count(DISTANCE_COUNTS, far & 31)
          store<u32>(to, TOKEN_MATCH | lengthToken | (far << 10))
          to += 4
        } else {
          const symbol = FIRST_LENGTH + (lengthToken & 31)
          const code = load<u16>(codes + (symbol << 1)) as u64
          const farSymbol = ALL_LITERAL_SYMBOLS + (far & 31)
          const farCode = load<u16>(codes + (farSymbol << 1)) as u64
          coded = code != 0 && farCode != 0
          if (coded) {
            store<u64>(to, bits)
            to += (held >> 3) as usize
            bits >>= held & 0x38
            held &= 7
            const codeBits = code >> 12
            bits |= ((code & 0xfff) | (((lengthToken >> 5) as u64) << codeBits)) << held
            held += codeBits + (load<u8>(extras + (symbol << 2)) as u64)
            const farBits = farCode >> 12
            bits |= ((farCode & 0xfff) | (((far >> 5) as u64) << farBits)) << held
            held += farBits + (load<u8>(extras + (farSymbol << 2)) as u64)
          }
        }
        if (coded) {
          noteMatch(window, table, shift, at, length, end)
          at += length
          continue
        }
      }
    }
    const literal = load<u8>(window + at) as u32
    if (sizeof<Output>() == sizeof<Token>()) {
      count(LITERAL_COUNTS, literal)
      store<u32>(to, literal)
      to += 4
    } else {
      const code = load<u16>(codes + (literal << 1)) as u64
      if (code == 0) break
      bits |= (code & 0xfff) << held
      held += code >> 12
      if (held > LONGEST_HELD) {
        store<u64>(to, bits)
        to += (held >> 3) as usize
        bits >>= held & 0x38
        held &= 7
      }
    }
    at++
  }
  if (sizeof<Output>() == sizeof<Token>()) tokensEnd = to
  else resumeOut(to, bits, held)
  store<u32>(state, at, DEFLATER_AT)
}
