// What the thread keeps for compression once it has been used, so that the books are even when all connections are gone.
import { compressionOf, heapOfThread } from '../../src/codec/codec.js'
import { SCRATCH_LENGTH, scratchOfThread } from '../../src/codec/scratch.js'
import { sharedDeflater } from '../../src/codec/sharedDeflater.js'
import type { InflationParts, InflationTarget } from '../../src/connection/receiving/inflationParts.js'
import { leaveInflation, openInflation } from '../../src/connection/receiving/spareInflation.js'

/** Makes the tables, the scratches, and what does for messages that stand alone, each as large as it may become. */
export function warmCompression(): void {
  const heap = heapOfThread()
  compressionOf(heap)
  const [from, to] = [scratchOfThread('deflate'), scratchOfThread('inflate')]
  for (let windowBits = 8; windowBits <= 15; windowBits++) {
    const deflater = sharedDeflater(heap, windowBits)
    deflater.deflate(from, SCRATCH_LENGTH - 1024, to, SCRATCH_LENGTH, true)
  }
  const alone = { inflation: { takesOver: false, windowBits: 15 } } as InflationParts
  leaveInflation(openInflation({ shared: { heap } } as InflationTarget, alone))
}
