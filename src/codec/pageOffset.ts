// Where in its page begins what is long and written as one: the only place that decides it.
//
// What the kernel's copy of a write costs depends on where source and target lie within their pages of 4 KiB. Socket buffers
// mostly begin at offset 0. Where the difference of the offsets is small, the processor takes loads for dependent on stores
// one page away. Measured, per copy of 64 KiB:
// - on an AMD server with shared caches, by the offset at which the frame begins: 0 or 6 → 16 µs, 64 → 8.6, 256 → 6.1,
//   1024 → 4.9, 2048 → 4.6;
// - on an AMD Zen 4: 8.4 to 8.8 at every offset but the last 15 bytes of a page (a target 1 to 15 bytes behind its source),
//   where it is 22 to 26. There, the codec's own copy from the inbox into a region is 1.45 µs at 16 and 1.31 at 2,064.
// So half a page is never worse, and it is the furthest from both ends. Intel's processors are said not to care.
// `npm run bench:codec` has a row that sweeps the offset.
import { LARGEST_CLASS, PAGE } from './heap.js'

const HALF_PAGE = 2048

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
