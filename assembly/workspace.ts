// The map of a thread's workspace: the tables of both directions and what the last call says of itself. The host gives
// the place, because several threads may compress in one memory, each with an instance and a workspace of its own.

import { END_OF_BLOCK } from './symbols'

/** Bytes of a workspace, and of what it has on top for each place of tables, see below. */
export const WORKSPACE_SIZE: u32 = 57344
export const TABLES_SIZE: u32 = 6784

/** What the last call of `inflate` or `deflate` says. Offsets are from the workspace. */
export const WORKSPACE_CONSUMED: u32 = 0 // u32: bytes of the input that are consumed
export const WORKSPACE_WRITTEN: u32 = 4 // u32: bytes that were written

/** A decoder of one alphabet: a table that is looked up by the next bits, and the symbols in the order of their codes. */
export const DECODER_COUNTS: u32 = 0 // u16 × 16: how many codes have 0 to 15 bits
export const DECODER_SORTED: u32 = 32 // u16: the symbols
export const DECODER_TABLE: u32 = 608 // u32 entries, see huffman.ts
export const DECODER_SIZE: u32 = DECODER_TABLE + 4096

export const FIXED_LITERALS: u32 = 64
export const FIXED_DISTANCES: u32 = FIXED_LITERALS + DECODER_SIZE
/** The code in which code lengths are written. */
export const LENGTH_DECODER: u32 = FIXED_DISTANCES + DECODER_SIZE
/** Room for 320 code lengths, and for the offsets of a sort. */
export const SCRATCH: u32 = LENGTH_DECODER + DECODER_SIZE
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
export const SHORT_CODES: u32 = LENGTH_DECODER + DECODER_TABLE + 512
/** What each length of a match is, from 0 to 258, u16 each: its symbol's index, and the extra bits' value << 5. */
export const MATCH_LENGTHS: u32 = LENGTH_CODES + 4 * 32
/** The lengths of the codes of the block that is written: 288 of literals and lengths, 32 of distances, 32 of lengths. */
export const WRITTEN_LENGTHS: u32 = MATCH_LENGTHS + 2 * 264
/** The tokens of the block under way, u32 each: see matches.ts. */
export const TOKENS: u32 = WRITTEN_LENGTHS + 352
export const MOST_TOKENS: u32 = 7168
/** What is sorted and weighed when codes are made: see codes.ts. */
export const SORTING: u32 = TOKENS + 4 * MOST_TOKENS
/**
 * The places of the tables of dynamic blocks, of which each state with context takeover has one, and where these are too few,
 * some share one: what lies there is what the last of them needed. A peer that keeps its codes sends the same header again.
 */
const TABLES: u32 = WORKSPACE_SIZE
export const TABLES_HEADER_BITS: u32 = 0 // u32: bits of the header of a block with these codes, or 0 if it is not there
export const TABLES_HEADER: u32 = 16 // u8 × 96, and 8 for the last store
export const TABLES_LENGTHS: u32 = 128 // u8: the code lengths, 288 of literals and lengths, 32 of distances
export const TABLES_LITERALS: u32 = 448
export const TABLES_DISTANCES: u32 = TABLES_LITERALS + DECODER_SIZE

/** The address of this instance's workspace. */
export let workspace: usize = 0

/** The last place of tables; how many there are is a power of two. */
let lastTables: u32 = 0

export function placeWorkspace(at: usize, tables: u32): void {
  assert(at != 0 && (at & 15) == 0 && popcnt(tables) == 1)
  workspace = at
  lastTables = tables - 1
}

/** The tables of the place with this number. */
export function tablesOf(place: u32): usize {
  return workspace + TABLES + (place & lastTables) * TABLES_SIZE
}

/** Says of tables that they are those of no block: each of these has an end. */
export function clearTables(tables: usize): void {
  store<u32>(tables, 0, TABLES_HEADER_BITS)
  store<u8>(tables, 0, TABLES_LENGTHS + END_OF_BLOCK)
}

/** What is clear already is only read: memory that nobody has written to takes none of the system's. */
export function clearAllTables(): void {
  for (let place: u32 = 0; place <= lastTables; place++) {
    const tables = tablesOf(place)
    if (load<u32>(tables, TABLES_HEADER_BITS) | load<u8>(tables, TABLES_LENGTHS + END_OF_BLOCK)) clearTables(tables)
  }
}

export function report(consumed: u32, written: u32): void {
  store<u32>(workspace, consumed, WORKSPACE_CONSUMED)
  store<u32>(workspace, written, WORKSPACE_WRITTEN)
}
