// The counter: counts the messages that end in a span, without the host looking at any of them. A load client measures a
// server with it, so it is far cheaper than any server. It trusts nothing: every frame is checked by the rules, every
// answer by the length of what was sent and, if asked to, by its bytes. Nothing is kept of what comes but a cut header or
// control frame. It shares the slot's layout with the parser, for its own connections.
import {
  checkFirst,
  checkLength,
  checkSecond,
  extendedBytes,
  FIN,
  isControl,
  LONGEST_7_BIT,
  payloadLength,
  RESERVED,
} from './header'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  HEAP,
  LONGEST_CARRIED,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  SLOT_CARRIED,
  SLOT_CARRY,
  SLOT_FIRST,
  SLOT_FRAME,
  SLOT_GREETING,
  SLOT_LIMIT,
  SLOT_LONGEST,
  SLOT_MESSAGE,
  SLOT_REGION,
  SLOT_REMAINING,
  SLOT_SHORT,
  SLOT_SIZE,
  SLOT_TAKEN,
  TABLE,
} from './memory'
import { STATUS_DONE } from './parser'

/** How a call of `count` ended, besides STATUS_DONE; a violation (see header) is the other possibility. */
export const COUNT_CONTROL: u32 = 1 // a control frame is the table's first entry; the rest is to be counted yet
export const COUNT_LENGTH: u32 = 2 // an answer is not as long as what was sent: RESULT_ANNOUNCED, or more
export const COUNT_DIFFERENT: u32 = 3 // an answer is of another kind, or not what was sent from byte RESULT_ANNOUNCED on
export const COUNT_PIECE: u32 = 4 // a piece of a message is the table's first entry; the rest is to be counted yet

/** In the info of a piece, which is else the first byte of its message: the message ends with it. */
export const PIECE_ENDS: u32 = 0x100

/** What a message is, besides an answer: all are greetings until the load begins, and then the one under way. */
const GREETING: u32 = 1
const LAST_GREETING: u32 = 2

/**
 * Prepares the slot of a connection of a load. `first` is the first byte of a whole answer; without an opcode, any answer
 * will do. Answers have `length` payload bytes and, where `expected` is not 0, are those that lie there, and of that
 * opcode. Where `first` has a reserved bit, answers may have it, too: these are compressed, and have up to `compressed`. The
 * host looks at all messages then, piece by piece: what they become is not known here.
 */
export function openCounter(slot: usize, first: u32, length: f64, expected: u32, compressed: f64): void {
  assert(slot >= HEAP && (slot & 7) == 0)
  assert(expected == 0 || expected >= HEAP)
  memory.fill(slot, 0, SLOT_SIZE)
  store<u8>(slot, first, SLOT_FIRST)
  store<u64>(slot, length as u64, SLOT_LIMIT)
  store<u32>(slot, expected, SLOT_REGION)
  store<u64>(slot, compressed as u64, SLOT_LONGEST)
  store<u8>(slot, GREETING, SLOT_GREETING)
}

/** From now on messages are answers, except for one that has begun to come: then it returns true. */
export function beginAnswers(slot: usize): bool {
  // A control frame that is cut is no message.
  const headerIsCut = load<u8>(slot, SLOT_CARRIED) > 0 && !isControl(load<u8>(slot, SLOT_CARRY))
  const underWay = headerIsCut || load<u8>(slot, SLOT_MESSAGE) != 0
  store<u8>(slot, underWay ? LAST_GREETING : 0, SLOT_GREETING)
  return underWay
}

let cursor: usize = 0
let messages: u32 = 0

/** Counts the messages that end between `start` and `end`. Their number is in RESULT. */
export function count(slot: usize, start: usize, end: usize): u32 {
  assert(start <= end)
  cursor = start
  messages = 0
  let status = STATUS_DONE
  while (cursor < end && status == STATUS_DONE) {
    status = load<u64>(slot, SLOT_REMAINING) ? takePayload(slot, end) : takeHeader(slot, end)
    if (status == STATUS_DONE) skipSame(slot, end)
  }
  assert(start <= cursor && cursor <= end)
  assert(status != STATUS_DONE || cursor == end)
  store<u32>(RESULT, messages, RESULT_COUNT)
  store<u32>(RESULT, cursor, RESULT_CONSUMED)
  return status
}

/** Most answers are short, and begin with the same two bytes as the one before: these need no second look at the rules. */
function skipSame(slot: usize, end: usize): void {
  const short = load<u16>(slot, SLOT_SHORT) as u32
  const bytes: usize = 2 + (short >> 8)
  if (!short || load<u64>(slot, SLOT_REMAINING) || load<u8>(slot, SLOT_MESSAGE)) return
  while (end - cursor >= bytes && load<u16>(cursor) == short) {
    cursor += bytes
    messages++
  }
}

