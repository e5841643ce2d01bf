// Makes a block of tokens (RFC 1951, sections 3.2.3 to 3.2.7): decides which kind is the shortest, and writes it.
import { flushBytes, out, outBits, outHeld, put, putStored, resumeOut } from './bitOutput'
import { findLengths, UNSORTED, writeCodes } from './codes'
import { TOKEN_MATCH, tokensEnd } from './matches'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LENGTH_SYMBOLS,
  LONGEST_CODE,
  lengthBase,
  lengthExtra,
  lengthOrder,
  REPEAT_PREVIOUS,
  REPEAT_ZERO,
  REPEAT_ZERO_LONG,
  writeFixedLengths,
} from './symbols'
import {
  COUNTS_END,
  DISTANCE_COUNTS,
  DISTANCE_ENTRIES,
  DYNAMIC_CODES,
  FIXED_CODES,
  LENGTH_CODES,
  LENGTH_COUNTS,
  LENGTH_ENTRIES,
  LITERAL_COUNTS,
  LITERAL_ENTRIES,
  MATCH_LENGTHS,
  TOKENS,
  WRITTEN_LENGTHS,
  workspace,
} from './workspace'

const FIXED_BLOCK: u32 = 0b010
const DYNAMIC_BLOCK: u32 = 0b100
const LONGEST_LENGTH_CODE: u32 = 7
/** The most bits of a token with the fixed codes. */
const LONGEST_FIXED: u32 = 8 + 5 + 5 + 13
/**
 * The code lengths as they are written, symbol | extra bits << 8, u16 each. They lie where many symbols are sorted, behind
 * what the 19 symbols need of it that are sorted while these are there.
 */
const PACKED: u32 = UNSORTED + 4 * (LENGTH_SYMBOLS + 1)

let literalsWritten: u32 = 0
let distancesWritten: u32 = 0
let orderWritten: u32 = 0
let packedEnd: usize = 0

/** Builds what the deflater needs of its workspace, once. */
export function buildWriterTables(): void {
  const lengths = workspace + WRITTEN_LENGTHS
  writeFixedLengths(lengths)
  writeCodes(lengths, ALL_LITERAL_SYMBOLS, workspace + FIXED_CODES, workspace + LITERAL_ENTRIES)
  const distances = workspace + FIXED_CODES + 4 * ALL_LITERAL_SYMBOLS
  writeCodes(lengths + ALL_LITERAL_SYMBOLS, ALL_DISTANCE_SYMBOLS, distances, workspace + DISTANCE_ENTRIES)
  for (let index: u32 = 0; index < 29; index++) {
    const base = lengthBase(index)
    for (let extra: u32 = 0; extra < 1 << lengthExtra(index); extra++) {
      // The longest of the lengths of 5 extra bits has a symbol of its own, which comes last.
      store<u16>(workspace + MATCH_LENGTHS + ((base + extra) << 1), (index | (extra << 5)) as u16)
    }
  }
  memory.fill(workspace + LITERAL_COUNTS, 0, COUNTS_END - LITERAL_COUNTS)
}

/** With fewer tokens than this, the header of a dynamic block costs more than its codes can save. */
const FEW_TOKENS: u32 = 64
/** A dynamic block must save one bit of so many, or else it is not worth the time of making its codes. */
const WORTHWHILE: u32 = 10

/** Writes the tokens as a block, which stands for `length` bytes from `from`. */
export function writeTokens(from: usize, length: u32): void {
  const tokens = ((tokensEnd - workspace - TOKENS) >> 2) as u32
  const stored = ((length + 4) << 3) + 3 + (((5 - outHeld) & 7) as u32)
  if (tokens < FEW_TOKENS && tokens * LONGEST_FIXED < stored) {
    put(FIXED_BLOCK, 3)
    encode(workspace + FIXED_CODES)
  } else {
    store<u32>(workspace + LITERAL_COUNTS + (END_OF_BLOCK << 2), 1)
    writeShortest(from, length, stored)
  }
  for (let at: u32 = LITERAL_COUNTS; at < COUNTS_END; at += 16) v128.store(workspace + at, i64x2.splat(0))
}

function writeShortest(from: usize, length: u32, stored: u32): void {
  const fixed: u32 = 3 + bitsOf(FIXED_CODES)
  if (estimate() + fixed / WORTHWHILE < min(fixed, stored) && makeDynamicCodes(min(fixed, stored))) {
    writeHeader()
    encode(workspace + DYNAMIC_CODES)
  } else if (fixed < stored) {
    put(FIXED_BLOCK, 3)
    encode(workspace + FIXED_CODES)
  } else {
    putStored(from, length)
  }
}

