// Masking and unmasking (RFC 6455, section 5.3): the same XOR in both directions, 64 bytes per step.

/** The masking key as the payload byte `count` places further sees it. */
export function rotate(key: u32, count: u32): u32 {
  return rotr<u32>(key, (count & 3) << 3)
}

/**
 * Writes `source` XOR `key` to `target`, which is the same place or does not overlap.
 * Returns whether any byte written is 0x80 or more, so that text knows for free when it is plain ASCII.
 */
export function mask(target: usize, source: usize, length: usize, key: u32): bool {
  assert(target == source || target + length <= source || source + length <= target)
  const keys = i32x4.splat(key)
  let seen = i64x2.splat(0)
  while (length >= 64) {
    const a = v128.xor(v128.load(source), keys)
    const b = v128.xor(v128.load(source, 16), keys)
    const c = v128.xor(v128.load(source, 32), keys)
    const d = v128.xor(v128.load(source, 48), keys)
    v128.store(target, a)
    v128.store(target, b, 16)
    v128.store(target, c, 32)
    v128.store(target, d, 48)
    seen = v128.or(seen, v128.or(v128.or(a, b), v128.or(c, d)))
    source += 64
    target += 64
    length -= 64
  }
  while (length >= 16) {
    const a = v128.xor(v128.load(source), keys)
    v128.store(target, a)
    seen = v128.or(seen, a)
    source += 16
    target += 16
    length -= 16
  }
  let high = i64x2.extract_lane(seen, 0) | i64x2.extract_lane(seen, 1)
  if (length & 8) {
    const a = load<u64>(source) ^ (((key as u64) << 32) | (key as u64))
    store<u64>(target, a)
    high |= a
    source += 8
    target += 8
  }
  if (length & 4) {
    const a = load<u32>(source) ^ key
    store<u32>(target, a)
    high |= a as u64
    source += 4
    target += 4
  }
  if (length & 2) {
    const a = load<u16>(source) ^ (key as u16)
    store<u16>(target, a)
    high |= a as u64
    source += 2
    target += 2
    key >>= 16
  }
  if (length & 1) {
    const a = load<u8>(source) ^ (key as u8)
    store<u8>(target, a)
    high |= a as u64
  }
  return (high & 0x8080808080808080) != 0
}
