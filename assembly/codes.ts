// Huffman codes for the symbols of a block: how long each should be, and what it then is (RFC 1951, section 3.2.2).
import { LONGEST_CODE } from './symbols'
import { SORTING, workspace } from './workspace'

// The places of what is sorted and weighed. Symbols come with their counts: count << 9 | symbol, u32 each.
const SORTED: u32 = SORTING
export const UNSORTED: u32 = SORTED + 4 * 320
const WEIGHTS: u32 = UNSORTED + 4 * 320 // u32 each: of the inner nodes, in the order in which they are made
const PARENTS: u32 = WEIGHTS + 4 * 320 // u16 each: of the inner nodes
const LEAF_PARENTS: u32 = PARENTS + 2 * 320 // u16 each: of the symbols, in their order
const DEPTHS: u32 = LEAF_PARENTS + 2 * 320 // u8 each: of the inner nodes
const BUCKETS: u32 = DEPTHS + 320 // u16 each

const SYMBOL_BITS: u32 = 9
const DIGIT_BITS: u32 = 7

/** Finds code lengths of at most `most` bits for the symbols that are counted; the others get 0. At least two get a code. */
export function findLengths(counts: usize, symbols: u32, lengths: usize, most: u32): void {
  memory.fill(lengths, 0, symbols)
  const sorted = workspace + SORTED
  const used = collect(counts, symbols, sorted)
  if (used < 2) {
    const only = used ? load<u32>(sorted) & ((1 << SYMBOL_BITS) - 1) : 0
    store<u8>(lengths + only, 1)
    store<u8>(lengths + (only ? 0 : 1), 1)
    return
  }
  let ordered = workspace + UNSORTED
  if (sortByCount(sorted, ordered, used, 0)) {
    sortByCount(ordered, sorted, used, DIGIT_BITS)
    ordered = sorted
  }
  joinNodes(ordered, used)
  const perLength = workspace + BUCKETS
  countDepths(perLength, used, most)
  // The most frequent symbols come last, and get the shortest codes.
  let at = ordered
  for (let bits = most; bits > 0; bits--) {
    for (let count = load<u16>(perLength + (bits << 1)); count > 0; count--, at += 4) {
      store<u8>(lengths + (load<u32>(at) & ((1 << SYMBOL_BITS) - 1)), bits as u8)
    }
  }
}

function collect(counts: usize, symbols: u32, target: usize): u32 {
  let at = target
  for (let symbol: u32 = 0; symbol < symbols; symbol += 2) {
    const pair = load<u64>(counts + (symbol << 2))
    if (pair == 0) continue
    const first = pair as u32
    const second = (pair >> 32) as u32
    store<u32>(at, (first << SYMBOL_BITS) | symbol)
    at += first ? 4 : 0
    store<u32>(at, (second << SYMBOL_BITS) | (symbol + 1))
    at += second ? 4 : 0
  }
  return ((at - target) >> 2) as u32
}

/** Sorts by one digit of the counts, and keeps the order of those that have the same; false if there is no higher digit. */
function sortByCount(from: usize, to: usize, length: u32, digit: u32): bool {
  const buckets = workspace + BUCKETS
  const shift = SYMBOL_BITS + digit - 1
  const mask: u32 = ((1 << DIGIT_BITS) - 1) << 1
  for (let at: u32 = 0; at < 2 << DIGIT_BITS; at += 16) v128.store(buckets + at, i64x2.splat(0))
  const end = from + (length << 2)
  let highest: u32 = 0
  let all: u32 = 0
  for (let at = from; at < end; at += 4) {
    const item = load<u32>(at)
    const bucket = (item >> shift) & mask
    all |= item
    highest = max(highest, bucket)
    store<u16>(buckets + bucket, load<u16>(buckets + bucket) + 1)
  }
  let sum: u32 = 0
  for (let bucket: u32 = 0; bucket <= highest; bucket += 2) {
    const count = load<u16>(buckets + bucket) as u32
    store<u16>(buckets + bucket, sum as u16)
    sum += count
  }
  for (let at = from; at < end; at += 4) {
    const item = load<u32>(at)
    const bucket = buckets + ((item >> shift) & mask)
    const place = load<u16>(bucket) as u32
    store<u16>(bucket, (place + 1) as u16)
    store<u32>(to + (place << 2), item)
  }
  return all >> (SYMBOL_BITS + digit + DIGIT_BITS) != 0
}

/**
 * Joins the two lightest nodes until one is left (Huffman): symbols and inner nodes are two queues, each in order, with the
 * heaviest weight of all behind them. From which the next comes, no processor could guess: nothing branches by it.
 */
