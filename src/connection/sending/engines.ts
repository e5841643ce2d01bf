// Which engine compresses, by the option `level`, and from how many bytes on it pays to have that done elsewhere.
import { BestDeflater, LEAST_BEST_BITS, mostBestBytes } from '../../codec/bestDeflater.js'
import { compressionOf, type Heap } from '../../codec/codec.js'
import type { DeflateEngine } from '../../codec/deflateEngine.js'
import { Deflater, mostDeflaterBytes } from '../../codec/deflater.js'
import { sharedBest, sharedDeflater } from '../../codec/sharedDeflater.js'
import { LONG } from '../../pool/codecThreads.js'

/** `'fast'` is the codec, `'best'` is zlib. */
export type DeflateLevel = 'fast' | 'best'

export interface Engines {
  /** Bytes from which a piece is compressed elsewhere. */
  readonly long: number
  /** The most bytes of the heap that an engine holds between messages. */
  readonly bytes: number
  /** An engine of one connection, or of one message. Throws OutOfMemory. */
  open(): DeflateEngine
  /** The engine of the thread for one message that stands alone, which it compresses at once. Throws OutOfMemory. */
  shared(): DeflateEngine
}

/** The engines for a window. zlib has none of 2^8 bytes, so that there the codec compresses whatever the level. */
export function enginesOf(heap: Heap, level: DeflateLevel, windowBits: number): Engines {
  if (level === 'best' && windowBits >= LEAST_BEST_BITS) {
    return {
      long: LONG.best,
      bytes: mostBestBytes(windowBits),
      open: () => new BestDeflater(heap, windowBits),
      shared: () => sharedBest(heap, windowBits),
    }
  }
  return {
    long: LONG.fast,
    bytes: mostDeflaterBytes(windowBits),
    open: () => new Deflater(compressionOf(heap), windowBits),
    shared: () => sharedDeflater(heap, windowBits),
  }
}
