// The headers of blocks (RFC 1951, sections 3.2.3 to 3.2.7). Each function reads one step of a header, or nothing of it
// if the input ends before, and says with which phase the inflater goes on.
import {
  advance,
  align,
  beginHeader,
  bits,
  CORRUPT_BLOCK_TYPE,
  CORRUPT_CODE_COUNTS,
  CORRUPT_CODE_LENGTHS,
  CORRUPT_DISTANCES,
  CORRUPT_LITERALS,
  CORRUPT_NO_END,
  CORRUPT_REPEAT,
  CORRUPT_STORED_LENGTH,
  corrupt,
  ensure,
  headerAt,
  held,
  INFLATE_GO,
  INFLATE_MORE,
  input,
  inputEnd,
  output,
  take,
} from './bitInput'
import {
  ALPHABET_DISTANCES,
  ALPHABET_LENGTHS,
  ALPHABET_LITERALS,
  buildDecoder,
  DISTANCE_BITS,
  LENGTH_BITS,
  LITERAL_BITS,
} from './huffman'
import {
  INFLATER_CODE_LENGTHS,
  INFLATER_DISTANCES,
  INFLATER_FINAL,
  INFLATER_FIXED,
  INFLATER_INDEX,
  INFLATER_LENGTHS,
  INFLATER_LITERALS,
  INFLATER_ORDERED,
  INFLATER_PHASE,
  INFLATER_STORED,
  INFLATER_TABLES,
  PHASE_BLOCK,
  PHASE_CODE_COUNTS,
  PHASE_CODE_LENGTHS,
  PHASE_LENGTHS,
  PHASE_STORED,
  PHASE_STORED_LENGTH,
  PHASE_SYMBOLS,
} from './inflater'
import { copyBlocks } from './matchCopy'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  DISTANCE_SYMBOLS,
  END_OF_BLOCK,
  LENGTH_SYMBOLS,
  LITERAL_SYMBOLS,
  lengthOrder,
  REPEAT_PREVIOUS,
  REPEAT_ZERO,
} from './symbols'
import {
  clearAllTables,
  clearTables,
  DECODER_TABLE,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_DECODER,
  TABLES_DISTANCES,
  TABLES_HEADER,
  TABLES_HEADER_BITS,
  TABLES_LENGTHS,
  TABLES_LITERALS,
  tablesOf,
  WRITTEN_LENGTHS,
  workspace,
} from './workspace'

const ALL_LENGTHS: u32 = ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS

/** Builds the decoders of the fixed codes, whose lengths are the WRITTEN_LENGTHS, once for each workspace. */
export function buildFixedDecoders(): void {
  const lengths = workspace + WRITTEN_LENGTHS
  buildDecoder(workspace + FIXED_LITERALS, lengths, ALL_LITERAL_SYMBOLS, ALPHABET_LITERALS, LITERAL_BITS)
  const distances = lengths + ALL_LITERAL_SYMBOLS
  buildDecoder(workspace + FIXED_DISTANCES, distances, ALL_DISTANCE_SYMBOLS, ALPHABET_DISTANCES, DISTANCE_BITS)
  clearAllTables()
}

function go(state: usize, phase: u32): u32 {
  store<u32>(state, phase, INFLATER_PHASE)
  return INFLATE_GO
}

export function readBlockHeader(state: usize): u32 {
  const start = held ? 0 : input
  if (!ensure(3)) return INFLATE_MORE
  const first = take(3)
  const type = first >> 1
  store<u32>(state, first & 1, INFLATER_FINAL)
  if (type == 3) return corrupt(CORRUPT_BLOCK_TYPE)
  beginHeader(start)
  if (type == 2) return go(state, skipsHeader(state) ? PHASE_SYMBOLS : PHASE_CODE_COUNTS)
  if (type == 0) {
    align()
    return go(state, PHASE_STORED_LENGTH)
  }
  store<u32>(state, 1, INFLATER_FIXED)
  return go(state, PHASE_SYMBOLS)
}

/** A block is over. What follows the last one of a stream begins with a whole byte (RFC 7692, section 7.2.3.4). */
export function endBlock(state: usize): u32 {
  if (load<u32>(state, INFLATER_FINAL)) align()
  store<u32>(state, 0, INFLATER_FINAL)
  return go(state, PHASE_BLOCK)
}

