// How much is inflated at a time, and what that costs its peer: nobody is to wait for long because of one message.
import { HEADROOM } from '../../codec/codec.js'
import { LARGEST_CLASS } from '../../codec/heap.js'
import { INFLATE_LIMIT } from '../../codec/inflater.js'
import type { ViolationName } from '../../protocol/violation.js'

/**
 * Bytes that are inflated at a time, and bytes of the input that are read for that: blocks of a few bytes may have codes of
 * their own, which take long to make.
 */
export const STEP = 65_536
export const INPUT = 8192

/** What the first region of a message holds, and the most by which one grows. */
const LEAST_REGION = 1008
export const MOST_GROWTH: number = 1024 * 1024

/** What the next region of a message holds of which so many bytes are there. */
export function longerThan(filled: number): number {
  return Math.max(LEAST_REGION, filled + Math.min(filled - HEADROOM, MOST_GROWTH))
}

/** As many short messages may take as long as a step does. */
export function costOf(consumed: number, written: number): number {
  return (consumed >> 7) + (written >> 10)
}

/** The violation that the status of a step is which could not go on. */
export function violationOf(status: number): ViolationName {
  return status === INFLATE_LIMIT ? 'MESSAGE_TOO_LONG' : 'INVALID_DEFLATE'
}

/** How much longer what is to come is expected to become. */
const EXPANSION = 8

/** Room for a part of `length` bytes that a thread inflates: each task costs this thread as much as 64 KiB of the result. */
export function roomFor(length: number): number {
  return Math.min(Math.max(EXPANSION * length, LEAST_REGION), MOST_GROWTH)
}

/** How long a message may become that needs room for `needed` bytes, when `coming` bytes are to be inflated behind `filled`. */
export function announcedFor(needed: number, filled: number, coming: number, most: number): number {
  if (needed <= LARGEST_CLASS) return needed
  return Math.min(Math.max(needed, filled + EXPANSION * coming), most)
}
