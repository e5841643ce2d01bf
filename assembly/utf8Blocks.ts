// UTF-8 in blocks of 16 bytes: which characters a span has, and for each kind the cheapest loop that tells whether all of
// them are valid. A block is compared with the bytes one, two and three places before it, so a span begins with a
// character, and its first block is looked at as if zeros came before it.
//
// V8 makes constants that only a loop uses anew in each round. The first block, outside of the loop, uses all of them,
// and that keeps them in registers. More blocks per round cost spills, except in the loop for two bytes.

/** The shortest span. Its last block overlaps the one before it and looks at three bytes before itself. */
export const SHORTEST_SPAN: usize = 19
/** From here on, it pays to look which characters a span has. */
const SHORTEST_OF_ONE_KIND: usize = 64
/** Three blocks, which sixteen characters of three bytes fill. */
const ROW: usize = 48
/** After a row that is not made of sixteen such characters, so many bytes are checked before another is looked for. */
const MIXED: usize = 1024

/** Whether the bytes from `start` to `end`, SHORTEST_SPAN or more, are valid, but for a character that `end` may cut. */
export function isValidSpan(start: usize, end: usize): bool {
  assert(start + SHORTEST_SPAN <= end)
  if (end - start < SHORTEST_OF_ONE_KIND) return allValid(start, end)
  const highest = highestBytes(start, end)
  if (!i8x16.bitmask(highest)) return true
  if (!i8x16.bitmask(i8x16.sub_sat_u(highest, i8x16.splat(0x60)))) return allValidToTwo(start, end) // none from 0xe0 on
  if (i8x16.bitmask(i8x16.sub_sat_u(highest, i8x16.splat(0x70)))) return allValid(start, end) // some from 0xf0 on
  return allValidInRows(start, end)
}

/** Where the character that the end of a valid span may cut begins; `end` itself if none is cut. */
export function lastBoundary(start: usize, end: usize): usize {
  for (let back: usize = 1; back <= 3 && end - back >= start; back++) {
    const byte = load<u8>(end - back)
    if (byte < 0x80) return end
    if (byte < 0xc0) continue
    const bytes: usize = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return bytes > back ? end - back : end
  }
  return end
}

/** The highest byte of each column. */
function highestBytes(start: usize, end: usize): v128 {
  let highest = v128.load(end - 16)
  let other = i64x2.splat(0)
  for (; end - start >= 128; start += 128) {
    highest = i8x16.max_u(highest, i8x16.max_u(v128.load(start), v128.load(start, 16)))
    other = i8x16.max_u(other, i8x16.max_u(v128.load(start, 32), v128.load(start, 48)))
    highest = i8x16.max_u(highest, i8x16.max_u(v128.load(start, 64), v128.load(start, 80)))
    other = i8x16.max_u(other, i8x16.max_u(v128.load(start, 96), v128.load(start, 112)))
  }
  for (; end - start >= 16; start += 16) highest = i8x16.max_u(highest, v128.load(start))
  return i8x16.max_u(highest, other)
}

