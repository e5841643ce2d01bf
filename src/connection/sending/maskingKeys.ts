// Masking keys (RFC 6455, section 5.3). Nobody may be able to predict them, or a page could choose the bytes that travel:
// they come from crypto, many at once, because asking for each costs more than a short frame.
import { randomFillSync } from 'node:crypto'

const KEYS = 1024

/** Where the keys of a client's frames come from. */
export interface KeySource {
  /** Makes the next key, before its frame is begun: for keys that code makes which may send, too. */
  prepare?(): void
  /** A key, as the four bytes in the order of this machine. */
  next(): number
}

export class MaskingKeys implements KeySource {
  readonly #keys = new Int32Array(KEYS)
  /** Which is the next key. */
  #at = KEYS

  /** A key that was not used before, as the four bytes in the order of this machine. */
  next(): number {
    if (this.#at === KEYS) {
      randomFillSync(this.#keys)
      this.#at = 0
    }
    return this.#keys[this.#at++] ?? 0
  }
}