export function readStoredLength(state: usize): u32 {
  if (!ensure(32)) return INFLATE_MORE
  const both = take(32)
  const length = both & 0xffff
  if (both >> 16 != (length ^ 0xffff)) return corrupt(CORRUPT_STORED_LENGTH)
  store<u32>(state, length, INFLATER_STORED)
  return go(state, PHASE_STORED)
}

export function readCodeCounts(state: usize): u32 {
  if (!ensure(14)) return INFLATE_MORE
  const counts = take(14)
  const literals = (counts & 31) + 257
  const distances = ((counts >> 5) & 31) + 1
  if (literals > LITERAL_SYMBOLS || distances > DISTANCE_SYMBOLS) return corrupt(CORRUPT_CODE_COUNTS)
  store<u32>(state, literals, INFLATER_LITERALS)
  store<u32>(state, distances, INFLATER_DISTANCES)
  store<u32>(state, (counts >> 10) + 4, INFLATER_CODE_LENGTHS)
  store<u32>(state, 0, INFLATER_INDEX)
  memory.fill(state + INFLATER_ORDERED, 0, LENGTH_SYMBOLS + 1)
  return go(state, PHASE_CODE_LENGTHS)
}

export function readCodeLengths(state: usize): u32 {
  const count = load<u32>(state, INFLATER_CODE_LENGTHS)
  for (let index = load<u32>(state, INFLATER_INDEX); index < count; index++) {
    store<u32>(state, index, INFLATER_INDEX)
    if (!ensure(3)) return INFLATE_MORE
    store<u8>(state + INFLATER_ORDERED + lengthOrder(index), take(3) as u8)
  }
  store<u32>(state, 0, INFLATER_INDEX)
  return go(state, PHASE_LENGTHS)
}

/** Reads the lengths of both codes, which are one sequence. */
export function readLengths(state: usize): u32 {
  // It is built anew after each pause: others may have used the workspace.
  const decoder = workspace + LENGTH_DECODER
  if (!buildDecoder(decoder, state + INFLATER_ORDERED, LENGTH_SYMBOLS + 1, ALPHABET_LENGTHS, LENGTH_BITS)) {
    return corrupt(CORRUPT_CODE_LENGTHS)
  }
  const status = decodeLengths(state, decoder + DECODER_TABLE)
  if (status != INFLATE_GO) return status
  if (load<u8>(state + INFLATER_LENGTHS + END_OF_BLOCK) == 0) return corrupt(CORRUPT_NO_END) // the block could never end
  spread(state)
  store<u32>(state, 0, INFLATER_FIXED)
  return go(state, PHASE_SYMBOLS)
}

function decodeLengths(state: usize, table: usize): u32 {
  const lengths = state + INFLATER_LENGTHS
  const count = load<u32>(state, INFLATER_LITERALS) + load<u32>(state, INFLATER_DISTANCES)
  let index = load<u32>(state, INFLATER_INDEX)
  let at = input
  let value = bits
  let ready = held
  let status = INFLATE_GO
  while (index < count) {
    if (ready < 14) {
      if (inputEnd - at >= 8) {
        value |= load<u64>(at) << ready
        at += (63 - ready) >> 3
        ready |= 56
      } else {
        for (; ready < 56 && at < inputEnd; ready += 8) value |= (load<u8>(at++) as u64) << ready
      }
    }
    const entry = load<u32>(table + (((value as usize) & ((1 << LENGTH_BITS) - 1)) << 2))
    const symbol = entry >> 16
    const code = entry & 63
    const extra: u32 = symbol < REPEAT_PREVIOUS ? 0 : symbol == REPEAT_PREVIOUS ? 2 : symbol == REPEAT_ZERO ? 3 : 7
    if (code + extra > ready) {
      status = INFLATE_MORE
      break
    }
    if (symbol < REPEAT_PREVIOUS) {
      store<u8>(lengths + index++, symbol as u8)
      value >>= code
      ready -= code
      continue
    }
    const repeats = (((value >> code) as u32) & ((1 << extra) - 1)) + (symbol > REPEAT_ZERO ? 11 : 3)
    if (repeats > count - index || (symbol == REPEAT_PREVIOUS && index == 0)) return corrupt(CORRUPT_REPEAT)
    const eight = symbol == REPEAT_PREVIOUS ? (load<u8>(lengths + index - 1) as u64) * 0x0101010101010101 : 0
    for (let written: u32 = 0; written < repeats; written += 8) store<u64>(lengths + index + written, eight)
    index += repeats
    value >>= code + extra
    ready -= code + extra
  }
  store<u32>(state, index, INFLATER_INDEX)
  advance(at, output, value, ready)
  return status
}

