// Makes a block of tokens (RFC 1951, sections 3.2.3 to 3.2.7): decides which kind is the shortest, and writes it.
import { flushBytes, out, outBits, outHeld, put, putStored, resumeOut } from './bitOutput'
import { packLengths, writeHeader } from './blockHeader'
import { findLengths, writeCodes } from './codes'
import { foresee, keepCodes, keeps, LONGEST_KEPT, packCodes, unforesee } from './keptCodes'
import { TOKEN_MATCH, tokensEnd } from './matches'
import {
  ALL_DISTANCE_SYMBOLS,
  ALL_LITERAL_SYMBOLS,
  END_OF_BLOCK,
  FIRST_LENGTH,
  LONGEST_CODE,
  lengthBase,
  lengthExtra,
} from './symbols'
import {
  COUNTS_END,
  DISTANCE_ENTRIES,
  DYNAMIC_CODES,
  FIXED_CODES,
  LITERAL_COUNTS,
  LITERAL_ENTRIES,
  MATCH_LENGTHS,
  SHORT_CODES,
  TOKENS,
  WRITTEN_LENGTHS,
  workspace,
} from './workspace'

const FIXED_BLOCK: u32 = 0b010
/** The most bits of a token with the fixed codes. */
const LONGEST_FIXED: u32 = 8 + 5 + 5 + 13
/** Builds what the deflater needs of its workspace, once; the WRITTEN_LENGTHS are those of the fixed codes. */
export function buildWriterTables(): void {
  const lengths = workspace + WRITTEN_LENGTHS
  writeCodes(lengths, ALL_LITERAL_SYMBOLS, workspace + FIXED_CODES, workspace + LITERAL_ENTRIES)
  const distances = workspace + FIXED_CODES + 4 * ALL_LITERAL_SYMBOLS
  writeCodes(lengths + ALL_LITERAL_SYMBOLS, ALL_DISTANCE_SYMBOLS, distances, workspace + DISTANCE_ENTRIES)
  packCodes(workspace + FIXED_CODES, lengths, workspace + SHORT_CODES)
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
export function writeTokens(state: usize, from: usize, length: u32): void {
  const tokens = ((tokensEnd - workspace - TOKENS) >> 2) as u32
  const stored = ((length + 4) << 3) + 3 + (((5 - outHeld) & 7) as u32)
  if (tokens < FEW_TOKENS && tokens * LONGEST_FIXED < stored) {
    put(FIXED_BLOCK, 3)
    encode(workspace + FIXED_CODES)
  } else {
    store<u32>(workspace + LITERAL_COUNTS + (END_OF_BLOCK << 2), 1)
    writeShortest(state, from, length, stored)
  }
  for (let at: u32 = LITERAL_COUNTS; at < COUNTS_END; at += 16) v128.store(workspace + at, i64x2.splat(0))
}

function writeShortest(state: usize, from: usize, length: u32, stored: u32): void {
  weigh()
  const fixed: u32 = 3 + fixedBits
  const most = min(fixed, stored)
  const own = estimate()
  if (own + fixed / WORTHWHILE < most && makeDynamicCodes(state, length, most)) {
    writeHeader()
    encode(workspace + DYNAMIC_CODES)
  } else if (fixed < stored) {
    put(FIXED_BLOCK, 3)
    encode(workspace + FIXED_CODES)
  } else {
    putStored(from, length)
  }
}

/** What the tokens take with the fixed codes, in bits. */
let fixedBits: u32 = 0
/** How many symbols are used, their extra bits, and their information in 256ths of a bit. */
let symbolsUsed: u32 = 0
let extraBits: u32 = 0
let information: u32 = 0

/** Weighs the symbols that were counted, four at a time. */
function weigh(): void {
  let fixed = i32x4.splat(0)
  let used = i32x4.splat(0)
  let extra = i32x4.splat(0)
  let total = i32x4.splat(0)
  let logarithms = i32x4.splat(0)
  let bits: u32 = 0
  for (let at: u32 = 0; at < 4 * (ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS); at += 16) {
    if (at == 4 * ALL_LITERAL_SYMBOLS) {
      const literals = sumOf(total)
      bits += literals * log2(literals)
      total = i32x4.splat(0)
    }
    const counts = v128.load(workspace + LITERAL_COUNTS + at)
    if (!v128.any_true(counts)) continue
    const none = i32x4.eq(counts, i32x4.splat(0))
    fixed = i32x4.add(fixed, i32x4.mul(counts, bitsOfCodes(v128.load(workspace + FIXED_CODES + at))))
    used = i32x4.add(used, i32x4.add(none, i32x4.splat(1)))
    const extras = v128.and(v128.load(workspace + LITERAL_ENTRIES + at), i32x4.splat(63))
    extra = i32x4.add(extra, i32x4.mul(counts, extras))
    total = i32x4.add(total, counts)
    logarithms = i32x4.add(logarithms, i32x4.mul(counts, log2Of(counts)))
  }
  const distances = sumOf(total)
  if (distances) bits += distances * log2(distances)
  fixedBits = sumOf(fixed)
  symbolsUsed = sumOf(used)
  extraBits = sumOf(extra)
  information = bits - sumOf(logarithms)
}

/** About how many bits a dynamic block has: the information of its symbols, and what its header has by experience. */
function estimate(): u32 {
  return (information >> 8) + extraBits + HEADER_BITS + symbolsUsed * HEADER_BITS_PER_SYMBOL
}

const HEADER_BITS: u32 = 100
const HEADER_BITS_PER_SYMBOL: u32 = 4

/** The binary logarithm of a number from 1, in 256ths; between powers of two, it follows the line between them. */
function log2(value: u32): u32 {
  const whole = 31 - clz<u32>(value)
  return (whole << 8) + ((value << 8) >> whole) - 256
}

/** The same of four numbers, as their binary floating-point form has it: exponent, then what is left. */
function log2Of(values: v128): v128 {
  return i32x4.sub(i32x4.shr_u(f32x4.convert_i32x4_u(values), 15), i32x4.splat(127 << 8))
}

function sumOf(four: v128): u32 {
  return (i32x4.extract_lane(four, 0) +
    i32x4.extract_lane(four, 1) +
    i32x4.extract_lane(four, 2) +
    i32x4.extract_lane(four, 3)) as u32
}

/** What symbols with these codes take, extra bits included. */
function bitsOfCodes(codes: v128): v128 {
  return i32x4.add(v128.and(i32x4.shr_u(codes, 16), i32x4.splat(0xff)), i32x4.shr_u(codes, 24))
}

/** The bits of all tokens with these codes. */
function bitsOf(codes: u32): u32 {
  let sum = i32x4.splat(0)
  for (let at: u32 = 0; at < 4 * (ALL_LITERAL_SYMBOLS + ALL_DISTANCE_SYMBOLS); at += 16) {
    const counts = v128.load(workspace + LITERAL_COUNTS + at)
    sum = i32x4.add(sum, i32x4.mul(counts, bitsOfCodes(v128.load(workspace + codes + at))))
  }
  return sumOf(sum)
}

/** Makes codes for the tokens; false if a block with them is not shorter than `most` bits. */
function makeDynamicCodes(state: usize, length: u32, most: u32): bool {
  const lengths = workspace + WRITTEN_LENGTHS
  const distanceLengths = lengths + ALL_LITERAL_SYMBOLS
  const counts = workspace + LITERAL_COUNTS
  const kept = keeps(state, length)
  const longest = kept ? LONGEST_KEPT : LONGEST_CODE
  if (kept) foresee(state)
  findLengths(counts, ALL_LITERAL_SYMBOLS, lengths, longest)
  findLengths(counts + 4 * ALL_LITERAL_SYMBOLS, ALL_DISTANCE_SYMBOLS, distanceLengths, longest)
  if (kept) unforesee()
  writeCodes(lengths, ALL_LITERAL_SYMBOLS, workspace + DYNAMIC_CODES, workspace + LITERAL_ENTRIES)
  const distanceCodes = workspace + DYNAMIC_CODES + 4 * ALL_LITERAL_SYMBOLS
  writeCodes(distanceLengths, ALL_DISTANCE_SYMBOLS, distanceCodes, workspace + DISTANCE_ENTRIES)
  const header = packLengths()
  const all = header + bitsOf(DYNAMIC_CODES)
  if (all >= most) return false
  if (kept) keepCodes(state, header, all, length)
  return true
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
