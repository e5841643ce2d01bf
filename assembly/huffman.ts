// Decoders of Huffman codes: how the next bits of the input become a symbol, most often with one look-up.
//
// An entry of the table is a u32: in its low 6 bits how many bits the symbol takes, extra bits included; from bit 8 how
// many of these are the code; from bit 16 the literal, or the base of the length or distance, or a KIND if bit 15 is set;
// bit 31 is set for literals. Codes longer than the table's bits are found by counting (canonical codes, section 3.2.2).
import { copyBlocks } from './matchCopy'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  DISTANCE_SYMBOLS,
  distanceBase,
  distanceExtra,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LITERAL_SYMBOLS,
  LITERALS,
  LONGEST_CODE,
  lengthBase,
  lengthExtra,
} from './symbols'
import {
  DECODER_COUNTS,
  DECODER_SORTED,
  DECODER_TABLE,
  DISTANCE_ENTRIES,
  LENGTH_ENTRIES,
  LITERAL_ENTRIES,
  SCRATCH,
  workspace,
} from './workspace'

export const LITERAL_BITS: u32 = 10
export const DISTANCE_BITS: u32 = 8
export const LENGTH_BITS: u32 = 7

export const ALPHABET_LITERALS: u32 = 0
export const ALPHABET_DISTANCES: u32 = 1
/** The code in which code lengths are written. */
export const ALPHABET_LENGTHS: u32 = 2

export const ENTRY_LITERAL: u32 = 0x80000000
export const ENTRY_SPECIAL: u32 = 0x8000
/** What a special entry is: a code longer than the table's bits, the end of the block, or a code that means nothing. */
export const KIND_LONG: u32 = 0
export const KIND_END: u32 = 1
export const KIND_INVALID: u32 = 2

const INVALID: u32 = ENTRY_SPECIAL | (KIND_INVALID << 16)

/** What an entry says but for the bits of its code. */
function baseEntry(alphabet: u32, symbol: u32): u32 {
  if (alphabet == ALPHABET_LENGTHS) return symbol << 16
  if (alphabet == ALPHABET_DISTANCES) {
    if (symbol >= DISTANCE_SYMBOLS) return INVALID
    return (distanceBase(symbol) << 16) | distanceExtra(symbol)
  }
  if (symbol < LITERALS) return ENTRY_LITERAL | (symbol << 16)
  if (symbol == END_OF_BLOCK) return ENTRY_SPECIAL | (KIND_END << 16)
  if (symbol >= LITERAL_SYMBOLS) return INVALID
  return (lengthBase(symbol - FIRST_LENGTH) << 16) | lengthExtra(symbol - FIRST_LENGTH)
}

/** Where the entries of an alphabet lie in the workspace. */
function entriesOf(alphabet: u32): usize {
  if (alphabet == ALPHABET_LITERALS) return workspace + LITERAL_ENTRIES
  return workspace + (alphabet == ALPHABET_DISTANCES ? DISTANCE_ENTRIES : LENGTH_ENTRIES)
}

/** Writes the entries of all alphabets, once for each workspace. */
export function writeEntries(): void {
  for (let alphabet = ALPHABET_LITERALS; alphabet <= ALPHABET_LENGTHS; alphabet++) {
    const symbols: u32 = alphabet == ALPHABET_LITERALS ? ALL_LITERAL_SYMBOLS : ALL_DISTANCE_SYMBOLS
    const entries = entriesOf(alphabet)
    for (let symbol: u32 = 0; symbol < symbols; symbol++) {
      store<u32>(entries + (symbol << 2), baseEntry(alphabet, symbol))
    }
  }
}

/** The entry of a symbol whose code has `bits` bits. */
function entryOf(entries: usize, symbol: u32, bits: u32): u32 {
  return load<u32>(entries + (symbol << 2)) + ((bits << 8) | bits)
}

/**
 * Counts the code lengths and sorts the symbols by them. False for lengths that no code has: more codes than there is
 * room for, or fewer, but for a single code of one bit, which a block with one distance has (section 3.2.7).
 */
