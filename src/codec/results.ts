// Where the codec says what its last call has found, as indices into the words and doubles of its memory. There is one
// such place per thread: it is valid until anything else is parsed or counted.
import {
  ENTRY_INFO,
  ENTRY_LENGTH,
  ENTRY_POINTER,
  RESULT,
  RESULT_ANNOUNCED,
  RESULT_CONSUMED,
  RESULT_COUNT,
  RESULT_FILLED,
  RESULT_NEEDED,
  TABLE,
} from './wasm.generated.js'

export const COUNT_WORD = (RESULT + RESULT_COUNT) / 4
export const CONSUMED_WORD = (RESULT + RESULT_CONSUMED) / 4
export const NEEDED_DOUBLE = (RESULT + RESULT_NEEDED) / 8
export const ANNOUNCED_DOUBLE = (RESULT + RESULT_ANNOUNCED) / 8
export const FILLED_DOUBLE = (RESULT + RESULT_FILLED) / 8

/** Of the frame table's first entry. */
export const INFO_WORD = (TABLE + ENTRY_INFO) / 4
export const POINTER_WORD = (TABLE + ENTRY_POINTER) / 4
export const LENGTH_WORD = (TABLE + ENTRY_LENGTH) / 4
