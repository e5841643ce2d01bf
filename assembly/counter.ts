// The counter: how many messages end in a span, without a look at their payloads. A load client measures a server with it;
// it is far cheaper than any server that it loads. It shares the slot's layout with the parser, for its own connections.
import { extendedBytes, FIN, isControl, MASKED, OPCODE_CLOSE, payloadLength } from './header'
import { RESULT, RESULT_COUNT, SLOT_CARRIED, SLOT_CARRY, SLOT_FRAME, SLOT_REMAINING } from './memory'

/** Everything is counted; or a Close frame came; or a masked frame, which no server may send. */
export const COUNT_DONE: u32 = 0
export const COUNT_CLOSE: u32 = 1
export const COUNT_MASKED: u32 = 2

/** Counts the messages that end between `start` and `end`; their number is in RESULT. */
export function count(slot: usize, start: usize, end: usize): u32 {
  const carry = slot + SLOT_CARRY
  let messages: u32 = 0
  let status = COUNT_DONE
  let carried = load<u8>(slot, SLOT_CARRIED) as u32
  while (start < end && status == COUNT_DONE) {
    const remaining = load<u64>(slot, SLOT_REMAINING)
    if (carried < 2 || carried < 2 + extendedBytes(load<u8>(carry, 1))) {
      store<u8>(carry + carried++, load<u8>(start++))
      if (carried < 2) continue
      const second = load<u8>(carry, 1) as u32
      if (second & MASKED) status = COUNT_MASKED
      if (carried < 2 + extendedBytes(second)) continue
      store<u64>(slot, payloadLength(carry), SLOT_REMAINING)
      store<u8>(slot, load<u8>(carry), SLOT_FRAME)
      if ((load<u8>(carry) & 0x0f) == OPCODE_CLOSE) status = COUNT_CLOSE
    } else {
      const bytes = min<u64>(remaining, end - start)
      start += bytes as usize
      store<u64>(slot, remaining - bytes, SLOT_REMAINING)
    }
    if (load<u64>(slot, SLOT_REMAINING) == 0) {
      carried = 0
      const first = load<u8>(slot, SLOT_FRAME) as u32
      if (first & FIN && !isControl(first)) messages++
    }
  }
  store<u8>(slot, carried, SLOT_CARRIED)
  store<u32>(RESULT, messages, RESULT_COUNT)
  return status
}
