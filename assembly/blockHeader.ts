// The header of a dynamic block (RFC 1951, section 3.2.7): the lengths of its codes, packed, and written with a code of
// their own.
import { put } from './bitOutput'
import { findLengths, UNSORTED, writeCodes } from './codes'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  FIRST_LENGTH,
  LENGTH_SYMBOLS,
  lengthOrder,
  REPEAT_PREVIOUS,
  REPEAT_ZERO,
  REPEAT_ZERO_LONG,
} from './symbols'
import { LENGTH_CODES, LENGTH_COUNTS, LENGTH_ENTRIES, WRITTEN_LENGTHS, workspace } from './workspace'

const DYNAMIC_BLOCK: u32 = 0b100
const LONGEST_LENGTH_CODE: u32 = 7
/**
 * The code lengths as they are written, symbol | extra bits << 8, u16 each. They lie where many symbols are sorted, behind
 * what the 19 symbols need of it that are sorted while these are there.
 */
const PACKED: u32 = UNSORTED + 4 * (LENGTH_SYMBOLS + 1)

let literalsWritten: u32 = 0
let distancesWritten: u32 = 0
let orderWritten: u32 = 0
let packedEnd: usize = 0

/** Makes the header for the WRITTEN_LENGTHS; returns its bits. */
export function packLengths(): u32 {
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

/** Writes the header that was made last. */
export function writeHeader(): void {
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
