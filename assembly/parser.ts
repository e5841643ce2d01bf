// The parser: scans frame headers, applies the rules, unmasks and validates in the same pass, fills the frame table.
// A short frame that lies whole in the span is unmasked where it lies. A message that is cut, fragmented or long is
// unmasked into its region. What must survive until the next read is kept in the connection's slot, so any span of bytes resumes.
import {
  checkFirst,
  checkLength,
  checkSecond,
  extendedBytes,
  FIN,
  isControl,
  OPCODE_TEXT,
  payloadLength,
  RSV1,
  VIOLATION_INVALID_UTF8,
  VIOLATION_MESSAGE_TOO_LONG,
  VIOLATION_TOO_MANY_FRAGMENTS,
} from './header'
import { mask, rotate } from './mask'
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
  INBOX,
  INFO_COMPRESSED,
  INFO_MARK,
  INFO_PART,
  INFO_REGION,
  LONGEST_CARRIED,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  SLOT_CAPACITY,
  SLOT_CARRIED,
  SLOT_CARRY,
  SLOT_DEFLATED,
  SLOT_EXTENSION,
  SLOT_FRAGMENTS,
  SLOT_FRAME,
  SLOT_IN_PAYLOAD,
  SLOT_KEY,
  SLOT_LENGTH,
  SLOT_LIMIT,
  SLOT_LIMITS_COMPRESSED,
  SLOT_MARKS,
  SLOT_MASKED,
  SLOT_MESSAGE,
  SLOT_MOST_FRAGMENTS,
  SLOT_REGION,
  SLOT_REMAINING,
  SLOT_STREAMED,
  SLOT_UTF8,
  SLOT_WIDE,
  TABLE,
  TABLE_END,
} from './memory'
import { COMPRESSED, checkSlot, forgives, grant, isCompressed } from './slot'
import { asciiInfo, unmaskText } from './text'
import { UTF8_REJECTED } from './utf8'

/** How a call of `parse` ended; a violation (see header) is the other possibility. */
export const STATUS_DONE: u32 = 0 // every byte is consumed
export const STATUS_AGAIN: u32 = 1 // the table must be emptied before the rest is parsed
export const STATUS_REGION: u32 = 2 // the message needs a region of RESULT_NEEDED bytes: `grant` one, then parse the rest
const STATUS_MORE: u32 = 3 // internal: go on

/**
 * Longer messages go to a region even if they lie whole in the span: unmasking there costs what it costs in place,
 * and from a region they can be sent on, or kept, without being copied.
 */
const IN_PLACE: u64 = 32768

let cursor: usize = 0
let entry: usize = 0

/** Parses the bytes of one read, from `start` to `end`, for the connection of `slot`. */
export function parse(slot: usize, start: usize, end: usize): u32 {
  assert(start <= end)
  cursor = start
  entry = TABLE
  let status = STATUS_MORE
  while (status == STATUS_MORE) {
    if (entry == TABLE_END) status = STATUS_AGAIN
    else if (load<u8>(slot, SLOT_IN_PAYLOAD)) status = continuePayload(slot, end)
    else if (load<u8>(slot, SLOT_CARRIED)) status = continueHeader(slot, end)
    else status = wholeFrames(slot, end)
  }
  assert(start <= cursor && cursor <= end)
  assert(status != STATUS_DONE || cursor == end)
  if (!ASC_NO_ASSERT) checkSlot(slot)
  store<u32>(RESULT, (entry - TABLE) / ENTRY_SIZE, RESULT_COUNT)
  store<u32>(RESULT, cursor, RESULT_CONSUMED)
  return status
}

function emit(info: u32, pointer: usize, length: u32): void {
  if (!ASC_NO_ASSERT) assert(entry < TABLE_END && (pointer >= INBOX || length == 0))
  store<u32>(entry, info, ENTRY_INFO)
  store<u32>(entry, pointer, ENTRY_POINTER)
  store<u32>(entry, length, ENTRY_LENGTH)
  entry += ENTRY_SIZE
}

