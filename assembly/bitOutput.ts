// Where `deflate` writes: bits, the first one lowest (RFC 1951, section 3.1.1), in whole words where it can.

/** Where the next byte goes; what a store writes behind it is written again, and lies within the room. */
export let out: usize = 0
/** Bits that are not written yet, and how many. */
export let outBits: u64 = 0
export let outHeld: u64 = 0

export function resumeOut(to: usize, bits: u64, held: u64): void {
  out = to
  outBits = bits
  outHeld = held
}

/** Writes up to 32 bits. */
export function put(value: u32, count: u32): void {
  outBits |= (value as u64) << outHeld
  outHeld += count
  flushBytes()
}

export function flushBytes(): void {
  store<u64>(out, outBits)
  out += (outHeld >> 3) as usize
  outBits >>= outHeld & 0x38
  outHeld &= 7
}

/** Fills the byte under way with zeros. */
export function padByte(): void {
  if (outHeld == 0) return
  store<u8>(out++, outBits as u8)
  outBits = 0
  outHeld = 0
}

/** Writes stored blocks (section 3.2.4). */
export function putStored(from: usize, length: u32): void {
  assert(length <= 0xffff)
  put(0, 3)
  padByte()
  put(length | ((length ^ 0xffff) << 16), 32)
  memory.copy(out, from, length)
  out += length
}
