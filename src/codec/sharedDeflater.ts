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
  return anew(deflaters.get(windowBits) ?? known(deflaters, windowBits, new Deflater(compressionOf(heap), windowBits)))
}

/** The same with zlib. */
export function sharedBest(heap: Heap, windowBits: number): BestDeflater {
  return anew(bests.get(windowBits) ?? known(bests, windowBits, new BestDeflater(heap, windowBits)))
}

function known<Engine>(engines: Map<number, Engine>, windowBits: number, made: Engine): Engine {
  engines.set(windowBits, made)
  return made
}

function anew<Engine extends DeflateEngine>(engine: Engine): Engine {
  engine.forget()
  return engine
}