function sortSymbols(decoder: usize, lengths: usize, symbols: u32, alphabet: u32): bool {
  const counts = decoder + DECODER_COUNTS
  v128.store(counts, i64x2.splat(0))
  v128.store(counts, i64x2.splat(0), 16)
  let used: u32 = 0
  for (let symbol: u32 = 0; symbol < symbols; symbol += 4) {
    let four = load<u32>(lengths + symbol)
    if (four == 0) continue
    for (; four != 0; four >>= 8) {
      const count = counts + ((four & 0xff) << 1)
      store<u16>(count, load<u16>(count) + 1)
    }
  }
  store<u16>(counts, 0)
  const offsets = workspace + SCRATCH
  let free: i32 = 1
  for (let bits: u32 = 1; bits <= LONGEST_CODE; bits++) {
    const count = load<u16>(counts + (bits << 1)) as i32
    free = (free << 1) - count
    if (free < 0) return false
    store<u16>(offsets + (bits << 1), used as u16)
    used += count
  }
  if (free > 0 && (alphabet == ALPHABET_LENGTHS || used > 1 || load<u16>(counts, 2) != used)) return false
  const sorted = decoder + DECODER_SORTED
  for (let symbol: u32 = 0; symbol < symbols; symbol += 4) {
    let four = load<u32>(lengths + symbol)
    for (let next = symbol; four != 0; next++, four >>= 8) {
      const bits = four & 0xff
      if (bits == 0) continue
      const at = offsets + (bits << 1)
      const place = load<u16>(at) as usize
      store<u16>(sorted + (place << 1), next as u16)
      store<u16>(at, (place + 1) as u16)
    }
  }
  return true
}

/**
 * Builds the decoder of an alphabet from its code lengths; false for lengths that no code has. The table is built by
 * doubling: a table for codes of n bits, written twice, is the one for n + 1 bits, but for the codes that are that long.
 */
export function buildDecoder(decoder: usize, lengths: usize, symbols: u32, alphabet: u32, tableBits: u32): bool {
  if (!sortSymbols(decoder, lengths, symbols, alphabet)) return false
  const table = decoder + DECODER_TABLE
  const entries = entriesOf(alphabet)
  let sorted = decoder + DECODER_SORTED
  let code: u32 = 0 // the next code, its first bit lowest
  let size: u32 = 1 // entries of the table so far: one for each code of `bits` bits
  let full = false
  for (let bits: u32 = 1; bits <= tableBits; bits++) {
    if (bits > 2) copyBlocks(table + (size << 2), table, size << 2)
    else if (bits == 2) store<u64>(table, load<u64>(table), 8)
    size = 1 << bits
    for (let count = load<u16>(decoder + DECODER_COUNTS + (bits << 1)); count > 0 && !full; count--) {
      store<u32>(table + (code << 2), entryOf(entries, load<u16>(sorted), bits))
      sorted += 2
      full = code == size - 1
      code = successor(code, size)
    }
  }
  // What is left begins longer codes, or none.
  const rest = hasLonger(decoder, tableBits) ? ENTRY_SPECIAL | (KIND_LONG << 16) : INVALID + 1
  while (!full) {
    store<u32>(table + (code << 2), rest)
    full = code == size - 1
    code = successor(code, size)
  }
  return true
}

/** The code that follows, its first bit lowest; of those of log2(`size`) bits. */
function successor(code: u32, size: u32): u32 {
  const zeros = code ^ (size - 1)
  if (zeros == 0) return 0
  const bit: u32 = 1 << (31 - clz<u32>(zeros))
  return (code & (bit - 1)) | bit
}

function hasLonger(decoder: usize, tableBits: u32): bool {
  let longer: u32 = 0
  for (let bits = tableBits + 1; bits <= LONGEST_CODE; bits++)
    longer |= load<u16>(decoder + DECODER_COUNTS + (bits << 1))
  return longer != 0
}

/** The entry for the next bits where the table says that their code is long. */
export function longEntry(decoder: usize, bits: u64, alphabet: u32): u32 {
  let code: u32 = 0
  let first: u32 = 0 // the first code of the length
  let index: u32 = 0 // the place of its symbol
  for (let length: u32 = 1; length <= LONGEST_CODE; length++) {
    code |= (bits as u32) & 1
    bits >>= 1
    const count = load<u16>(decoder + DECODER_COUNTS + (length << 1)) as u32
    if (code - first < count) {
      const symbol = load<u16>(decoder + DECODER_SORTED + ((index + code - first) << 1)) as u32
      return entryOf(entriesOf(alphabet), symbol, length)
    }
    index += count
    first = (first + count) << 1
    code <<= 1
  }
  return INVALID + 1
}