function joinNodes(sorted: usize, used: u32): void {
  const weights = workspace + WEIGHTS
  const parents = workspace + PARENTS
  const leafParents = workspace + LEAF_PARENTS
  let leaf: u32 = 0
  let inner: u32 = 0
  store<u32>(sorted + (used << 2), u32.MAX_VALUE)
  for (let made: u32 = 0; made < used - 1; made++) {
    let weight: u32 = 0
    store<u32>(weights + (made << 2), u32.MAX_VALUE)
    for (let child = 0; child < 2; child++) {
      const leafWeight = load<u32>(sorted + (leaf << 2)) >> SYMBOL_BITS
      const innerWeight = load<u32>(weights + (inner << 2))
      const isLeaf = leafWeight <= innerWeight
      store<u16>(select(leafParents + (leaf << 1), parents + (inner << 1), isLeaf), made as u16)
      weight += select(leafWeight, innerWeight, isLeaf)
      leaf += u32(isLeaf)
      inner += u32(!isLeaf)
    }
    store<u32>(weights + (made << 2), weight)
  }
}

/** Counts how many symbols have a code of each length, and shortens those that are longer than `most`. */
function countDepths(perLength: usize, used: u32, most: u32): void {
  const depths = workspace + DEPTHS
  const parents = workspace + PARENTS
  for (let at: u32 = 0; at < 64; at += 16) v128.store(perLength + at, i64x2.splat(0))
  const root = used - 2
  store<u8>(depths + root, 0)
  for (let node = root; node-- > 0; ) {
    const depth = load<u8>(depths + load<u16>(parents + (node << 1))) as u32
    store<u8>(depths + node, min<u32>(depth + 1, most) as u8) // what is deeper counts as `most` below
  }
  let taken: u32 = 0 // of 2^most codes
  for (let leaf: u32 = 0; leaf < used; leaf++) {
    const depth = min<u32>((load<u8>(depths + load<u16>(workspace + LEAF_PARENTS + (leaf << 1))) as u32) + 1, most)
    store<u16>(perLength + (depth << 1), load<u16>(perLength + (depth << 1)) + 1)
    taken += 1 << (most - depth)
  }
  // Each step makes two codes of one bit more out of a shorter one, and the second takes the place of one that is too long.
  while (taken > 1 << most) {
    let bits = most - 1
    while (load<u16>(perLength + (bits << 1)) == 0) bits--
    store<u16>(perLength + (bits << 1), load<u16>(perLength + (bits << 1)) - 1)
    store<u16>(perLength + (bits << 1), load<u16>(perLength + (bits << 1), 2) + 2, 2)
    store<u16>(perLength + (most << 1), load<u16>(perLength + (most << 1)) - 1)
    taken--
  }
}

/**
 * Writes the codes of symbols that have these lengths: code | bits << 16 | extra bits << 24, of which the last are in
 * `entries`. The first bit of a code is its lowest.
 */
export function writeCodes(lengths: usize, symbols: u32, codes: usize, entries: usize): void {
  const next = workspace + BUCKETS
  for (let at: u32 = 0; at < 64; at += 16) v128.store(next + at, i64x2.splat(0))
  for (let symbol: u32 = 0; symbol < symbols; symbol += 4) {
    for (let four = load<u32>(lengths + symbol); four != 0; four >>= 8) {
      const count = next + ((four & 0xff) << 2)
      store<u32>(count, load<u32>(count) + 1)
    }
  }
  let code: u32 = 0
  let count: u32 = 0
  for (let bits: u32 = 1; bits <= LONGEST_CODE; bits++) {
    code = (code + count) << 1
    count = load<u32>(next + (bits << 2))
    store<u32>(next + (bits << 2), code)
  }
  for (let symbol: u32 = 0; symbol < symbols; symbol += 4) {
    let four = load<u32>(lengths + symbol)
    for (let at = symbol << 2; four != 0; at += 4, four >>= 8) {
      const bits = four & 0xff
      if (bits == 0) continue
      const nextAt = next + (bits << 2)
      const value = load<u32>(nextAt)
      store<u32>(nextAt, value + 1)
      const extra = load<u32>(entries + at) & 63
      store<u32>(codes + at, reversed(value << (16 - bits)) | (bits << 16) | (extra << 24))
    }
  }
}

/** 16 bits in the reverse order. */
function reversed(value: u32): u32 {
  value = ((value & 0x5555) << 1) | ((value >> 1) & 0x5555)
  value = ((value & 0x3333) << 2) | ((value >> 2) & 0x3333)
  value = ((value & 0x0f0f) << 4) | ((value >> 4) & 0x0f0f)
  return ((value & 0x00ff) << 8) | (value >> 8)
}
