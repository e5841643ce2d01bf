// How many bytes compression has saved one connection, and all of a server.
import type { Counts } from '../metrics/counts.js'

/** How long compressed messages in one direction were: their payloads, in bytes. */
export interface DeflatedBytes {
  /** Without compression. */
  readonly plain: number
  /** As they travelled. */
  readonly compressed: number
}

/** How long compressed messages were before and after compression. Messages that travel as they are do not count. */
export interface DeflateStatistics {
  /** What the server has sent. */
  readonly sent: DeflatedBytes
  /** What the server has received. */
  readonly received: DeflatedBytes
}

export class DeflateTally {
  #plainSent = 0
  #compressedSent = 0
  #plainReceived = 0
  #compressedReceived = 0
  /** The counters of the server. */
  readonly #counts: Counts | undefined

  constructor(counts?: Counts) {
    this.#counts = counts
  }

  get statistics(): DeflateStatistics {
    return {
      sent: { plain: this.#plainSent, compressed: this.#compressedSent },
      received: { plain: this.#plainReceived, compressed: this.#compressedReceived },
    }
  }

  sent(plain: number, compressed: number): void {
    this.#plainSent += plain
    this.#compressedSent += compressed
    this.#counts?.deflated('sent', plain, compressed)
  }

  received(plain: number, compressed: number): void {
    this.#plainReceived += plain
    this.#compressedReceived += compressed
    this.#counts?.deflated('received', plain, compressed)
  }
}

/** How long the compressed messages of all connections of a server were. */
export function countedDeflate(counts: Counts): DeflateStatistics {
  const bytes = (direction: 'sent' | 'received'): DeflatedBytes => ({
    plain: counts.of('deflatePlain', direction),
    compressed: counts.of('deflateCompressed', direction),
  })
  return { sent: bytes('sent'), received: bytes('received') }
}
