// The symbols of a block (RFC 1951, section 3.2.3): literals, and matches with what was written before. Nearly all of the
// time goes by here, so there are two loops: a fast one while input and room are plenty, and a careful one for their ends.
import {
  advance,
  bits,
  CORRUPT_DISTANCE,
  CORRUPT_LITERAL,
  CORRUPT_TOO_FAR,
  corrupt,
  held,
  INFLATE_CORRUPT,
  INFLATE_GO,
  INFLATE_MORE,
  INFLATE_ROOM,
  input,
  inputEnd,
  output,
  outputBase,
  outputEnd,
} from './bitInput'
import { endBlock, useDynamicCodes } from './blocks'
import {
  ALPHABET_DISTANCES,
  ALPHABET_LITERALS,
  DISTANCE_BITS,
  ENTRY_SPECIAL,
  KIND_END,
  KIND_LONG,
  LITERAL_BITS,
  longEntry,
} from './huffman'
import {
  copyFromRing,
  INFLATER_DISTANCE,
  INFLATER_FIXED,
  INFLATER_MATCH,
  INFLATER_RING_AT,
  INFLATER_RING_BITS,
  INFLATER_RING_FILLED,
  INFLATER_TABLES,
  INFLATER_WINDOW,
  INFLATER_WINDOW_BITS,
} from './inflater'
import { copyLoosely, copyMatch, matchLoosely } from './matchCopy'
import { LONGEST_MATCH } from './symbols'
import {
  DECODER_TABLE,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  TABLES_DISTANCES,
  TABLES_LITERALS,
  tablesOf,
  workspace,
} from './workspace'

/** Bytes of a match that are copied at once, however short it is. */
const SLACK: u32 = 32
/** Bytes that one turn of the fast loop reads and writes at most: two looks of 8 bytes, two literals and a match. */
const FAST_INPUT: usize = 16
const FAST_OUTPUT: usize = 2 + LONGEST_MATCH + SLACK

/** What a look-up needs, of the block under way. */
let literals: usize = 0
let distances: usize = 0

/** What the table says of the next bits. */
function lookUp(decoder: usize, value: u64, tableBits: u32): u64 {
  return load<u32>(decoder + (((value as usize) & ((1 << tableBits) - 1)) << 2), DECODER_TABLE) as u64
}

function isLong(entry: u64): bool {
  return (entry & (ENTRY_SPECIAL | 0xffff0000)) == (ENTRY_SPECIAL | (KIND_LONG << 16))
}

function isLiteral(entry: u64): bool {
  return (entry as i32) < 0
}

/** The base of a length or distance and its extra bits, which are the next ones after the code. */
function amountOf(entry: u64, value: u64): u32 {
  const all = value & (((1 as u64) << (entry & 63)) - 1)
  return ((entry >> 16) as u32) + ((all >> ((entry >> 8) & 15)) as u32)
}

/** Writes a match, or as much of it as lies before the end of the room; false if it begins before everything. */
function writeMatch(state: usize, to: usize, distance: u32, length: u32): bool {
  const inMessage = (to - outputBase) as u32
  if (distance > inMessage) {
    const back = distance - inMessage
    if (back > load<u32>(state, INFLATER_RING_FILLED)) return false
    const first = min(length, back)
    copyFromRing(state, to, back, first)
    to += first
    length -= first
    if (length == 0) return true
  }
  copyMatch(to, distance, length)
  return true
}

export function decodeSymbols(state: usize): u32 {
  if (load<u32>(state, INFLATER_FIXED)) {
    literals = workspace + FIXED_LITERALS
    distances = workspace + FIXED_DISTANCES
  } else {
    if (!useDynamicCodes(state)) return INFLATE_CORRUPT
    const tables = tablesOf(load<u32>(state, INFLATER_TABLES))
    literals = tables + TABLES_LITERALS
    distances = tables + TABLES_DISTANCES
  }
  if (load<u32>(state, INFLATER_MATCH)) {
    const status = continueMatch(state)
    if (status != INFLATE_GO) return status
  }
  if (inputEnd - input >= FAST_INPUT && outputEnd - output >= FAST_OUTPUT) {
    if (!decodeFast(state)) return corrupt(CORRUPT_TOO_FAR)
  }
  return decodeCarefully(state)
}

/** Writes what is left of the match at which the room ended. */
function continueMatch(state: usize): u32 {
  const left = load<u32>(state, INFLATER_MATCH)
  const length = min<usize>(left, outputEnd - output) as u32
  if (!writeMatch(state, output, load<u32>(state, INFLATER_DISTANCE), length)) return corrupt(CORRUPT_TOO_FAR)
  store<u32>(state, left - length, INFLATER_MATCH)
  advance(input, output + length, bits, held)
  return left > length ? INFLATE_ROOM : INFLATE_GO
}

/**
 * Decodes while input and room are plenty. What it leaves to the other loop is the end of the block and what is invalid;
 * false is for matches that begin before everything.
 */
