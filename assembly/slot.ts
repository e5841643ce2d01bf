// A slot between reads: how a connection begins, and what its host changes while a message is under way.
import { LONGEST_SAFE, MASKED, OPCODE_BINARY, RSV1, VIOLATION_LENGTH_NOT_MINIMAL } from './header'
import {
  HEAP,
  LONGEST_CARRIED,
  SLOT_ANY_LENGTH,
  SLOT_ANY_TEXT,
  SLOT_CAPACITY,
  SLOT_CARRIED,
  SLOT_EXTENSION,
  SLOT_IN_PAYLOAD,
  SLOT_LENGTH,
  SLOT_LIMIT,
  SLOT_LIMITS_COMPRESSED,
  SLOT_MARKS,
  SLOT_MASKED,
  SLOT_MESSAGE,
  SLOT_MOST_FRAGMENTS,
  SLOT_REGION,
  SLOT_SIZE,
  SLOT_STREAMED,
} from './memory'

/** What SLOT_STREAMED says of a message that is handed out in parts. */
const PLAIN: u32 = 1
export const COMPRESSED: u32 = 2

/**
 * Prepares the slot of a new connection. `masked` is the mask bit that its frames must have, `limit` the longest
 * message, `fragments` the most frames of a message (0: any number).
 */
export function openSlot(slot: usize, masked: u32, limit: f64, fragments: u32): void {
  assert(slot >= HEAP && (slot & 7) == 0)
  assert(masked == 0 || masked == MASKED)
  assert(limit >= 0 && limit <= (LONGEST_SAFE as f64))
  memory.fill(slot, 0, SLOT_SIZE)
  store<u8>(slot, masked, SLOT_MASKED)
  store<u64>(slot, limit as u64, SLOT_LIMIT)
  store<u32>(slot, fragments, SLOT_MOST_FRAGMENTS)
}

/** From now on, messages may be compressed (RFC 7692). They are handed out as they are, and have no limit here, if not `limited`. */
export function allowCompressed(slot: usize, limited: u32): void {
  store<u8>(slot, limited, SLOT_LIMITS_COMPRESSED)
  store<u8>(slot, RSV1, SLOT_EXTENSION)
}

/** From now on, text may be any bytes. */
export function allowAnyText(slot: usize): void {
  store<u8>(slot, 1, SLOT_ANY_TEXT)
}

/** From now on, a payload length may be longer than it has to be. */
export function allowAnyLength(slot: usize): void {
  store<u8>(slot, 1, SLOT_ANY_LENGTH)
}

/** From now on, the ends of a message's frames are marked, but for the last one. */
export function markFrames(slot: usize): void {
  store<u8>(slot, 1, SLOT_MARKS)
}

/** Whether a connection may break the rule of this violation. */
export function forgives(slot: usize, violation: u32): bool {
  return violation == VIOLATION_LENGTH_NOT_MINIMAL && load<u8>(slot, SLOT_ANY_LENGTH) != 0
}

/** Gives the message under way a region; what it already held must have been copied there. */
export function grant(slot: usize, region: u32, capacity: u32): void {
  if (!ASC_NO_ASSERT) assert(region >= HEAP ? capacity >= load<u32>(slot, SLOT_LENGTH) : (region | capacity) == 0)
  store<u32>(slot, region, SLOT_REGION)
  store<u32>(slot, capacity, SLOT_CAPACITY)
}

/** From now on, the message under way is handed out in parts, where they lie. What it already held is forgotten. */
export function stream(slot: usize): void {
  grant(slot, 0, 0)
  store<u32>(slot, 0, SLOT_LENGTH)
  store<u8>(slot, PLAIN, SLOT_STREAMED)
}

/** Whether the frame that begins is one of a compressed message: the first, or a later one. */
export function isCompressed(slot: usize, first: u32): bool {
  return (first & RSV1) != 0 || load<u8>(slot, SLOT_STREAMED) == COMPRESSED
}

/** What holds for a slot between reads, whatever came; only the debug build looks. */
export function checkSlot(slot: usize): void {
  const carried = load<u8>(slot, SLOT_CARRIED)
  const message = load<u8>(slot, SLOT_MESSAGE)
  const length = load<u32>(slot, SLOT_LENGTH)
  assert(carried < LONGEST_CARRIED)
  assert(message <= OPCODE_BINARY)
  assert(load<u8>(slot, SLOT_IN_PAYLOAD) == 0 || (message != 0 && carried == 0))
  assert(load<u8>(slot, SLOT_STREAMED) == 0 || (message != 0 && length == 0))
  assert(length <= load<u32>(slot, SLOT_CAPACITY) && (length as u64) <= load<u64>(slot, SLOT_LIMIT))
  assert(message != 0 || length == 0)
}
