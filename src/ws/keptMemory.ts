// What becomes of the memory of long messages. It is their listeners', so the collector frees it: some 30 MiB in one go. That is more than
// glibc keeps at the end of its heap, and what it gives back to the system costs a page fault for each 4 KiB when the next messages
// come, which was a sixth of the time of an echo of 1 MiB. By mallopt(3), it keeps twice as much as the longest block that was freed.
import { Buffer } from 'node:buffer'
import { giveBack } from '../transport/spentChunk.js'

/** The longest block that glibc learns from has 32 MiB with what stands before it, in whole pages. */
const LONGEST_LEARNED = 32 * 1024 * 1024 - 2 * 4096

/** Shorter messages are freed among others, and what they take is seldom given back. */
const SHORTEST = 32 * 1024

let told = process.platform !== 'linux'

/** A message of `length` bytes comes: from the first long one on, the C library keeps the memory of those that nobody has any more, up to 64 MiB. */
export function keepMemory(length: number): void {
  if (told || length < SHORTEST) return
  told = true
  try {
    giveBack(Buffer.allocUnsafeSlow(LONGEST_LEARNED)) // nobody touches it, so it costs address space alone
  } catch {
    // There is not so much address space: each message goes on taking fresh memory.
  }
}