/** Frame after frame while they lie whole in the span; leaves a cut header to the carry and a cut payload to the slot. */
function wholeFrames(slot: usize, end: usize): u32 {
  const masked = load<u8>(slot, SLOT_MASKED) as u32
  const keyBytes: u32 = masked ? 4 : 0
  while (cursor < end) {
    if (entry == TABLE_END) return STATUS_AGAIN
    const have = end - cursor
    if (have < 2) return continueHeader(slot, end)
    const first = load<u8>(cursor) as u32
    const second = load<u8>(cursor, 1) as u32
    let violation = checkFirst(first, load<u8>(slot, SLOT_MESSAGE), load<u8>(slot, SLOT_EXTENSION))
    if (violation) return violation
    violation = checkSecond(first, second, masked)
    if (violation) return violation
    const headerBytes: u32 = 2 + extendedBytes(second) + keyBytes
    if (have < headerBytes) return continueHeader(slot, end)
    const length = payloadLength(cursor)
    violation = checkLength(second, length)
    if (violation && !forgives(slot, violation)) return violation
    const key: u32 = masked ? load<u32>(cursor + headerBytes - 4) : 0
    if (isControl(first)) {
      if (have - headerBytes < (length as usize)) return continueHeader(slot, end)
      cursor += headerBytes
      if (masked) mask(cursor, cursor, length as usize, key)
      emit(first & 0x0f, cursor, length as u32)
      cursor += length as usize
    } else {
      cursor += headerBytes
      const status = beginFrame(slot, end, first, length, key)
      if (status == VIOLATION_MESSAGE_TOO_LONG && entry != TABLE) {
        cursor -= headerBytes // looked at again once what precedes it is taken: the limit may be another one then
        return STATUS_AGAIN
      }
      if (status != STATUS_MORE) return status
      if (load<u8>(slot, SLOT_IN_PAYLOAD)) return STATUS_MORE
    }
  }
  return STATUS_DONE
}

/** A data frame whose payload starts at the cursor: delivered in place if it is a whole message, else begun in the slot. */
function beginFrame(slot: usize, end: usize, first: u32, length: u64, key: u32): u32 {
  assert(cursor <= end)
  const message = load<u8>(slot, SLOT_MESSAGE) as u32
  const assembled = load<u32>(slot, SLOT_LENGTH) as u64
  if (!ASC_NO_ASSERT) assert(assembled <= load<u64>(slot, SLOT_LIMIT))
  if (isTooLong(slot, first, length)) return VIOLATION_MESSAGE_TOO_LONG
  if (first & FIN && message == 0 && length <= IN_PLACE && length <= ((end - cursor) as u64)) {
    const at = cursor
    const bytes = length as usize
    cursor += bytes
    if ((first & (RSV1 | 0x0f)) != OPCODE_TEXT) {
      mask(at, at, bytes, key)
      emit((first & 0x0f) | (first & RSV1 ? INFO_COMPRESSED : 0), at, bytes as u32)
      return STATUS_MORE
    }
    store<u8>(slot, 0, SLOT_WIDE)
    if (unmaskText(slot, at, at, bytes, key, 0)) return VIOLATION_INVALID_UTF8
    emit(OPCODE_TEXT | asciiInfo(slot), at, bytes as u32)
    return STATUS_MORE
  }
  if (message == 0) {
    store<u8>(slot, first & 0x0f, SLOT_MESSAGE)
    if (first & RSV1) store<u8>(slot, COMPRESSED, SLOT_STREAMED)
    store<u8>(slot, 0, SLOT_WIDE)
    store<u32>(slot, 0, SLOT_FRAGMENTS)
  }
  if (isCompressed(slot, first)) store<u32>(slot, deflatedBefore(slot, first) + (length as u32), SLOT_DEFLATED)
  const fragments = load<u32>(slot, SLOT_FRAGMENTS) + 1
  const most = load<u32>(slot, SLOT_MOST_FRAGMENTS)
  if (most && fragments > most) return VIOLATION_TOO_MANY_FRAGMENTS
  store<u32>(slot, fragments, SLOT_FRAGMENTS)
  store<u8>(slot, first, SLOT_FRAME)
  store<u8>(slot, 1, SLOT_IN_PAYLOAD)
  store<u32>(slot, key, SLOT_KEY)
  store<u64>(slot, length, SLOT_REMAINING)
  return STATUS_MORE
}