/** About how many bits a dynamic block has: the information of its symbols, and what its header has by experience. */
function estimate(): u32 {
  let used: u32 = 0
  let total: u32 = 0
  let extra: u32 = 0
  let saved: u32 = 0 // the sum of count × log2(count), in 256ths of a bit
  for (let at: u32 = 0; at < 4 * ALL_LITERAL_SYMBOLS; at += 4) {
    const count = load<u32>(workspace + LITERAL_COUNTS + at)
    if (count == 0) continue
    used++
    total += count
    saved += count * log2(count)
    extra += count * (load<u32>(workspace + LITERAL_ENTRIES + at) & 63)
  }
  let bits = total * log2(total) - saved
  total = 0
  saved = 0
  for (let at: u32 = 0; at < 4 * ALL_DISTANCE_SYMBOLS; at += 4) {
    const count = load<u32>(workspace + DISTANCE_COUNTS + at)
    if (count == 0) continue
    used++
    total += count
    saved += count * log2(count)
    extra += count * (load<u32>(workspace + DISTANCE_ENTRIES + at) & 63)
  }
  if (total) bits += total * log2(total) - saved
  return (bits >> 8) + extra + HEADER_BITS + used * HEADER_BITS_PER_SYMBOL
}

const HEADER_BITS: u32 = 100
const HEADER_BITS_PER_SYMBOL: u32 = 4

/** The binary logarithm of a number from 1, in 256ths; between powers of two, it follows the line between them. */
function log2(value: u32): u32 {
  const whole = 31 - clz<u32>(value)
  return (whole << 8) + ((value << 8) >> whole) - 256
}

/** The bits of all tokens with these codes. */
function bitsOf(codes: u32): u32 {
  let sum: u32 = 0
  for (let symbol: u32 = 0; symbol < ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS; symbol += 2) {
    const counts = load<u64>(workspace + LITERAL_COUNTS + (symbol << 2))
    if (counts == 0) continue
    const both = load<u64>(workspace + codes + (symbol << 2))
    sum += (counts as u32) * ((((both >> 16) & 0xff) + ((both >> 24) & 0xff)) as u32)
    sum += ((counts >> 32) as u32) * ((((both >> 48) & 0xff) + (both >> 56)) as u32)
  }
  return sum
}

/** Makes codes for the tokens; false if a block with them is not shorter than `most` bits. */
function makeDynamicCodes(most: u32): bool {
  const lengths = workspace + WRITTEN_LENGTHS
  const distanceLengths = lengths + ALL_LITERAL_SYMBOLS
  findLengths(workspace + LITERAL_COUNTS, ALL_LITERAL_SYMBOLS, lengths, LONGEST_CODE)
  findLengths(workspace + DISTANCE_COUNTS, ALL_DISTANCE_SYMBOLS, distanceLengths, LONGEST_CODE)
  writeCodes(lengths, ALL_LITERAL_SYMBOLS, workspace + DYNAMIC_CODES, workspace + LITERAL_ENTRIES)
  const distanceCodes = workspace + DYNAMIC_CODES + 4 * ALL_LITERAL_SYMBOLS
  writeCodes(distanceLengths, ALL_DISTANCE_SYMBOLS, distanceCodes, workspace + DISTANCE_ENTRIES)
  const header = packLengths()
  return header + bitsOf(DYNAMIC_CODES) < most
}

/** Makes the header of a dynamic block; returns its bits. */
function packLengths(): u32 {
  const lengths = workspace + WRITTEN_LENGTHS
  literalsWritten = lastUsed(lengths, ALL_LITERAL_SYMBOLS, FIRST_LENGTH)
  distancesWritten = lastUsed(lengths + ALL_LITERAL_SYMBOLS, ALL_DISTANCE_SYMBOLS, 1)
  packedEnd = workspace + PACKED
  pack(lengths, literalsWritten)
  pack(lengths + ALL_LITERAL_SYMBOLS, distancesWritten)
  const lengthLengths = lengths + ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS
  findLengths(workspace + LENGTH_COUNTS, LENGTH_SYMBOLS + 1, lengthLengths, LONGEST_LENGTH_CODE)
  writeCodes(lengthLengths, LENGTH_SYMBOLS + 1, workspace + LENGTH_CODES, workspace + LENGTH_ENTRIES)
  orderWritten = LENGTH_SYMBOLS
  while (orderWritten > 4 && load<u8>(lengthLengths + lengthOrder(orderWritten - 1)) == 0) orderWritten--
  let sum: u32 = 3 + 14 + 3 * orderWritten
  for (let symbol: u32 = 0; symbol < LENGTH_SYMBOLS; symbol++) {
    const bits = (load<u8>(lengthLengths + symbol) as u32) + extraOf(symbol)
    sum += load<u32>(workspace + LENGTH_COUNTS + (symbol << 2)) * bits
  }
  return sum
}

