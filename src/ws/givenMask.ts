// Masking keys that the application makes itself, by the option `generateMask` of ws.
import { Buffer } from 'node:buffer'
import { codecOfThread } from '../codec/codec.js'
import { KEY_BYTES } from '../codec/frames.js'
import { Encoder } from '../connection/sending/encoder.js'
import type { KeySource } from '../connection/sending/maskingKeys.js'

class GivenKeys implements KeySource {
  readonly #words = new Int32Array(1)
  readonly #key = Buffer.from(this.#words.buffer, 0, KEY_BYTES)
  readonly #fill: (key: Buffer) => void
  #prepared = false

  constructor(fill: (key: Buffer) => void) {
    this.#fill = fill
  }

  /** The application is not called while a frame is built, as it may send another one. */
  prepare(): void {
    this.#fill(this.#key)
    this.#prepared = true
  }

  next(): number {
    if (!this.#prepared) this.#fill(this.#key)
    this.#prepared = false
    return this.#words[0] ?? 0
  }
}

/** A client's encoder whose masking keys `fill` writes, into four bytes that have the key before. */
export function maskingEncoder(fill: (key: Buffer) => void): Encoder {
  return new Encoder(codecOfThread(), 'client', new GivenKeys(fill))
}
