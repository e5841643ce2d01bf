// How much is inflated at a time, and what that costs its peer: nobody is to wait for long because of one message.

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
