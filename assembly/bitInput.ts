// What a call of `inflate` reads from and writes to: spans of the memory, and the bits that are between them.

/** How a call of `inflate` ended. */
export const INFLATE_MORE: u32 = 0 // the input is used up
export const INFLATE_ROOM: u32 = 1 // the room is used up, and more is to be written
export const INFLATE_LIMIT: u32 = 2 // the message is as long as it may be, and more is to be written
export const INFLATE_CORRUPT: u32 = 3 // this is no DEFLATE
export const INFLATE_GO: u32 = 4 // internal: go on

/** Why it is none: what `inflate` has found, and where in the list of the host's texts that is (src/codec/corruption.ts). */
export const CORRUPT_BLOCK_TYPE: u32 = 0
export const CORRUPT_STORED_LENGTH: u32 = 1
export const CORRUPT_CODE_COUNTS: u32 = 2
export const CORRUPT_CODE_LENGTHS: u32 = 3
export const CORRUPT_REPEAT: u32 = 4
export const CORRUPT_NO_END: u32 = 5
export const CORRUPT_LITERALS: u32 = 6
export const CORRUPT_DISTANCES: u32 = 7
export const CORRUPT_LITERAL: u32 = 8
export const CORRUPT_DISTANCE: u32 = 9
export const CORRUPT_TOO_FAR: u32 = 10
export const CORRUPT_CUT: u32 = 11

export let corruption: u32 = 0

/** This is no DEFLATE, for one of these reasons. */
export function corrupt(reason: u32): u32 {
  corruption = reason
  return INFLATE_CORRUPT
}

/** The next byte of the input, and its end. */
export let input: usize = 0
export let inputEnd: usize = 0
/** Where the next byte is written, and the end of the room. */
export let output: usize = 0
export let outputEnd: usize = 0
/** Where the bytes of the message that lie in front of `output` begin. */
export let outputBase: usize = 0
/** Bits that are consumed and not yet used, the next one lowest; `held` is how many. Above them are zeros. */
export let bits: u64 = 0
export let held: u32 = 0

/** Where the header of the block under way begins, if it is all in this input, and with a whole byte; else 0. */
export let headerAt: usize = 0

export function beginHeader(at: usize): void {
  headerAt = at
}

export function openInput(from: usize, length: u32, heldBits: u64, count: u32): void {
  input = from
  inputEnd = from + length
  bits = heldBits
  held = count
  headerAt = 0
}

export function openOutput(base: usize, to: usize, room: u32): void {
  outputBase = base
  output = to
  outputEnd = to + room
}

/** Where the loop over symbols, which keeps all of this in registers, has come to. */
export function advance(at: usize, to: usize, heldBits: u64, count: u32): void {
  assert(at <= inputEnd && to <= outputEnd && count < 64)
  input = at
  output = to
  bits = heldBits & (((1 as u64) << count) - 1)
  held = count
}

/** Has at least `count` bits ready, at most 32; false if the input has no more. */
export function ensure(count: u32): bool {
  while (held < count) {
    if (input == inputEnd) return false
    bits |= (load<u8>(input++) as u64) << held
    held += 8
  }
  return true
}

/** Takes bits that are ready. */
export function take(count: u32): u32 {
  assert(count <= held && count <= 32)
  const value = (bits as u32) & ((((1 as u64) << count) - 1) as u32)
  bits >>= count
  held -= count
  return value
}

/** Drops the bits up to the next whole byte of the input (section 3.2.4). */
export function align(): void {
  take(held & 7)
}

/** Writes as much of a stored block as there is input and room for; returns how many bytes that is. */
export function copyStored(length: u32): u32 {
  let copied: u32 = 0
  while (held >= 8 && copied < length && output < outputEnd) {
    store<u8>(output++, take(8) as u8)
    copied++
  }
  if (held >= 8) return copied
  const bytes = min<usize>(min<usize>(length - copied, inputEnd - input), outputEnd - output) as u32
  memory.copy(output, input, bytes)
  input += bytes
  output += bytes
  return copied + bytes
}
