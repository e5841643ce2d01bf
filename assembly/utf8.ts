// UTF-8 validation (RFC 3629), resumable at any byte, failing at the first byte that can't be right.
// Whole blocks use the three-table look-up of Keiser and Lemire ("Validating UTF-8 in less than one instruction
// per byte", 2020); the ends of a span, where a character may be cut, use an automaton of one step per byte.

/** The automaton's states: 0 between characters, REJECTED, or the bytes still due | lowest next << 8 | highest next << 16. */
export const UTF8_REJECTED: u32 = 0xffffffff
const ANY_CONTINUATION: u32 = (0x80 << 8) | (0xbf << 16)

function step(state: u32, byte: u32): u32 {
  if (state == 0) {
    if (byte < 0x80) return 0
    if (byte < 0xc2) return UTF8_REJECTED // a continuation byte, or an overlong form of ASCII
    if (byte < 0xe0) return 1 | ANY_CONTINUATION
    if (byte == 0xe0) return 2 | (0xa0 << 8) | (0xbf << 16) // below: overlong
    if (byte == 0xed) return 2 | (0x80 << 8) | (0x9f << 16) // above: surrogates
    if (byte < 0xf0) return 2 | ANY_CONTINUATION
    if (byte == 0xf0) return 3 | (0x90 << 8) | (0xbf << 16) // below: overlong
    if (byte < 0xf4) return 3 | ANY_CONTINUATION
    if (byte == 0xf4) return 3 | (0x80 << 8) | (0x8f << 16) // above: beyond U+10FFFF
    return UTF8_REJECTED
  }
  if (byte < ((state >> 8) & 0xff) || byte > state >> 16) return UTF8_REJECTED
  const due = (state & 0xff) - 1
  return due ? due | ANY_CONTINUATION : 0
}

function steps(state: u32, from: usize, to: usize): u32 {
  while (from < to && state != UTF8_REJECTED) state = step(state, load<u8>(from++))
  return state
}

/** The bits that a pair of neighbouring bytes can't have in common; the first nibble, the second, and the next byte's. */
function pairErrors(before: v128, block: v128): v128 {
  const nibble = i8x16.splat(0x0f)
  return v128.and(
    v128.and(
      i8x16.swizzle(
        i8x16(2, 2, 2, 2, 2, 2, 2, 2, -128, -128, -128, -128, 33, 1, 21, 73),
        v128.and(i16x8.shr_u(before, 4), nibble),
      ),
      i8x16.swizzle(
        i8x16(-25, -93, -125, -125, -117, -53, -53, -53, -53, -53, -53, -53, -53, -37, -53, -53),
        v128.and(before, nibble),
      ),
    ),
    i8x16.swizzle(
      i8x16(1, 1, 1, 1, 1, 1, 1, 1, -26, -82, -70, -70, 1, 1, 1, 1),
      v128.and(i16x8.shr_u(block, 4), nibble),
    ),
  )
}

/** Errors of one block, given the block before it: zero where the bytes are valid so far. */
function blockErrors(previous: v128, block: v128): v128 {
  const one = i8x16.shuffle(previous, block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
  const two = i8x16.shuffle(previous, block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
  const three = i8x16.shuffle(previous, block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28)
  // A byte two after a three-byte lead, or three after a four-byte lead, must be a second continuation (bit 7).
  const due = v128.or(i8x16.sub_sat_u(two, i8x16.splat(0x60)), i8x16.sub_sat_u(three, i8x16.splat(0x70)))
  return v128.xor(v128.and(due, i8x16.splat(-128)), pairErrors(one, block))
}

/** Where the character that the end of a valid span may cut begins; `end` itself if none is cut. */
function lastBoundary(start: usize, end: usize): usize {
  for (let back: usize = 1; back <= 3 && end - back >= start; back++) {
    const byte = load<u8>(end - back)
    if (byte < 0x80) return end
    if (byte < 0xc0) continue
    const bytes: usize = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return bytes > back ? end - back : end
  }
  return end
}

/** Validates `length` bytes that follow a span which ended in `state`; returns the new state. */
export function validate(state: u32, pointer: usize, length: usize): u32 {
  const end = pointer + length
  assert(pointer <= end)
  assert(state == UTF8_REJECTED || (state & 0xff) <= 3)
  while (state != 0 && pointer < end) {
    if (state == UTF8_REJECTED) return state
    state = step(state, load<u8>(pointer++))
  }
  const blocks = pointer + ((end - pointer) & ~15)
  if (pointer < blocks) {
    const start = pointer
    let previous = i64x2.splat(0)
    let errors = i64x2.splat(0)
    // 64 bytes per step: one look for ASCII, and no branch among the rest.
    for (; blocks - pointer >= 64; pointer += 64) {
      const a = v128.load(pointer)
      const b = v128.load(pointer, 16)
      const c = v128.load(pointer, 32)
      const d = v128.load(pointer, 48)
      const all = v128.or(v128.or(v128.or(a, b), v128.or(c, d)), previous)
      // ASCII after ASCII can't be wrong; after a block with wider characters, it may cut one of them.
      if (v128.any_true(v128.and(all, i8x16.splat(-128)))) {
        errors = v128.or(errors, v128.or(blockErrors(previous, a), blockErrors(a, b)))
        errors = v128.or(errors, v128.or(blockErrors(b, c), blockErrors(c, d)))
      }
      previous = d
    }
    for (; pointer < blocks; pointer += 16) {
      const block = v128.load(pointer)
      errors = v128.or(errors, blockErrors(previous, block))
      previous = block
    }
    if (v128.any_true(errors)) return UTF8_REJECTED
    pointer = lastBoundary(start, blocks)
    assert(start <= pointer && pointer <= blocks && blocks - pointer <= 3)
  }
  return steps(state, pointer, end)
}
