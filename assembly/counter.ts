// The counter: how many messages end in a span, without a host's look at any. A load client measures a server with it;
// it is far cheaper than any server that it loads. It believes nothing: every frame is held to the rules, every answer to
// the length of what was sent, and, if it is told to, to its bytes. Nothing is kept of what comes but a cut header or
// control frame. It shares the slot's layout with the parser, for its own connections.
import { checkFirst, checkLength, checkSecond, extendedBytes, FIN, isControl, payloadLength, RESERVED } from './header'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
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
  SLOT_SHORTEST,
  SLOT_SIZE,
  SLOT_TAKEN,
  TABLE,
} from './memory'

/** How a call of `count` ended; a violation (see header) is the other possibility. */
export const COUNT_DONE: u32 = 0 // every byte is counted
export const COUNT_CONTROL: u32 = 1 // a control frame is the table's first entry; the rest is to be counted yet
export const COUNT_LENGTH: u32 = 2 // an answer is not as long as what was sent: RESULT_ANNOUNCED, or more
export const COUNT_KIND: u32 = 3 // an answer is not of the kind that was sent
export const COUNT_DIFFERENT: u32 = 4 // an answer is not what was sent, from its byte RESULT_ANNOUNCED on

/** What a message is, besides an answer: all are greetings until the load begins, and then the one under way. */
const GREETING: u32 = 1
const LAST_GREETING: u32 = 2

/**
 * Prepares the slot of a connection of a load. Answers have `shortest` to `longest` payload bytes and, where `expected` is
 * not 0, are those that lie there, and of the kind that `first` has, the first byte of a whole answer. Where that has a
 * reserved bit, answers may have it, too: these are compressed, and have up to `compressed` bytes.
 */
export function openCounter(
  slot: usize,
  shortest: f64,
  longest: f64,
  expected: u32,
  first: u32,
  compressed: f64,
): void {
  memory.fill(slot, 0, SLOT_SIZE)
  store<u64>(slot, shortest as u64, SLOT_SHORTEST)
  store<u64>(slot, longest as u64, SLOT_LIMIT)
  store<u32>(slot, expected, SLOT_REGION)
  store<u8>(slot, first, SLOT_FIRST)
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
let filled: u64 = 0

/** Counts what ends between `start` and `end`. The numbers are in RESULT. */
export function count(slot: usize, start: usize, end: usize): u32 {
  cursor = start
  messages = 0
  filled = 0
  let status = COUNT_DONE
  while (cursor < end && status == COUNT_DONE) {
    status = load<u64>(slot, SLOT_REMAINING) ? takePayload(slot, end) : takeHeader(slot, end)
  }
  store<u32>(RESULT, messages, RESULT_COUNT)
  store<f64>(RESULT, filled as f64, RESULT_FILLED)
  store<u32>(RESULT, cursor, RESULT_CONSUMED)
  return status
}

/** Each rule applies as soon as its byte is there, wherever the span ends. A control frame is carried with its payload. */
function takeHeader(slot: usize, end: usize): u32 {
  const carry = slot + SLOT_CARRY
  let carried = load<u8>(slot, SLOT_CARRIED) as u32
  while (cursor < end) {
    store<u8>(carry + carried++, load<u8>(cursor++))
    store<u8>(slot, carried, SLOT_CARRIED)
    const first = load<u8>(carry) as u32
    let violation = carried == 1 ? checkStart(slot, first) : 0
    if (violation) return violation
    if (carried < 2) continue
    const second = load<u8>(carry, 1) as u32
    violation = carried == 2 ? checkSecond(first, second, 0) : 0
    if (violation) return violation
    const header: u32 = 2 + extendedBytes(second)
    if (carried < header) continue
    const length = payloadLength(carry)
    violation = carried == header ? checkLength(second, length) : 0
    if (violation) return violation
    if (isControl(first) && carried < header + (length as u32)) continue
    store<u8>(slot, 0, SLOT_CARRIED)
    return isControl(first) ? control(first, carry + header, length as u32) : beginFrame(slot, first, length)
  }
  return COUNT_DONE
}

/** The rules of the first byte; an answer may be compressed where that was agreed. */
function checkStart(slot: usize, first: u32): u32 {
  const message = load<u8>(slot, SLOT_MESSAGE)
  const begins = !isControl(first) && message == 0
  return checkFirst(begins ? first & ~(load<u8>(slot, SLOT_FIRST) & RESERVED) : first, message)
}

function control(first: u32, pointer: usize, length: u32): u32 {
  store<u32>(TABLE, first & 0x0f, ENTRY_INFO)
  store<u32>(TABLE, pointer, ENTRY_POINTER)
  store<u32>(TABLE, length, ENTRY_LENGTH)
  return COUNT_CONTROL
}

/** A data frame begins whose header is behind the cursor: an answer of another length ends here, at its header. */
function beginFrame(slot: usize, first: u32, length: u64): u32 {
  if (!load<u8>(slot, SLOT_MESSAGE)) {
    store<u8>(slot, first, SLOT_MESSAGE)
    store<u64>(slot, 0, SLOT_TAKEN)
  }
  const answer = load<u8>(slot, SLOT_GREETING) == 0
  if (answer) {
    const status = checkAnswer(slot, first, load<u64>(slot, SLOT_TAKEN) + length)
    if (status) return status
  }
  store<u8>(slot, first, SLOT_FRAME)
  store<u64>(slot, length, SLOT_REMAINING)
  return length ? COUNT_DONE : takePayload(slot, cursor)
}

/** `length` is what the answer has with this frame. */
function checkAnswer(slot: usize, first: u32, length: u64): u32 {
  const message = load<u8>(slot, SLOT_MESSAGE) as u32
  const last = (first & FIN) != 0
  const wanted = load<u8>(slot, SLOT_FIRST) as u32
  const compressed = (message & RESERVED) != 0
  const longest = compressed ? load<u64>(slot, SLOT_LONGEST) : load<u64>(slot, SLOT_LIMIT)
  const shortest = compressed ? 1 : load<u64>(slot, SLOT_SHORTEST)
  if (load<u32>(slot, SLOT_REGION) && (message ^ wanted) & 0x0f) return COUNT_KIND
  if (length <= longest && (!last || length >= shortest)) return COUNT_DONE
  store<f64>(RESULT, length as f64, RESULT_ANNOUNCED)
  return COUNT_LENGTH
}

function takePayload(slot: usize, end: usize): u32 {
  const remaining = load<u64>(slot, SLOT_REMAINING)
  const bytes = min<u64>(remaining, end - cursor)
  const taken = load<u64>(slot, SLOT_TAKEN)
  if (load<u8>(slot, SLOT_GREETING) == 0) {
    const expected = load<u32>(slot, SLOT_REGION) as usize
    if (expected) {
      const same = sameBytes(expected + (taken as usize), cursor, bytes as usize)
      if (same < bytes) {
        store<f64>(RESULT, (taken as f64) + (same as f64), RESULT_ANNOUNCED)
        return COUNT_DIFFERENT
      }
    }
    filled += bytes
  }
  cursor += bytes as usize
  store<u64>(slot, taken + bytes, SLOT_TAKEN)
  store<u64>(slot, remaining - bytes, SLOT_REMAINING)
  if (remaining == bytes) endFrame(slot)
  return COUNT_DONE
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
