// How many bytes compression has saved one connection, and all of a server.

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
  /** The tally of the server, to which everything counts, too. */
  readonly #total: DeflateTally | undefined

  constructor(total?: DeflateTally) {
    this.#total = total
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
    this.#total?.sent(plain, compressed)
  }

  received(plain: number, compressed: number): void {
    this.#plainReceived += plain
    this.#compressedReceived += compressed
    this.#total?.received(plain, compressed)
  }
}
