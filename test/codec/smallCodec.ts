// Codecs whose memory ends early: by its maximum, or because the system gives no more.
import { Codec } from '../../src/codec/codec.js'
import { PAGE } from '../../src/codec/heap.js'

/** A codec whose memory may grow to so many pages. */
export function codecOfPages(pages: number): Codec {
  return new (class extends Codec {
    override readonly maximumPages = pages
  })()
}

/** A codec whose system refuses to grow the memory beyond `granted` pages, for as long as the test wants. */
export class RefusedCodec extends Codec {
  granted = Infinity

  override growTo(pages: number): void {
    if (pages > this.granted && pages > this.pages) throw new RangeError(`${pages * PAGE} bytes are not to be had`)
    super.growTo(pages)
  }
}
