// The map of a thread's workspace: the tables of both directions and what the last call says of itself. The host gives
// the place, because several threads may compress in one memory, each with an instance and a workspace of its own.

/** Bytes of a workspace. */
export const WORKSPACE_SIZE: u32 = 65536

/** What the last call of `inflate` or `deflate` says. Offsets are from the workspace. */
export const WORKSPACE_CONSUMED: u32 = 0 // u32: bytes of the input that are consumed
export const WORKSPACE_WRITTEN: u32 = 4 // u32: bytes that were written

/** A decoder of one alphabet: a table that is looked up by the next bits, and the symbols in the order of their codes. */
export const DECODER_TABLE: u32 = 0 // u32 entries, see huffman.ts
export const DECODER_COUNTS: u32 = 4096 // u16 × 16: how many codes have 0 to 15 bits
export const DECODER_SORTED: u32 = 4128 // u16: the symbols
export const DECODER_SIZE: u32 = 4704

export const FIXED_LITERALS: u32 = 64
export const FIXED_DISTANCES: u32 = FIXED_LITERALS + DECODER_SIZE
export const DYNAMIC_LITERALS: u32 = FIXED_DISTANCES + DECODER_SIZE
export const DYNAMIC_DISTANCES: u32 = DYNAMIC_LITERALS + DECODER_SIZE
/** The code in which code lengths are written. */
export const LENGTH_DECODER: u32 = DYNAMIC_DISTANCES + DECODER_SIZE
/** The code lengths from which the dynamic decoders were built: 288 of literals and lengths, 32 of distances. */
export const BUILT_LENGTHS: u32 = LENGTH_DECODER + DECODER_SIZE
/** Room for 320 code lengths, and for the offsets of a sort. */
export const SCRATCH: u32 = BUILT_LENGTHS + 320
/** The entries of all symbols of an alphabet but for the bits of their codes (huffman.ts), u32 each. */
export const LITERAL_ENTRIES: u32 = SCRATCH + 384
export const DISTANCE_ENTRIES: u32 = LITERAL_ENTRIES + 4 * 288
export const LENGTH_ENTRIES: u32 = DISTANCE_ENTRIES + 4 * 32
/**
 * How often each symbol comes in the block under way, u32 each: literals and lengths, distances, and code lengths. All
 * are zero between blocks.
 */
export const LITERAL_COUNTS: u32 = LENGTH_ENTRIES + 4 * 32
export const DISTANCE_COUNTS: u32 = LITERAL_COUNTS + 4 * 288
export const LENGTH_COUNTS: u32 = DISTANCE_COUNTS + 4 * 32
export const COUNTS_END: u32 = LENGTH_COUNTS + 4 * 32
/** The codes of each alphabet, u32 each: code | bits << 16 | extra bits << 24; those of distances follow the literals'. */
export const FIXED_CODES: u32 = COUNTS_END
export const DYNAMIC_CODES: u32 = FIXED_CODES + 4 * 320
export const LENGTH_CODES: u32 = DYNAMIC_CODES + 4 * 320
/**
 * The fixed codes as `find` writes them: see keptCodes.ts. They lie where the table of a decoder would be whose codes are
 * longer than those of code lengths are.
 */
export const SHORT_CODES: u32 = LENGTH_DECODER + 1024
/** What each length of a match is, from 0 to 258, u16 each: its symbol's index, and the extra bits' value << 5. */
export const MATCH_LENGTHS: u32 = LENGTH_CODES + 4 * 32
/** The lengths of the codes of the block that is written: 288 of literals and lengths, 32 of distances, 32 of lengths. */
export const WRITTEN_LENGTHS: u32 = MATCH_LENGTHS + 2 * 264
/** The tokens of the block under way, u32 each: see matches.ts. */
export const TOKENS: u32 = WRITTEN_LENGTHS + 352
export const MOST_TOKENS: u32 = 7168
/** What is sorted and weighed when codes are made: see codes.ts. */
export const SORTING: u32 = TOKENS + 4 * MOST_TOKENS

/** The address of this instance's workspace. */
export let workspace: usize = 0

export function placeWorkspace(at: usize): void {
  assert(at != 0 && (at & 15) == 0)
  workspace = at
}

export function report(consumed: u32, written: u32): void {
  store<u32>(workspace, consumed, WORKSPACE_CONSUMED)
  store<u32>(workspace, written, WORKSPACE_WRITTEN)
}