/** The rules apply when the header is there, wherever spans end. A control frame is carried with its payload. */
function takeHeader(slot: usize, end: usize): u32 {
  const carry = slot + SLOT_CARRY
  let carried = load<u8>(slot, SLOT_CARRIED) as u32
  while (cursor < end) {
    assert(carried < LONGEST_CARRIED)
    store<u8>(carry + carried++, load<u8>(cursor++))
    const second = load<u8>(carry, 1) as u32
    const header: u32 = 2 + extendedBytes(second)
    if (carried < 2 || carried < header) continue
    const first = load<u8>(carry) as u32
    const length = payloadLength(carry)
    const violation = checkStart(slot, first) || checkSecond(first, second, 0) || checkLength(second, length)
    if (violation) return violation
    if (isControl(first) && carried < header + (length as u32)) continue
    store<u8>(slot, 0, SLOT_CARRIED)
    return isControl(first)
      ? found(COUNT_CONTROL, first & 0x0f, carry + header, length as u32)
      : beginFrame(slot, first, length)
  }
  store<u8>(slot, carried, SLOT_CARRIED)
  return STATUS_DONE
}

/** The rules of the first byte; an answer may be compressed where that was agreed. */
function checkStart(slot: usize, first: u32): u32 {
  const message = load<u8>(slot, SLOT_MESSAGE)
  const begins = !isControl(first) && message == 0
  return checkFirst(begins ? first & ~(load<u8>(slot, SLOT_FIRST) & RESERVED) : first, message)
}

/** Shows the host what was found, as the table's first entry. */
function found(status: u32, info: u32, pointer: usize, length: u32): u32 {
  store<u32>(TABLE, info, ENTRY_INFO)
  store<u32>(TABLE, pointer, ENTRY_POINTER)
  store<u32>(TABLE, length, ENTRY_LENGTH)
  return status
}

/** Begins a data frame whose header ends at the cursor. An answer of another length is refused here, at its header. */
function beginFrame(slot: usize, first: u32, length: u64): u32 {
  if (!load<u8>(slot, SLOT_MESSAGE)) {
    store<u8>(slot, first, SLOT_MESSAGE)
    store<u32>(slot, 0, SLOT_TAKEN)
  }
  if (load<u8>(slot, SLOT_GREETING) == 0 && load<u8>(slot, SLOT_FIRST) & 0x0f) {
    const status = checkAnswer(slot, first, (load<u32>(slot, SLOT_TAKEN) as u64) + length)
    if (status) return status
  }
  store<u8>(slot, first, SLOT_FRAME)
  store<u64>(slot, length, SLOT_REMAINING)
  return length ? STATUS_DONE : takePayload(slot, cursor)
}

/** `length` is what the answer has with this frame. */
function checkAnswer(slot: usize, first: u32, length: u64): u32 {
  const message = load<u8>(slot, SLOT_MESSAGE) as u32
  const verified = load<u32>(slot, SLOT_REGION) != 0
  if (verified && (message ^ load<u8>(slot, SLOT_FIRST)) & 0x0f) return COUNT_DIFFERENT
  const compressed = (message & RESERVED) != 0
  const longest = compressed ? load<u64>(slot, SLOT_LONGEST) : load<u64>(slot, SLOT_LIMIT)
  const shortest = compressed ? 1 : longest
  if (length > longest || (first & FIN && length < shortest)) {
    store<f64>(RESULT, length as f64, RESULT_ANNOUNCED)
    return COUNT_LENGTH
  }
  const counted = !verified && !handsOut(slot)
  if (first > FIN && length <= LONGEST_7_BIT && counted) store<u16>(slot, first | ((length as u32) << 8), SLOT_SHORT)
  return STATUS_DONE
}

/** Whether the host looks at all messages. */
function handsOut(slot: usize): bool {
  return (load<u8>(slot, SLOT_FIRST) & RESERVED) != 0
}

function takePayload(slot: usize, end: usize): u32 {
  const remaining = load<u64>(slot, SLOT_REMAINING)
  const bytes = min<u64>(remaining, end - cursor) as u32
  const taken = load<u32>(slot, SLOT_TAKEN)
  const expected = load<u32>(slot, SLOT_REGION)
  assert(cursor <= end)
  if (expected && load<u8>(slot, SLOT_GREETING) == 0) {
    const same = sameBytes(expected + taken, cursor, bytes)
    if (same < bytes) {
      store<f64>(RESULT, taken + same, RESULT_ANNOUNCED)
      return COUNT_DIFFERENT
    }
  }
  const piece = cursor
  const message = load<u8>(slot, SLOT_MESSAGE) as u32
  cursor += bytes
  store<u32>(slot, taken + bytes, SLOT_TAKEN)
  store<u64>(slot, remaining - bytes, SLOT_REMAINING)
  if (remaining == bytes) endFrame(slot)
  if (!handsOut(slot)) return STATUS_DONE
  return found(COUNT_PIECE, message | (load<u8>(slot, SLOT_MESSAGE) ? 0 : PIECE_ENDS), piece, bytes)
}

function endFrame(slot: usize): void {
  if (!(load<u8>(slot, SLOT_FRAME) & FIN)) return
  store<u8>(slot, 0, SLOT_MESSAGE)
  messages++
  if (load<u8>(slot, SLOT_GREETING) == LAST_GREETING) store<u8>(slot, 0, SLOT_GREETING)
}

/** How many bytes are the same at both places, from the first on. */
function sameBytes(a: usize, b: usize, length: usize): usize {
  let at: usize = 0
  while (length - at >= 16) {
    const different = v128.xor(v128.load(a + at), v128.load(b + at))
    if (v128.any_true(different)) break
    at += 16
  }
  while (at < length && load<u8>(a + at) == load<u8>(b + at)) at++
  return at
}
