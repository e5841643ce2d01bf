// INFLATE (RFC 1951), as RFC 7692 uses it: blocks without end, cut into messages. It resumes at every byte of the input
// and of the output. What comes can't lead it astray: it reads no byte outside of the input, the output and the window,
// and writes none outside of the output and its state.
import {
  bits,
  CORRUPT_CUT,
  copyStored,
  corrupt,
  corruption,
  held,
  INFLATE_CORRUPT,
  INFLATE_GO,
  INFLATE_LIMIT,
  INFLATE_MORE,
  INFLATE_ROOM,
  input,
  inputEnd,
  openInput,
  openOutput,
  output,
  outputEnd,
} from './bitInput'
import { endBlock, readBlockHeader, readCodeCounts, readCodeLengths, readLengths, readStoredLength } from './blocks'
import {
  INFLATER_BITS,
  INFLATER_FINAL,
  INFLATER_HELD,
  INFLATER_INDEX,
  INFLATER_MESSAGE,
  INFLATER_PHASE,
  INFLATER_STORED,
  PHASE_BLOCK,
  PHASE_CODE_COUNTS,
  PHASE_CODE_LENGTHS,
  PHASE_DEAD,
  PHASE_LENGTHS,
  PHASE_STORED,
  PHASE_STORED_LENGTH,
  PHASE_SYMBOLS,
} from './inflater'
import { decodeSymbols } from './inflateSymbols'
import { report } from './workspace'

/**
 * Inflates the next `length` bytes of a message from `from`, and writes at most `room` bytes to `to`. The bytes of this
 * message that were written before and were not kept lie from `base` to `to`. The message may have `limit` bytes in all.
 * Returns an INFLATE status; how many bytes were consumed and written is in the workspace.
 */
export function inflate(state: usize, from: usize, length: u32, base: usize, to: usize, room: u32, limit: f64): u32 {
  assert(base <= to && limit >= 0)
  const before = load<u64>(state, INFLATER_MESSAGE)
  const left = limit > (before as f64) ? limit - (before as f64) : 0
  const bounded = left <= (room as f64)
  openInput(from, length, load<u64>(state, INFLATER_BITS), load<u32>(state, INFLATER_HELD))
  openOutput(base, to, bounded ? (left as u32) : room)
  let status = INFLATE_GO
  while (status == INFLATE_GO) status = step(state)
  if (status == INFLATE_ROOM && bounded) status = INFLATE_LIMIT
  if (status == INFLATE_CORRUPT) {
    store<u32>(state, PHASE_DEAD, INFLATER_PHASE)
    store<u32>(state, corruption, INFLATER_INDEX)
  }
  assert(from <= input && input <= from + length && to <= output && output <= outputEnd)
  store<u64>(state, bits, INFLATER_BITS)
  store<u32>(state, held, INFLATER_HELD)
  store<u64>(state, before + (output - to), INFLATER_MESSAGE)
  report((input - from) as u32, (output - to) as u32)
  return status
}

function step(state: usize): u32 {
  switch (load<u32>(state, INFLATER_PHASE)) {
    case PHASE_BLOCK:
      return readBlockHeader(state)
    case PHASE_STORED_LENGTH:
      return readStoredLength(state)
    case PHASE_STORED:
      return continueStored(state)
    case PHASE_CODE_COUNTS:
      return readCodeCounts(state)
    case PHASE_CODE_LENGTHS:
      return readCodeLengths(state)
    case PHASE_LENGTHS:
      return readLengths(state)
    case PHASE_SYMBOLS:
      return decodeSymbols(state)
    default:
      return corrupt(load<u32>(state, INFLATER_INDEX))
  }
}

function continueStored(state: usize): u32 {
  const length = load<u32>(state, INFLATER_STORED)
  const left = length - copyStored(length)
  store<u32>(state, left, INFLATER_STORED)
  if (left == 0) return endBlock(state)
  return output == outputEnd && (held >= 8 || input < inputEnd) ? INFLATE_ROOM : INFLATE_MORE
}

/**
 * Ends a message, as if the 00 00 ff ff that its sender has left out came now (RFC 7692, section 7.2.2): they are the
 * length of an empty stored block. A message may also end behind a block, where a peer has left out the empty one, too.
 * False if it is cut anywhere else. The next message begins with a new block.
 */
export function inflateEnd(state: usize): bool {
  const phase = load<u32>(state, INFLATER_PHASE)
  const ends = (phase == PHASE_STORED_LENGTH || phase == PHASE_BLOCK) && load<u32>(state, INFLATER_HELD) == 0
  store<u32>(state, ends ? PHASE_BLOCK : PHASE_DEAD, INFLATER_PHASE)
  store<u32>(state, CORRUPT_CUT, INFLATER_INDEX)
  store<u32>(state, 0, INFLATER_FINAL)
  store<u64>(state, 0, INFLATER_MESSAGE)
  return ends
}
