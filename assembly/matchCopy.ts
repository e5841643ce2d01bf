// Copies of what was written before: the matches of RFC 1951, section 3.2.3, which may repeat what they write.
import { copyApart } from './copy'

/** Copies `length` bytes, a multiple of 16, that do not overlap with their target. */
export function copyBlocks(target: usize, source: usize, length: u32): void {
  assert((length & 15) == 0)
  for (let at: u32 = 0; at < length; at += 16) v128.store(target + at, v128.load(source + at))
}

/** Copies up to `end` from a source that lies 16 bytes before the target or more; it may write 15 bytes behind the end. */
export function copyLoosely(target: usize, end: usize, source: usize): void {
  for (; target < end; target += 16) {
    v128.store(target, v128.load(source))
    source += 16
  }
}

/** Writes a match up to `end` that begins `distance` bytes before it; it may write 15 bytes behind the end. */
export function matchLoosely(target: usize, end: usize, distance: usize): void {
  if (distance >= 16) copyLoosely(target, end, target - distance)
  else if (distance == 1) {
    const repeated = i8x16.splat(load<u8>(target - 1))
    for (; target < end; target += 16) v128.store(target, repeated)
  } else if (distance >= 8) {
    for (; target < end; target += 8) store<u64>(target, load<u64>(target - distance))
  } else {
    for (; target < end; target++) store<u8>(target, load<u8>(target - distance))
  }
}

/**
 * Writes `length` bytes of a match: each is the byte `distance` before it, so that a match may repeat what it writes.
 * It touches no byte behind them.
 */
export function copyMatch(target: usize, distance: u32, length: u32): void {
  if (distance >= length) {
    copyApart(target, target - distance, length)
    return
  }
  const end = target + length
  const loose = end - min<usize>(length, 16)
  if (target < loose) matchLoosely(target, loose, distance)
  for (target = max(target, loose); target < end; target++) store<u8>(target, load<u8>(target - distance))
}