function lastUsed(lengths: usize, symbols: u32, least: u32): u32 {
  while (symbols > least && load<u8>(lengths + symbols - 1) == 0) symbols--
  return symbols
}

function extraOf(symbol: u32): u32 {
  return symbol < REPEAT_PREVIOUS ? 0 : symbol == REPEAT_PREVIOUS ? 2 : symbol == REPEAT_ZERO ? 3 : 7
}

/** Packs code lengths: runs of the same become repetitions (section 3.2.7). */
function pack(lengths: usize, symbols: u32): void {
  for (let at: u32 = 0; at < symbols; ) {
    const bits = load<u8>(lengths + at) as u32
    let run: u32 = 1
    while (at + run < symbols && load<u8>(lengths + at + run) == bits) run++
    at += run
    if (bits) {
      packOne(bits, 0)
      run--
    }
    while (run >= 3) {
      const most: u32 = bits ? 6 : 138
      const repeats = min(run, most)
      if (bits) packOne(REPEAT_PREVIOUS, repeats - 3)
      else if (repeats <= 10) packOne(REPEAT_ZERO, repeats - 3)
      else packOne(REPEAT_ZERO_LONG, repeats - 11)
      run -= repeats
    }
    for (; run > 0; run--) packOne(bits, 0)
  }
}

function packOne(symbol: u32, extra: u32): void {
  const count = workspace + LENGTH_COUNTS + (symbol << 2)
  store<u32>(count, load<u32>(count) + 1)
  store<u16>(packedEnd, (symbol | (extra << 8)) as u16)
  packedEnd += 2
}

function writeHeader(): void {
  put(DYNAMIC_BLOCK, 3)
  put((literalsWritten - 257) | ((distancesWritten - 1) << 5) | ((orderWritten - 4) << 10), 14)
  const lengthLengths = workspace + WRITTEN_LENGTHS + ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS
  for (let at: u32 = 0; at < orderWritten; at++) put(load<u8>(lengthLengths + lengthOrder(at)), 3)
  for (let at = workspace + PACKED; at < packedEnd; at += 2) {
    const packed = load<u16>(at) as u32
    const code = load<u32>(workspace + LENGTH_CODES + ((packed & 0xff) << 2))
    const bits = (code >> 16) & 0xff
    put((code & 0xffff) | ((packed >> 8) << bits), bits + extraOf(packed & 0xff))
  }
}

/** Writes the tokens and the end of the block with these codes. */
function encode(codes: usize): void {
  const distanceCodes = codes + 4 * ALL_LITERAL_SYMBOLS
  let to = out
  let bits = outBits
  let held = outHeld
  for (let at = workspace + TOKENS; at < tokensEnd; at += 4) {
    const token = load<u32>(at)
    if (held >= 15) {
      store<u64>(to, bits)
      to += (held >> 3) as usize
      bits >>= held & 0x38
      held &= 7
    }
    if (token & TOKEN_MATCH) {
      const code = load<u32>(codes + ((FIRST_LENGTH + (token & 31)) << 2)) as u64
      const length = (code >> 16) & 0xff
      bits |= ((code & 0xffff) | ((((token >> 5) & 31) as u64) << length)) << held
      held += length + (code >> 24)
      const farCode = load<u32>(distanceCodes + (((token >> 10) & 31) << 2)) as u64
      const far = (farCode >> 16) & 0xff
      bits |= ((farCode & 0xffff) | ((((token >> 15) & 0x1fff) as u64) << far)) << held
      held += far + (farCode >> 24)
    } else {
      const code = load<u32>(codes + (token << 2)) as u64
      bits |= (code & 0xffff) << held
      held += code >> 16
    }
  }
  resumeOut(to, bits, held)
  flushBytes()
  const code = load<u32>(codes + (END_OF_BLOCK << 2))
  put(code & 0xffff, code >> 16)
}