/** Puts the lengths of the distance codes into their own place, and zeros behind either. */
function spread(state: usize): void {
  const lengths = state + INFLATER_LENGTHS
  const literals = load<u32>(state, INFLATER_LITERALS)
  const distances = load<u32>(state, INFLATER_DISTANCES)
  memory.copy(lengths + ALL_LITERAL_SYMBOLS, lengths + literals, distances)
  memory.fill(lengths + literals, 0, ALL_LITERAL_SYMBOLS - literals)
  memory.fill(lengths + ALL_LITERAL_SYMBOLS + distances, 0, ALL_DISTANCE_SYMBOLS - distances)
}

/** Builds the decoders of a dynamic block, unless they are there: after a pause, others may have used the workspace. */
export function useDynamicCodes(state: usize): bool {
  const lengths = state + INFLATER_LENGTHS
  const tables = tablesOf(load<u32>(state, INFLATER_TABLES))
  const built = tables + TABLES_LENGTHS
  if (sameBits(built, lengths, 8 * ALL_LENGTHS)) return true
  clearTables(tables) // until both are built
  const distances = lengths + ALL_LITERAL_SYMBOLS
  if (!buildDecoder(tables + TABLES_LITERALS, lengths, ALL_LITERAL_SYMBOLS, ALPHABET_LITERALS, LITERAL_BITS)) {
    corrupt(CORRUPT_LITERALS)
    return false
  }
  if (!buildDecoder(tables + TABLES_DISTANCES, distances, ALL_DISTANCE_SYMBOLS, ALPHABET_DISTANCES, DISTANCE_BITS)) {
    corrupt(CORRUPT_DISTANCES)
    return false
  }
  memory.copy(built, lengths, ALL_LENGTHS)
  noteHeader(tables)
  return true
}

/** The most bits of a header that is noted. */
const LONGEST_HEADER: u32 = 8 * 96

/** Notes beside its tables the header of the block under way, if all of it was just read. */
function noteHeader(tables: usize): void {
  const count = ((input - headerAt) << 3) - held
  if (headerAt == 0 || count > LONGEST_HEADER) return
  store<u32>(tables, count as u32, TABLES_HEADER_BITS)
  memory.copy(tables + TABLES_HEADER, headerAt, (count + 7) >> 3)
}

/** Skips the header of a block if it is the one whose tables there are, bit by bit. */
function skipsHeader(state: usize): bool {
  const tables = tablesOf(load<u32>(state, INFLATER_TABLES))
  const count = load<u32>(tables, TABLES_HEADER_BITS)
  const end = headerAt + ((count + 7) >> 3)
  if (count == 0 || headerAt == 0 || end + 8 > inputEnd || !sameBits(headerAt, tables + TABLES_HEADER, count))
    return false
  copyBlocks(state + INFLATER_LENGTHS, tables + TABLES_LENGTHS, ALL_LENGTHS)
  store<u32>(state, 0, INFLATER_FIXED)
  const left: u32 = (0 - count) & 7 // bits of the last byte behind the header
  advance(end, output, (load<u8>(end - 1) as u64) >> (8 - left), left)
  return true
}

/** Whether so many bits are the same; 8 bytes behind them are read, too. */
function sameBits(one: usize, other: usize, count: u32): bool {
  for (; count >= 64; count -= 64) {
    if (load<u64>(one) != load<u64>(other)) return false
    one += 8
    other += 8
  }
  return ((load<u64>(one) ^ load<u64>(other)) & (((1 as u64) << count) - 1)) == 0
}
