// The first bytes of a message that comes in pieces, one behind the other. The server decides on how many pieces there are, so that
// an object for each of them would let it take any amount of memory: empty ones are without number.
import { Buffer } from 'node:buffer'

/** Room for the first piece, in bytes. */
const LEAST = 1024

export class Gathering {
  readonly #most: number
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0

  /** Holds the first `most` bytes of a message, and leaves out those behind them. */
  constructor(most: number) {
    this.#most = most
  }

  add(piece: Buffer): void {
    const length = Math.min(this.#length + piece.length, this.#most)
    if (length > this.#bytes.length) this.#grow(length)
    piece.copy(this.#bytes, this.#length, 0, length - this.#length)
    this.#length = length
  }

  /** The bytes of a message whose last piece this is. What is returned is valid until the next call. */
  end(last: Buffer): Buffer {
    if (this.#length === 0) return last.subarray(0, this.#most)
    this.add(last)
    const message = this.#bytes.subarray(0, this.#length)
    this.forget()
    return message
  }

  forget(): void {
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
  }

  #grow(length: number): void {
    const bytes = Buffer.allocUnsafe(Math.min(this.#most, Math.max(LEAST, length, 2 * this.#bytes.length)))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }
}
