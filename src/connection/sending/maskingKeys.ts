// Masking keys (RFC 6455, section 5.3). Nobody may be able to predict them, or a page could choose the bytes that travel:
// they come from crypto, many at once, because asking for each costs more than a short frame.
import { Buffer } from 'node:buffer'
import { randomFillSync } from 'node:crypto'
import { KEY_BYTES } from '../../codec/frames.js'

const KEYS = 1024

export class MaskingKeys {
  readonly #keys = Buffer.alloc(KEYS * KEY_BYTES)
  /** Where the next key lies. */
  #at = KEYS * KEY_BYTES

  /** A key that was not used before, as a little-endian number. */
  next(): number {
    if (this.#at === this.#keys.length) {
      randomFillSync(this.#keys)
      this.#at = 0
    }
    const key = this.#keys.readUInt32LE(this.#at)
    this.#at += KEY_BYTES
    return key
  }
}