function decodeFast(state: usize): bool {
  const lastInput = inputEnd - FAST_INPUT
  const lastOutput = outputEnd - FAST_OUTPUT
  const base = outputBase
  const farthest: u32 = 1 << load<u32>(state, INFLATER_WINDOW_BITS)
  const literalCodes = literals
  const distanceCodes = distances
  const ring = load<u32>(state, INFLATER_WINDOW) as usize
  const ringAt = load<u32>(state, INFLATER_RING_AT)
  const ringFilled = load<u32>(state, INFLATER_RING_FILLED)
  const ringLast: u32 = (1 << load<u32>(state, INFLATER_RING_BITS)) - 1
  let at = input
  let to = output
  let value = bits
  // Only the lowest 6 bits count: shifts take no others, and the entries have other things above them.
  let count = held as u64
  let good = true
  while (at <= lastInput && to <= lastOutput) {
    value |= load<u64>(at) << count
    at += (((63 - count) >> 3) & 7) as usize
    count |= 56
    let entry = lookUp(literalCodes, value, LITERAL_BITS)
    if (isLiteral(entry)) {
      store<u8>(to++, (entry >> 16) as u8)
      value >>= entry
      count -= entry
      entry = lookUp(literalCodes, value, LITERAL_BITS)
      if (isLiteral(entry)) {
        store<u8>(to++, (entry >> 16) as u8)
        value >>= entry
        count -= entry
        entry = lookUp(literalCodes, value, LITERAL_BITS)
        if (isLiteral(entry)) {
          store<u8>(to++, (entry >> 16) as u8)
          value >>= entry
          count -= entry
          continue
        }
      }
    }
    if (entry & ENTRY_SPECIAL) {
      if (!isLong(entry)) break
      entry = longEntry(literalCodes, value, ALPHABET_LITERALS) as u64
      if (isLiteral(entry)) {
        store<u8>(to++, (entry >> 16) as u8)
        value >>= entry
        count -= entry
        continue
      }
      if (entry & ENTRY_SPECIAL) break
    }
    // At most 45 of 56 bits are used: two literals of 15, or none and a length of 20, and so on.
    const before = value
    const beforeCount = count
    const beforeAt = at
    const length = amountOf(entry, value)
    value >>= entry
    count -= entry
    value |= load<u64>(at) << count
    at += (((63 - count) >> 3) & 7) as usize
    count |= 56
    entry = lookUp(distanceCodes, value, DISTANCE_BITS)
    if (isLong(entry)) entry = longEntry(distanceCodes, value, ALPHABET_DISTANCES) as u64
    const distance = amountOf(entry, value)
    if (entry & ENTRY_SPECIAL) {
      value = before
      count = beforeCount
      at = beforeAt
      break
    }
    value >>= entry
    count -= entry
    const inMessage = to - base
    if (distance > farthest) {
      good = false
      break
    }
    const end = to + length
    // Whether a match begins in the window or in the message is as good as random: the branch is for what is rare in both.
    const back = distance - (inMessage as u32)
    const from = (ringAt - back) & ringLast
    const isInRing = distance > (inMessage as u32)
    const isHardInRing = u32(back < length) | u32(back > ringFilled) | u32(from + length + SLACK > ringLast)
    if (select(isHardInRing, u32(distance < SLACK), isInRing)) {
      if (isInRing) {
        good = writeMatch(state, to, distance, length)
        if (!good) break
      } else matchLoosely(to, end, distance)
    } else {
      const source = select(ring + from, to - distance, isInRing)
      v128.store(to, v128.load(source))
      v128.store(to, v128.load(source, 16), 16)
      copyLoosely(to + SLACK, end, source + SLACK)
    }
    to = end
  }
  advance(at, to, value, (count & 63) as u32)
  return good
}

/** Decodes symbol after symbol, and stops in front of the one for which the input or the room does not suffice. */
function decodeCarefully(state: usize): u32 {
  const farthest: u32 = 1 << load<u32>(state, INFLATER_WINDOW_BITS)
  let at = input
  let to = output
  let value = bits
  let count = held
  let status = INFLATE_GO
  while (true) {
    if (inputEnd - at >= 8) {
      value |= load<u64>(at) << count
      at += (63 - count) >> 3
      count |= 56
    } else {
      while (count < 56 && at < inputEnd) {
        value |= (load<u8>(at++) as u64) << count
        count += 8
      }
    }
    let entry = lookUp(literals, value, LITERAL_BITS)
    if (isLong(entry)) entry = longEntry(literals, value, ALPHABET_LITERALS) as u64
    const used = (entry & 63) as u32
    if (used > count) {
      status = INFLATE_MORE
      break
    }
    if (isLiteral(entry)) {
      if (to == outputEnd) {
        status = INFLATE_ROOM
        break
      }
      store<u8>(to++, (entry >> 16) as u8)
      value >>= used
      count -= used
      continue
    }
    if (entry & ENTRY_SPECIAL) {
      if (entry >> 16 != KIND_END) {
        status = corrupt(CORRUPT_LITERAL)
        break
      }
      advance(at, to, value >> used, count - used)
      return endBlock(state)
    }
    const length = amountOf(entry, value)
    const rest = value >> used
    entry = lookUp(distances, rest, DISTANCE_BITS)
    if (isLong(entry)) entry = longEntry(distances, rest, ALPHABET_DISTANCES) as u64
    const both = used + ((entry & 63) as u32)
    if (both > count) {
      status = INFLATE_MORE
      break
    }
    const distance = amountOf(entry, rest)
    if (entry & ENTRY_SPECIAL || distance > farthest) {
      status = corrupt(entry & ENTRY_SPECIAL ? CORRUPT_DISTANCE : CORRUPT_TOO_FAR)
      break
    }
    if (to == outputEnd) {
      status = INFLATE_ROOM
      break
    }
    const written = min<usize>(length, outputEnd - to) as u32
    if (!writeMatch(state, to, distance, written)) {
      status = corrupt(CORRUPT_TOO_FAR)
      break
    }
    to += written
    value >>= both
    count -= both
    if (written < length) {
      store<u32>(state, length - written, INFLATER_MATCH)
      store<u32>(state, distance, INFLATER_DISTANCE)
      status = INFLATE_ROOM
      break
    }
  }
  advance(at, to, value, count)
  return status
}
