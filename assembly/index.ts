// What the module offers its host: numbers in, numbers out. Every address is an argument; only memory is shared.
//
// There are two builds (asconfig.json): the release build is shipped; the debug build also checks every `assert`, and
// traps at the first that does not hold. The tests of test/codec run on both. An assert that only compares leaves nothing
// in the release build; one that loads is guarded by ASC_NO_ASSERT, because the optimizer keeps every load.
import { copyApart } from './copy'
import { LONGEST_7_BIT, MASKED, writeHeader } from './header'
import { mask } from './mask'

export { acceptKey } from './acceptance'
export {
  beginAnswers,
  COUNT_CONTROL,
  COUNT_DIFFERENT,
  COUNT_LENGTH,
  COUNT_PIECE,
  count,
  openCounter,
  PIECE_ENDS,
} from './counter'
export {
  FIN,
  LONGEST_7_BIT,
  LONGEST_16_BIT,
  LONGEST_SAFE,
  MASKED,
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_CONTINUATION,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
  RSV1,
  VIOLATION_CONTINUATION_EXPECTED,
  VIOLATION_CONTINUATION_UNEXPECTED,
  VIOLATION_CONTROL_FRAGMENTED,
  VIOLATION_CONTROL_TOO_LONG,
  VIOLATION_INVALID_UTF8,
  VIOLATION_LENGTH_NOT_MINIMAL,
  VIOLATION_LENGTH_TOP_BIT,
  VIOLATION_LENGTH_UNSAFE,
  VIOLATION_MASK_FORBIDDEN,
  VIOLATION_MASK_MISSING,
  VIOLATION_MESSAGE_TOO_LONG,
  VIOLATION_RESERVED_BITS,
  VIOLATION_RESERVED_OPCODE,
  VIOLATION_TOO_MANY_FRAGMENTS,
} from './header'
export { mask } from './mask'
export {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  ENTRY_SIZE,
  HEAP,
  INBOX,
  INBOX_LENGTH,
  INFO_ASCII,
  INFO_COMPRESSED,
  INFO_MARK,
  INFO_OPCODE,
  INFO_PART,
  INFO_REGION,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  SLOT_CARRIED,
  SLOT_CARRY,
  SLOT_FRAME,
  SLOT_LENGTH,
  SLOT_LIMIT,
  SLOT_MESSAGE,
  SLOT_REMAINING,
  SLOT_SIZE,
  TABLE,
  TABLE_ENTRIES,
} from './memory'
export { parse, STATUS_AGAIN, STATUS_DONE, STATUS_REGION } from './parser'
export { allowAnyLength, allowAnyText, allowCompressed, grant, markFrames, openSlot, stream } from './slot'
export { UTF8_REJECTED, validate } from './utf8'

/** Writes an unmasked frame: header and payload. Returns its bytes. */
export function frame(target: usize, first: u32, source: usize, length: u32): u32 {
  let header: u32 = 2
  if (length <= LONGEST_7_BIT) store<u16>(target, first | (length << 8))
  else header = writeHeader(target, first, 0, length)
  copyApart(target + header, source, length)
  return header + length
}

/** Writes a masked frame, as a client must (section 5.1). Returns its bytes. */
export function maskedFrame(target: usize, first: u32, source: usize, length: u32, key: u32): u32 {
  const header = writeHeader(target, first, MASKED, length)
  store<u32>(target + header, key)
  mask(target + header + 4, source, length, key)
  return header + 4 + length
}

/** Writes only the header, for a payload that is already in its place. Returns its bytes. */
export function header(target: usize, first: u32, length: f64): u32 {
  return writeHeader(target, first, 0, length)
}

/** Copies within the memory; several times faster than JavaScript can in shared memory. */
export function copy(target: usize, source: usize, length: u32): void {
  memory.copy(target, source, length)
}