function movedByOne(block: v128): v128 {
  return i8x16.shuffle(i64x2.splat(0), block, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
}

function movedByTwo(block: v128): v128 {
  return i8x16.shuffle(i64x2.splat(0), block, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
}

function movedByThree(block: v128): v128 {
  return i8x16.shuffle(i64x2.splat(0), block, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28)
}

/**
 * Characters of one or two bytes. The top bit of `kinds` says whether a byte continues a character; the lead bytes that
 * are never valid, 0xc0 and 0xc1, become 0 and 1, and nothing else does.
 */
function allValidToTwo(start: usize, end: usize): bool {
  const toKind = i8x16.splat(0x40)
  const first = v128.load(start)
  let lowest = i8x16.add_sat_s(first, toKind)
  let errors = v128.xor(i8x16.sub_sat_u(movedByOne(first), toKind), lowest)
  const last = end - 33
  for (let before = start + 15; before + 1 < end; before += 32) {
    before = min(before, last)
    const kinds = i8x16.add_sat_s(v128.load(before, 1), toKind)
    const others = i8x16.add_sat_s(v128.load(before, 17), toKind)
    errors = v128.or(errors, v128.xor(i8x16.sub_sat_u(v128.load(before), toKind), kinds))
    errors = v128.or(errors, v128.xor(i8x16.sub_sat_u(v128.load(before, 16), toKind), others))
    lowest = i8x16.min_u(lowest, i8x16.min_u(kinds, others))
  }
  return (i8x16.bitmask(errors) | i8x16.bitmask(i8x16.lt_u(lowest, i8x16.splat(2)))) == 0
}

/** Characters of up to three bytes: rows of sixteen characters in a loop of their own, and what lies between them. */
function allValidInRows(start: usize, end: usize): bool {
  while (start < end) {
    start = afterRows(start, end)
    if (start == end) return true
    let stop = lastBoundary(start, min(start + MIXED, end))
    if (end - stop < ROW) stop = end
    // Too little is left for a span only after a row.
    if (stop - start < SHORTEST_SPAN) start -= ROW
    if (!allValidToThree(start, stop)) return false
    start = stop
  }
  return true
}

/** Where the first row begins that has something else than valid three-byte characters, or one that begins 0xe0 or 0xed. */
function afterRows(start: usize, end: usize): usize {
  // The top bits that tell whether a byte leads or continues, and what they must be.
  const bits = i8x16(-16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16)
  const otherBits = i8x16(-64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64)
  const lastBits = i8x16(-64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64, -16, -64, -64)
  const due = i8x16(-32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32)
  const otherDue = i8x16(-128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128)
  const lastDue = i8x16(-128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128, -32, -128, -128)
  const special = i8x16(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0)
  const lead = i8x16.splat(-32)
  if (end - start < ROW) return start
  do {
    const block = v128.load(start)
    const other = v128.load(start, 16)
    const last = v128.load(start, 32)
    let errors = v128.xor(v128.and(block, bits), due)
    errors = v128.or(errors, v128.xor(v128.and(other, otherBits), otherDue))
    errors = v128.or(errors, v128.xor(v128.and(last, lastBits), lastDue))
    errors = v128.or(errors, i8x16.swizzle(special, v128.xor(block, lead)))
    errors = v128.or(errors, i8x16.swizzle(special, v128.xor(other, lead)))
    errors = v128.or(errors, i8x16.swizzle(special, v128.xor(last, lead)))
    if (v128.any_true(errors)) return start
    start += ROW
  } while (end - start >= ROW)
  return start
}

/**
 * Characters of one to three bytes. Which bytes must continue a character is told by the two before each. After 0xe0 and
 * 0xed, only half of the continuations are valid (RFC 3629, section 4): bit 5 and bit 6 of `halves` tell them apart.
 */
function allValidToThree(start: usize, end: usize): bool {
  const toKind = i8x16.splat(0x40)
  const toHalf = i8x16.splat(0x60)
  const lead = i8x16.splat(-32)
  const wrongHalves = i8x16(0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0)
  const first = v128.load(start)
  const moved = movedByOne(first)
  let lowest = i8x16.add_sat_s(first, toKind)
  let errors = v128.xor(v128.or(i8x16.sub_sat_u(moved, toKind), i8x16.sub_sat_u(movedByTwo(first), toHalf)), lowest)
  let halves = v128.and(i8x16.sub_sat_u(first, toHalf), i8x16.swizzle(wrongHalves, i8x16.sub(moved, lead)))
  const last = end - 18
  for (let before = start + 14; before + 2 < end; before += 16) {
    before = min(before, last)
    const one = v128.load(before, 1)
    const block = v128.load(before, 2)
    const kinds = i8x16.add_sat_s(block, toKind)
    const due = v128.or(i8x16.sub_sat_u(one, toKind), i8x16.sub_sat_u(v128.load(before), toHalf))
    errors = v128.or(errors, v128.xor(due, kinds))
    lowest = i8x16.min_u(lowest, kinds)
    halves = v128.or(halves, v128.and(i8x16.sub_sat_u(block, toHalf), i8x16.swizzle(wrongHalves, i8x16.sub(one, lead))))
  }
  if (v128.any_true(halves)) return false
  return (i8x16.bitmask(errors) | i8x16.bitmask(i8x16.lt_u(lowest, i8x16.splat(2)))) == 0
}

/** Characters of every length, by the three-table look-up of Keiser and Lemire. */
function allValid(start: usize, end: usize): bool {
  const first = v128.load(start)
  let errors = errorsOf(first, movedByOne(first), movedByTwo(first), movedByThree(first))
  const last = end - 19
  for (let before = start + 13; before + 3 < end; before += 16) {
    before = min(before, last)
    const one = v128.load(before, 2)
    errors = v128.or(errors, errorsOf(v128.load(before, 3), one, v128.load(before, 1), v128.load(before)))
  }
  return !v128.any_true(errors)
}

/** Zero where the bytes are valid so far, given the bytes that are one, two and three places before them. */
function errorsOf(block: v128, one: v128, two: v128, three: v128): v128 {
  const nibble = i8x16.splat(0x0f)
  // What a pair of neighbours can't have in common: the first nibble, the second, and the next byte's.
  const first = i8x16.swizzle(
    i8x16(2, 2, 2, 2, 2, 2, 2, 2, -128, -128, -128, -128, 33, 1, 21, 73),
    v128.and(i16x8.shr_u(one, 4), nibble),
  )
  const second = i8x16.swizzle(
    i8x16(-25, -93, -125, -125, -117, -53, -53, -53, -53, -53, -53, -53, -53, -37, -53, -53),
    v128.and(one, nibble),
  )
  const next = i8x16.swizzle(
    i8x16(1, 1, 1, 1, 1, 1, 1, 1, -26, -82, -70, -70, 1, 1, 1, 1),
    v128.and(i16x8.shr_u(block, 4), nibble),
  )
  // A byte two after a three-byte lead, or three after a four-byte lead, must be a second continuation (bit 7).
  const due = v128.or(i8x16.sub_sat_u(two, i8x16.splat(0x60)), i8x16.sub_sat_u(three, i8x16.splat(0x70)))
  return v128.xor(v128.and(due, i8x16.splat(-128)), v128.and(v128.and(first, second), next))
}
