// What the rest of millrace calls the codec: one thread's instance and its heap.
import { Heap } from './heap.js'
import { Codec, codecOfThread } from './instance.js'

export { type Compression, compressionOf } from './compression.js'
export { OutOfMemory } from './outOfMemory.js'
export { HEADROOM, Region } from './region.js'
export { violationName } from './violations.js'
/** The inbox, in which every read of the thread lands, and the longest read in bytes. */
export { INBOX, INBOX_LENGTH } from './wasm.generated.js'
export { Codec, codecOfThread, Heap }

let heap: Heap | undefined

/** The heap of this thread, made on first use. */
export function heapOfThread(): Heap {
  heap ??= new Heap(codecOfThread())
  return heap
}
