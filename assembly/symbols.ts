// The alphabets of RFC 1951, section 3.2.5: what length or distance a symbol stands for, and how many extra bits follow.

export const LITERALS: u32 = 256
export const END_OF_BLOCK: u32 = 256
export const FIRST_LENGTH: u32 = 257
/** Symbols that a block may use; the fixed code has two more of each kind, which mean nothing (section 3.2.6). */
export const LITERAL_SYMBOLS: u32 = 286
export const DISTANCE_SYMBOLS: u32 = 30
export const ALL_LITERAL_SYMBOLS: u32 = 288
export const ALL_DISTANCE_SYMBOLS: u32 = 32
/** Symbols of the code in which code lengths are written, and what the last three of them mean (section 3.2.7). */
export const LENGTH_SYMBOLS: u32 = 19
export const REPEAT_PREVIOUS: u32 = 16
export const REPEAT_ZERO: u32 = 17
export const REPEAT_ZERO_LONG: u32 = 18

export const LONGEST_MATCH: u32 = 258
export const LONGEST_CODE: u32 = 15

/** Extra bits of the length symbol FIRST_LENGTH + `index`. */
export function lengthExtra(index: u32): u32 {
  return index < 8 || index == 28 ? 0 : (index >> 2) - 1
}

/** The shortest length that this symbol stands for. */
export function lengthBase(index: u32): u32 {
  if (index < 8) return 3 + index
  if (index == 28) return LONGEST_MATCH
  return 3 + ((4 + (index & 3)) << lengthExtra(index))
}

export function distanceExtra(symbol: u32): u32 {
  return symbol < 4 ? 0 : (symbol >> 1) - 1
}

export function distanceBase(symbol: u32): u32 {
  if (symbol < 4) return 1 + symbol
  return 1 + ((2 + (symbol & 1)) << distanceExtra(symbol))
}

/** The order in which the lengths of the code length code are written: 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4 … */
export function lengthOrder(at: u32): u32 {
  if (at < 3) return REPEAT_PREVIOUS + at
  const step = (at - 3) >> 1
  return (at & 1) == 1 ? (step == 0 ? 0 : 8 - step) : 8 + step
}

/** Writes the lengths of the fixed codes (section 3.2.6): 288 of literals and lengths, then 32 of distances. */
export function writeFixedLengths(at: usize): void {
  memory.fill(at, 8, 144)
  memory.fill(at + 144, 9, 112)
  memory.fill(at + 256, 7, 24)
  memory.fill(at + 280, 8, 8)
  memory.fill(at + 288, 5, 32)
}
