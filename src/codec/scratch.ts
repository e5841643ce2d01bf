// Memory of the thread in which a message is made, or read, within one call: nothing in it outlives that. What is received
// has a place of its own, because its handler may send while it reads.
import { heapOfThread } from './codec.js'

/** Bytes of each. */
export const SCRATCH_LENGTH = 32_768

type Use = 'inflate' | 'deflate'

const pointers = new Map<Use, number>()

/** The address of a scratch, made on first use. Throws OutOfMemory. */
export function scratchOfThread(use: Use): number {
  const made = pointers.get(use) ?? heapOfThread().allocate(SCRATCH_LENGTH).pointer
  pointers.set(use, made)
  return made
}