/** Whether the message would be longer than it may be with a frame of this length. */
function isTooLong(slot: usize, first: u32, length: u64): bool {
  const limit = load<u64>(slot, SLOT_LIMIT)
  if (!isCompressed(slot, first)) return length > limit - (load<u32>(slot, SLOT_LENGTH) as u64)
  if (!load<u8>(slot, SLOT_LIMITS_COMPRESSED)) return false
  return length > limit - (deflatedBefore(slot, first) as u64)
}

/** The payload bytes of the compressed message before this frame of it. */
function deflatedBefore(slot: usize, first: u32): u32 {
  return first & RSV1 ? 0 : load<u32>(slot, SLOT_DEFLATED)
}

/** Moves what has arrived of the frame under way into the message's region. */
function continuePayload(slot: usize, end: usize): u32 {
  if (load<u8>(slot, SLOT_STREAMED)) return continueStream(slot, end)
  const remaining = load<u64>(slot, SLOT_REMAINING)
  const length = load<u32>(slot, SLOT_LENGTH)
  const bytes = min<u64>(end - cursor, remaining) as u32
  if (bytes > load<u32>(slot, SLOT_CAPACITY) - length) {
    store<f64>(RESULT, length, RESULT_FILLED)
    store<f64>(RESULT, (length as f64) + bytes, RESULT_NEEDED)
    store<f64>(RESULT, (length as f64) + (remaining as f64), RESULT_ANNOUNCED)
    return STATUS_REGION
  }
  if (!unmaskPayload(slot, load<u32>(slot, SLOT_REGION) + length, bytes)) return VIOLATION_INVALID_UTF8
  store<u32>(slot, length + bytes, SLOT_LENGTH)
  if (remaining > bytes) return STATUS_DONE
  if (load<u8>(slot, SLOT_FRAME) & FIN) return endMessage(slot)
  if (load<u8>(slot, SLOT_MARKS)) emit(load<u8>(slot, SLOT_MESSAGE) | INFO_MARK | INFO_REGION, length + bytes, 0)
  return STATUS_MORE
}

/** Hands out what has arrived of a streamed message, where it lies. */
function continueStream(slot: usize, end: usize): u32 {
  const remaining = load<u64>(slot, SLOT_REMAINING)
  const bytes = min<u64>(end - cursor, remaining) as u32
  const at = cursor
  if (!unmaskPayload(slot, at, bytes)) return VIOLATION_INVALID_UTF8
  const compressed = load<u8>(slot, SLOT_STREAMED) == COMPRESSED ? INFO_COMPRESSED : 0
  const info = load<u8>(slot, SLOT_MESSAGE) | compressed
  if (remaining == bytes && load<u8>(slot, SLOT_FRAME) & FIN) {
    if (load<u32>(slot, SLOT_UTF8)) return VIOLATION_INVALID_UTF8
    emit(info, at, bytes)
    store<u8>(slot, 0, SLOT_MESSAGE)
    store<u8>(slot, 0, SLOT_STREAMED)
    return STATUS_MORE
  }
  const mark: u32 = remaining == bytes && load<u8>(slot, SLOT_MARKS) ? INFO_MARK : 0
  if (bytes | mark) emit(info | INFO_PART | mark, at, bytes)
  return remaining > bytes ? STATUS_DONE : STATUS_MORE
}

