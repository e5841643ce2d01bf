// Copying short payloads, which most echoed messages are. `memory.copy` is a call out of the module in V8: for a payload of
// 20 bytes that call costs more than all the rest of building the frame (9.8 ns against 6.1 with the loads and stores here).

/** From and up to so many bytes, the loads and stores here cost less than the call. */
const SHORTEST: usize = 16
const LONGEST: usize = 128

/** Copies `length` bytes to a place that does not overlap with theirs. */
export function copyApart(target: usize, source: usize, length: usize): void {
  assert(target + length <= source || source + length <= target)
  if (length < SHORTEST || length > LONGEST) {
    memory.copy(target, source, length)
    return
  }
  // In steps of 16 bytes; the last step ends where the bytes end, and so overlaps with the one before it.
  const last = length - 16
  for (let at: usize = 0; at < last; at += 16) v128.store(target + at, v128.load(source + at))
  v128.store(target + last, v128.load(source + last))
}
