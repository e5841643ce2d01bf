// Deflaters of the thread for messages that stand alone: any connection may use one, for one message at a time.
import { compressionOf } from './compression.js'
import { Deflater } from './deflater.js'
import type { Heap } from './heap.js'

const deflaters = new Map<number, Deflater>()

/** The deflater for a window of 2^`windowBits` bytes. It refers to nothing that came before. Throws OutOfMemory. */
export function sharedDeflater(heap: Heap, windowBits: number): Deflater {
  const made = deflaters.get(windowBits) ?? new Deflater(compressionOf(heap), windowBits)
  deflaters.set(windowBits, made)
  made.forget()
  return made
}
