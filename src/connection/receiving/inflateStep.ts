// How much is inflated at a time, and what that costs its peer: nobody is to wait for long because of one message.
import { INFLATE_LIMIT } from '../../codec/inflater.js'
import type { ViolationName } from '../../protocol/violation.js'

/**
 * Bytes that are inflated at a time, and bytes of the input that are read for that: blocks of a few bytes may have codes of
 * their own, which take long to make.
 */
export const STEP = 65_536
export const INPUT = 8192

/** As many short messages may take as long as a step does. */
export function costOf(consumed: number, written: number): number {
  return (consumed >> 7) + (written >> 10)
}

/** The violation that the status of a step is which could not go on. */
export function violationOf(status: number): ViolationName {
  return status === INFLATE_LIMIT ? 'MESSAGE_TOO_LONG' : 'INVALID_DEFLATE'
}
