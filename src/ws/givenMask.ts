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

  constructor(fill: (key: Buffer) => void) {
    this.#fill = fill
  }

  next(): number {
    this.#fill(this.#key)
    return this.#words[0] ?? 0
  }
}

/** A client's encoder whose masking keys `fill` writes, into four bytes that have the key before. */
export function maskingEncoder(fill: (key: Buffer) => void): Encoder {
  return new Encoder(codecOfThread(), 'client', new GivenKeys(fill))
}
