// Memory of the thread in which a message is made, or read, within one call: nothing in it outlives that. What is received
// has a place of its own, because its handler may send while it reads.
import { heapOfThread } from './codec.js'

/** Bytes of each. */
export const SCRATCH_LENGTH = 32_768

/** Their addresses, 0 before they are used. */
const pointers = { inflate: 0, deflate: 0 }

/** The address of a scratch, made on first use. Throws OutOfMemory. */
export function scratchOfThread(use: 'inflate' | 'deflate'): number {
  if (pointers[use] === 0) pointers[use] = heapOfThread().allocate(SCRATCH_LENGTH).pointer
  return pointers[use]
}
