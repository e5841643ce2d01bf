// The payload of text: unmasked and validated in one pass.
import { mask } from './mask'
import { INFO_ASCII, SLOT_ANY_TEXT, SLOT_WIDE } from './memory'
import { UTF8_REJECTED, validate } from './utf8'

/** Text is unmasked and validated this many bytes at a time, so that the second look finds them in the first cache. */
const STRIDE: usize = 8192

export function asciiInfo(slot: usize): u32 {
  return load<u8>(slot, SLOT_WIDE) ? 0 : INFO_ASCII
}

/** Unmasks text and validates it in the same pass, but where it may be anything; returns the UTF-8 state after it. */
export function unmaskText(slot: usize, target: usize, source: usize, length: usize, key: u32, state: u32): u32 {
  if (load<u8>(slot, SLOT_ANY_TEXT)) {
    mask(target, source, length, key)
    store<u8>(slot, 1, SLOT_WIDE) // nobody has looked
    return 0
  }
  while (length) {
    const piece = min(length, STRIDE)
    const wide = mask(target, source, piece, key)
    if (wide) store<u8>(slot, 1, SLOT_WIDE)
    if (wide || state) {
      state = validate(state, target, piece)
      if (state == UTF8_REJECTED) return state
    }
    target += piece
    source += piece
    length -= piece
  }
  return state
}
