// Where in its page begins what is long and written as one: the only place that decides it.
//
// What the kernel's copy of a write costs depends on where source and target lie within their pages of 4 KiB. Socket buffers
// mostly begin at offset 0. Where the difference of the offsets is small, the processor takes loads for dependent on stores
// one page away. Measured, per copy of 64 KiB:
// - on an AMD server with shared caches, by the offset at which the frame begins: 0 or 6 → 16 µs, 64 → 8.6, 256 → 6.1,
//   1024 → 4.9, 2048 → 4.6;
// - on an AMD Zen 4, write() to loopback: 8.4 to 8.8 µs at every offset but the last 15 bytes of a page (where the target is 1
//   to 15 bytes behind its source), where it is 22 to 26. Into the page cache: 2.64 at 0, 2.54 at 2048. The codec's own copy
//   from the inbox into a region: 1.57 at 0 and 64, 1.42 from 256 to 2048; of 16 KiB: 1.33 at 0, 0.42 at 2048.
// - on an Intel server (Emerald Rapids), write() of 1 MiB to loopback: 166 at 0, 158 at 2048; of less, no difference that is
//   beyond the spread. Into the page cache: 1 MiB 25.9 at 0, 24.5 at 2048, 26.8 at 4080; 64 KiB 2.06 to 2.08, 2.12 at 4080. The
//   codec's own copy of 1 MiB: 24.9 at 0, 26.1 at 64, 23.9 from 256 on; of 64 KiB: 1.68 at 64, 1.56 at 2048.
// So half a page is never worse, and it is the furthest from both ends.
// `npm run bench:codec -- --only "page offset"` sweeps it.
import { LARGEST_CLASS, PAGE } from './heap.js'

/** Bytes. */
export const HALF_PAGE = 2048

/** Most bytes that a block of one page takes, half a page in. */
export const LONGEST_IN_PAGE = PAGE - HALF_PAGE

/**
 * Free bytes in front of `length` bytes in a block of their own. Small blocks stay dense, and nothing costs a page more than it
 * must: where the last page has no room for half a page, there are none.
 */
export function leadOf(length: number): number {
  if (length <= LARGEST_CLASS) return 0
  const rest = length % PAGE
  return rest > 0 && rest <= LONGEST_IN_PAGE ? HALF_PAGE : 0
}
