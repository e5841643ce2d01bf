// The frame header (RFC 6455, section 5.2): its rules, byte by byte as they arrive, and how one is written.

export const OPCODE_CONTINUATION: u32 = 0
export const OPCODE_TEXT: u32 = 1
export const OPCODE_BINARY: u32 = 2
export const OPCODE_CLOSE: u32 = 8
export const OPCODE_PING: u32 = 9
export const OPCODE_PONG: u32 = 10

export const FIN: u32 = 0x80
export const RESERVED: u32 = 0x70
/** The reserved bit of permessage-deflate (RFC 7692, section 6). */
export const RSV1: u32 = 0x40
const CONTROL: u32 = 0x08
export const MASKED: u32 = 0x80

/** The longest payload of the 7-bit tier, of the 16-bit tier, and the longest that a JavaScript number counts exactly. */
export const LONGEST_7_BIT: u32 = 125
export const LONGEST_16_BIT: u32 = 65535
export const LONGEST_SAFE: u64 = 9007199254740991

/** What a frame can do wrong. Zero is none; the host gives each its close code. */
export const VIOLATION_RESERVED_BITS: u32 = 16
export const VIOLATION_RESERVED_OPCODE: u32 = 17
export const VIOLATION_CONTROL_FRAGMENTED: u32 = 18
export const VIOLATION_CONTROL_TOO_LONG: u32 = 19
export const VIOLATION_CONTINUATION_UNEXPECTED: u32 = 20
export const VIOLATION_CONTINUATION_EXPECTED: u32 = 21
export const VIOLATION_MASK_MISSING: u32 = 22
export const VIOLATION_MASK_FORBIDDEN: u32 = 23
export const VIOLATION_LENGTH_NOT_MINIMAL: u32 = 24
export const VIOLATION_LENGTH_TOP_BIT: u32 = 25
export const VIOLATION_LENGTH_UNSAFE: u32 = 26
export const VIOLATION_MESSAGE_TOO_LONG: u32 = 27
export const VIOLATION_INVALID_UTF8: u32 = 28
export const VIOLATION_TOO_MANY_FRAGMENTS: u32 = 29

export function isControl(first: u32): bool {
  return (first & CONTROL) != 0
}

/**
 * The rules of the first byte; `message` is the opcode of the fragmented message under way, or 0; `extension` is the
 * reserved bit that the first frame of a message may have, or 0.
 */
export function checkFirst(first: u32, message: u32, extension: u32 = 0): u32 {
  if (first & RESERVED) {
    const begins = !isControl(first) && (first & 0x0f) != OPCODE_CONTINUATION
    if ((first & RESERVED) != extension || !begins) return VIOLATION_RESERVED_BITS // RFC 7692, section 6.1
  }
  const opcode = first & 0x0f
  if (opcode > OPCODE_PONG || (opcode > OPCODE_BINARY && opcode < OPCODE_CLOSE)) return VIOLATION_RESERVED_OPCODE
  if (opcode >= OPCODE_CLOSE) return first & FIN ? 0 : VIOLATION_CONTROL_FRAGMENTED // section 5.5
  if (opcode == OPCODE_CONTINUATION) return message ? 0 : VIOLATION_CONTINUATION_UNEXPECTED // section 5.4
  return message ? VIOLATION_CONTINUATION_EXPECTED : 0
}

/** The rules of the second byte; `masked` is the mask bit this side must see (section 5.1). */
export function checkSecond(first: u32, second: u32, masked: u32): u32 {
  if ((second & MASKED) != masked) return masked ? VIOLATION_MASK_MISSING : VIOLATION_MASK_FORBIDDEN
  return isControl(first) && (second & 0x7f) > LONGEST_7_BIT ? VIOLATION_CONTROL_TOO_LONG : 0 // section 5.5
}

/** Bytes of the extended payload length that a second byte announces. */
export function extendedBytes(second: u32): u32 {
  const length = second & 0x7f
  if (length < 126) return 0
  return length == 126 ? 2 : 8
}

/** The payload length of the header at `pointer`, whose extended length is there. */
export function payloadLength(pointer: usize): u64 {
  const length = load<u8>(pointer, 1) & 0x7f
  if (length < 126) return length
  return length == 126 ? bswap<u16>(load<u16>(pointer, 2)) : bswap<u64>(load<u64>(pointer, 2))
}

/** The rules of the extended length (section 5.2): no longer than needed, top bit clear, countable. */
export function checkLength(second: u32, length: u64): u32 {
  const extended = extendedBytes(second)
  if (extended == 0) return 0
  if (extended == 2) return length > LONGEST_7_BIT ? 0 : VIOLATION_LENGTH_NOT_MINIMAL
  if (length >> 63) return VIOLATION_LENGTH_TOP_BIT
  if (length <= LONGEST_16_BIT) return VIOLATION_LENGTH_NOT_MINIMAL
  return length > LONGEST_SAFE ? VIOLATION_LENGTH_UNSAFE : 0
}

/** Writes the header of a frame without its masking key; returns its bytes. */
export function writeHeader(target: usize, first: u32, masked: u32, length: f64): u32 {
  assert(masked == 0 || masked == MASKED)
  assert(length >= 0 && length <= (LONGEST_SAFE as f64))
  store<u8>(target, first)
  if (length <= LONGEST_7_BIT) {
    store<u8>(target, masked | (length as u32), 1)
    return 2
  }
  if (length <= LONGEST_16_BIT) {
    store<u8>(target, masked | 126, 1)
    store<u16>(target, bswap<u16>(length as u16), 2)
    return 4
  }
  store<u8>(target, masked | 127, 1)
  store<u64>(target, bswap<u64>(length as u64), 2)
  return 10
}
