// The headers of blocks (RFC 1951, sections 3.2.3 to 3.2.7). Each function reads one step of a header, or nothing of it
// if the input ends before, and says with which phase the inflater goes on.
import {
  advance,
  align,
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
  held,
  INFLATE_CORRUPT,
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
  writeFixedLengths,
} from './symbols'
import {
  BUILT_LENGTHS,
  DECODER_TABLE,
  DYNAMIC_DISTANCES,
  DYNAMIC_LITERALS,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTH_DECODER,
  SCRATCH,
  workspace,
} from './workspace'

const ALL_LENGTHS: u32 = ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS

/** Builds the decoders of the fixed codes, once for each workspace. */
export function buildFixedDecoders(): void {
  const lengths = workspace + SCRATCH + 32
  writeFixedLengths(lengths)
  buildDecoder(workspace + FIXED_LITERALS, lengths, ALL_LITERAL_SYMBOLS, ALPHABET_LITERALS, LITERAL_BITS)
  const distances = lengths + ALL_LITERAL_SYMBOLS
  buildDecoder(workspace + FIXED_DISTANCES, distances, ALL_DISTANCE_SYMBOLS, ALPHABET_DISTANCES, DISTANCE_BITS)
  memory.fill(workspace + BUILT_LENGTHS, 0, ALL_LENGTHS) // no block has these: none is without an end
}

function go(state: usize, phase: u32): u32 {
  store<u32>(state, phase, INFLATER_PHASE)
  return INFLATE_GO
}

export function readBlockHeader(state: usize): u32 {
  if (!ensure(3)) return INFLATE_MORE
  store<u32>(state, take(1), INFLATER_FINAL)
  const type = take(2)
  if (type == 3) return corrupt(CORRUPT_BLOCK_TYPE)
  if (type == 2) return go(state, PHASE_CODE_COUNTS)
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
  const length = take(16)
  if ((take(16) ^ length) != 0xffff) return corrupt(CORRUPT_STORED_LENGTH)
  store<u32>(state, length, INFLATER_STORED)
  return go(state, PHASE_STORED)
}

export function readCodeCounts(state: usize): u32 {
  if (!ensure(14)) return INFLATE_MORE
  const literals = take(5) + 257
  const distances = take(5) + 1
  if (literals > LITERAL_SYMBOLS || distances > DISTANCE_SYMBOLS) return corrupt(CORRUPT_CODE_COUNTS)
  store<u32>(state, literals, INFLATER_LITERALS)
  store<u32>(state, distances, INFLATER_DISTANCES)
  store<u32>(state, take(4) + 4, INFLATER_CODE_LENGTHS)
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

/** Reads the lengths of both codes, which are one sequence, and builds their decoders. */
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
  return useDynamicCodes(state) ? go(state, PHASE_SYMBOLS) : INFLATE_CORRUPT
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
  const built = workspace + BUILT_LENGTHS
  if (equal(built, lengths)) return true
  store<u8>(built + END_OF_BLOCK, 0) // until both are built, these are the lengths of no block
  const distances = lengths + ALL_LITERAL_SYMBOLS
  if (!buildDecoder(workspace + DYNAMIC_LITERALS, lengths, ALL_LITERAL_SYMBOLS, ALPHABET_LITERALS, LITERAL_BITS)) {
    corrupt(CORRUPT_LITERALS)
    return false
  }
  if (
    !buildDecoder(workspace + DYNAMIC_DISTANCES, distances, ALL_DISTANCE_SYMBOLS, ALPHABET_DISTANCES, DISTANCE_BITS)
  ) {
    corrupt(CORRUPT_DISTANCES)
    return false
  }
  copyBlocks(built, lengths, ALL_LENGTHS)
  return true
}

function equal(one: usize, other: usize): bool {
  let differences = i64x2.splat(0)
  for (let at: u32 = 0; at < ALL_LENGTHS; at += 16) {
    differences = v128.or(differences, v128.xor(v128.load(one + at), v128.load(other + at)))
  }
  return !v128.any_true(differences)
}
