// The answer to the key of an opening handshake (RFC 6455, section 4.2.2): the SHA-1 (RFC 3174) of the key and a GUID, in
// base64. Key and GUID fill the first block but for the bit that ends them, so the second one, which says how long they are,
// is always the same.
import { SHA1_REST, SHA1_SCHEDULE } from './memory'

/** Characters of a Sec-WebSocket-Key, and bytes of a block and of the 80 words that become of it. */
const KEY: usize = 24
const BLOCK: usize = 64
const WORDS: usize = 320
const ROUNDS: usize = WORDS / 4
/** Bits of key and GUID. */
const BITS: u32 = 480
/** Bytes of the digest, and of its place with zeros behind it; and characters of the answer. */
const DIGEST: usize = 20
const DIGEST_ROOM: usize = 32
const ANSWER: usize = 28

/** Writes the 28 characters of the answer to `target`, which may be where the key of 24 characters lies. */
export function acceptKey(target: usize, key: usize): void {
  if (load<u32>(SHA1_REST, BLOCK - 4) != BITS) {
    store<u32>(SHA1_REST, BITS, BLOCK - 4) // the words before it are 0 in a memory that is new
    extend(SHA1_REST)
  }
  for (let at: usize = 0; at < KEY; at += 4) store<u32>(SHA1_SCHEDULE + at, bswap(load<u32>(key + at)))
  writeGuid(SHA1_SCHEDULE + KEY)
  extend(SHA1_SCHEDULE)
  hash(SHA1_SCHEDULE)
  writeBase64(target, SHA1_SCHEDULE)
}

/** 258EAFA5-E914-47DA-95CA-C5AB0DC85B11, and the bit behind it. */
function writeGuid(target: usize): void {
  store<u32>(target, 0x32353845)
  store<u32>(target, 0x41464135, 4)
  store<u32>(target, 0x2d453931, 8)
  store<u32>(target, 0x342d3437, 12)
  store<u32>(target, 0x44412d39, 16)
  store<u32>(target, 0x3543412d, 20)
  store<u32>(target, 0x43354142, 24)
  store<u32>(target, 0x30444338, 28)
  store<u32>(target, 0x35423131, 32)
  store<u32>(target, 0x80000000, 36)
}

/** The words of a block that follow from its first 16. */
function extend(words: usize): void {
  for (let at = words + BLOCK; at < words + WORDS; at += 4) {
    const sum = load<u32>(at - 12) ^ load<u32>(at - 32) ^ load<u32>(at - 56) ^ load<u32>(at - 64)
    store<u32>(at, rotl(sum, 1))
  }
}

/** Hashes the words of both blocks, and writes the digest to `target`. */
function hash(target: usize): void {
  let h0: u32 = 0x67452301
  let h1: u32 = 0xefcdab89
  let h2: u32 = 0x98badcfe
  let h3: u32 = 0x10325476
  let h4: u32 = 0xc3d2e1f0
  for (let words = SHA1_SCHEDULE as usize; words <= SHA1_REST; words += WORDS) {
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    for (let at: usize = 0; at < WORDS; at += 4) {
      let mixed: u32
      if (at < ROUNDS) mixed = (d ^ (b & (c ^ d))) + 0x5a827999
      else if (at < 2 * ROUNDS) mixed = (b ^ c ^ d) + 0x6ed9eba1
      else if (at < 3 * ROUNDS) mixed = ((b & c) | (d & (b | c))) + 0x8f1bbcdc
      else mixed = (b ^ c ^ d) + 0xca62c1d6
      const next = rotl(a, 5) + mixed + e + load<u32>(words + at)
      e = d
      d = c
      c = rotl(b, 30)
      b = a
      a = next
    }
    h0 += a
    h1 += b
    h2 += c
    h3 += d
    h4 += e
  }
  store<u32>(target, bswap(h0))
  store<u32>(target, bswap(h1), 4)
  store<u32>(target, bswap(h2), 8)
  store<u32>(target, bswap(h3), 12)
  store<u32>(target, bswap(h4), 16)
}

/** Writes a digest in base64 (RFC 4648, section 4): 12 bytes become 16 characters, and the other 8 become 12. */
function writeBase64(target: usize, digest: usize): void {
  store<u64>(digest, 0, DIGEST)
  for (let half: usize = 0; half < 2; half++) {
    const characters = charactersOf(v128.load(digest + 12 * half))
    v128.store(digest + DIGEST_ROOM + 16 * half, characters)
  }
  memory.copy(target, digest + DIGEST_ROOM, ANSWER)
  store<u8>(target, 0x3d, ANSWER - 1) // =
}

/** The characters for the first 12 bytes. */
function charactersOf(bytes: v128): v128 {
  // In each lane the three bytes of a group, the first one at the top.
  const groups = i8x16.shuffle(bytes, bytes, 2, 1, 0, 0, 5, 4, 3, 3, 8, 7, 6, 6, 11, 10, 9, 9)
  const mask = i32x4.splat(0x3f)
  const sextets = v128.or(
    v128.or(v128.and(i32x4.shr_u(groups, 18), mask), i32x4.shl(v128.and(i32x4.shr_u(groups, 12), mask), 8)),
    v128.or(i32x4.shl(v128.and(i32x4.shr_u(groups, 6), mask), 16), i32x4.shl(v128.and(groups, mask), 24)),
  )
  // A to Z, a to z, 0 to 9, + and /: each row begins somewhere else than it would behind the one before.
  let characters = i8x16.add(sextets, i8x16.splat(0x41))
  characters = i8x16.add(characters, above(sextets, 25, 6))
  characters = i8x16.sub(characters, above(sextets, 51, 75))
  characters = i8x16.sub(characters, above(sextets, 61, 15))
  return i8x16.add(characters, above(sextets, 62, 3))
}

/** In each lane that is above a limit `step`, and else 0. */
function above(lanes: v128, limit: i8, step: i8): v128 {
  return v128.and(i8x16.gt_u(lanes, i8x16.splat(limit)), i8x16.splat(step))
}
