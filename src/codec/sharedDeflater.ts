// Engines of the thread for messages that stand alone: any connection may use one, for one message at a time.
import { BestDeflater } from './bestDeflater.js'
import { compressionOf } from './compression.js'
import type { DeflateEngine } from './deflateEngine.js'
import { Deflater } from './deflater.js'
import type { Heap } from './heap.js'

const deflaters = new Map<number, Deflater>()
const bests = new Map<number, BestDeflater>()

/** The deflater for a window of 2^`windowBits` bytes. It refers to nothing that came before. Throws OutOfMemory. */
export function sharedDeflater(heap: Heap, windowBits: number): Deflater {
  return shared(deflaters, windowBits, () => new Deflater(compressionOf(heap), windowBits))
}

/** The same with zlib. */
export function sharedBest(heap: Heap, windowBits: number): BestDeflater {
  return shared(bests, windowBits, () => new BestDeflater(heap, windowBits))
}

function shared<Engine extends DeflateEngine>(
  known: Map<number, Engine>,
  windowBits: number,
  make: () => Engine,
): Engine {
  const made = known.get(windowBits) ?? make()
  known.set(windowBits, made)
  made.forget()
  return made
}