/** Unmasks the next `bytes` of the frame under way to `target`; false for text that is not valid. */
function unmaskPayload(slot: usize, target: usize, bytes: u32): bool {
  const key = load<u32>(slot, SLOT_KEY)
  const remaining = load<u64>(slot, SLOT_REMAINING)
  assert(bytes <= remaining)
  if (load<u8>(slot, SLOT_MESSAGE) == OPCODE_TEXT && load<u8>(slot, SLOT_STREAMED) != COMPRESSED) {
    const state = unmaskText(slot, target, cursor, bytes, key, load<u32>(slot, SLOT_UTF8))
    if (state == UTF8_REJECTED) return false
    store<u32>(slot, state, SLOT_UTF8)
  } else {
    mask(target, cursor, bytes, key)
  }
  cursor += bytes
  store<u32>(slot, rotate(key, bytes), SLOT_KEY)
  store<u64>(slot, remaining - bytes, SLOT_REMAINING)
  if (remaining == bytes) store<u8>(slot, 0, SLOT_IN_PAYLOAD)
  return true
}

/** The last fragment is complete: the message goes into the table, and with it the region. */
function endMessage(slot: usize): u32 {
  if (load<u32>(slot, SLOT_UTF8)) return VIOLATION_INVALID_UTF8 // a character is cut by the end of the message
  const opcode = load<u8>(slot, SLOT_MESSAGE) as u32
  const region = load<u32>(slot, SLOT_REGION)
  if (!ASC_NO_ASSERT) assert(load<u64>(slot, SLOT_REMAINING) == 0 && (region != 0 || load<u32>(slot, SLOT_LENGTH) == 0))
  const text = opcode == OPCODE_TEXT ? asciiInfo(slot) : 0
  emit(opcode | text | (region ? INFO_REGION : 0), region, load<u32>(slot, SLOT_LENGTH))
  store<u8>(slot, 0, SLOT_MESSAGE)
  store<u32>(slot, 0, SLOT_LENGTH)
  grant(slot, 0, 0)
  return STATUS_MORE
}

/** A header (with the payload, for a control frame) that came in pieces: each rule applies as soon as its byte is there. */
function continueHeader(slot: usize, end: usize): u32 {
  const carry = slot + SLOT_CARRY
  const masked = load<u8>(slot, SLOT_MASKED) as u32
  const keyBytes: u32 = masked ? 4 : 0
  let carried = load<u8>(slot, SLOT_CARRIED) as u32
  while (cursor < end) {
    assert(carried < LONGEST_CARRIED)
    store<u8>(carry + carried++, load<u8>(cursor++))
    store<u8>(slot, carried, SLOT_CARRIED)
    const first = load<u8>(carry) as u32
    let violation = carried == 1 ? checkFirst(first, load<u8>(slot, SLOT_MESSAGE), load<u8>(slot, SLOT_EXTENSION)) : 0
    if (violation) return violation
    if (carried < 2) continue
    const second = load<u8>(carry, 1) as u32
    violation = carried == 2 ? checkSecond(first, second, masked) : 0
    if (violation) return violation
    const extended = extendedBytes(second)
    if (carried < 2 + extended) continue
    const length = payloadLength(carry)
    violation = carried == 2 + extended ? checkLength(second, length) : 0
    if (violation && !forgives(slot, violation)) return violation
    if (!isControl(first) && isTooLong(slot, first, length)) return VIOLATION_MESSAGE_TOO_LONG
    const headerBytes: u32 = 2 + extended + keyBytes
    const bodyBytes: u32 = isControl(first) ? (length as u32) : 0
    if (carried < headerBytes + bodyBytes) continue
    store<u8>(slot, 0, SLOT_CARRIED)
    const key: u32 = masked ? load<u32>(carry + headerBytes - 4) : 0
    if (!isControl(first)) return beginFrame(slot, end, first, length, key)
    mask(carry + headerBytes, carry + headerBytes, length as usize, key)
    emit(first & 0x0f, carry + headerBytes, length as u32)
    return STATUS_AGAIN // the payload lies in the carry, which the next cut header would overwrite
  }
  return STATUS_DONE
}
