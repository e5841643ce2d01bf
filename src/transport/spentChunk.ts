// What Node's streams read lies outside of the heap, 64 KiB at a time. A small heap full of such memory reaches V8's limit
// for what is old before V8 looks for what is young: a collection of everything for every few chunks, where one of the
// young would do. So the memory of a chunk that was dealt with is given back at once.

/** Shorter chunks are cheaper to leave to the collector. */
export const SHORTEST_SPENT = 8 * 1024

/** Node.js 20 has no way to do that at once. */
const { transfer } = ArrayBuffer.prototype as { transfer?: (this: ArrayBuffer, length: number) => ArrayBuffer }

/** Gives back the memory of a chunk, which then is empty. Nobody else may have the chunk, or memory that it shares. */
export function giveBack(chunk: Uint8Array): void {
  const { buffer, length } = chunk
  if (transfer === undefined || length !== buffer.byteLength) return
  if (buffer instanceof ArrayBuffer) transfer.call(buffer, 0)
}
