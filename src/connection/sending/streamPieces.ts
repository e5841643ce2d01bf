// The chunks of a stream as its message demands them: bytes in a text message are decoded, strings in a binary one
// encoded. A long chunk comes in pieces, none of which takes long to send.
import { Buffer } from 'node:buffer'
import { Characters } from './characters.js'
import { bytesOf } from './encoder.js'
import type { StreamChunk } from './streamSource.js'

/** The longest piece, in bytes, or in UTF-16 units of a string. */
const LONGEST_PIECE = 128 * 1024

export class Pieces {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #characters = new Characters()
  /** Whether the message is text; undefined until the first chunk, if nobody has demanded anything. */
  #isText: boolean | undefined
  #chunk: string | Uint8Array | undefined
  #at = 0

  /** Without a demand, the first chunk decides. */
  constructor(isText: boolean | undefined) {
    this.#isText = isText
  }

  /** The next chunk. Throws a TypeError for what can't be sent. */
  take(chunk: StreamChunk): void {
    this.#isText ??= typeof chunk === 'string'
    this.#chunk = typeof chunk === 'string' ? chunk : bytesOf(chunk)
    this.#at = 0
  }

  /** The next piece of the chunk, at least one; undefined after the last. Throws a TypeError for bytes that are no UTF-8. */
  next(): string | Uint8Array | undefined {
    const chunk = this.#chunk
    if (chunk === undefined) return undefined
    const piece = this.#cut(chunk)
    if (typeof piece === 'string') {
      const whole = this.#characters.whole(piece, false)
      return this.#isText === true ? whole : Buffer.from(whole)
    }
    return this.#isText === true ? this.#decoder.decode(piece, { stream: true }) : piece
  }

  /** The source has ended: what is left of a character. Throws a TypeError for bytes that end amid one. */
  end(): string | Uint8Array {
    const half = this.#characters.whole('', true)
    const rest = this.#decoder.decode() + half
    return this.#isText === true ? rest : Buffer.from(rest)
  }

  #cut(chunk: string | Uint8Array): string | Uint8Array {
    const from = this.#at
    if (from === 0 && chunk.length <= LONGEST_PIECE) {
      this.#chunk = undefined
      return chunk
    }
    this.#at = from + LONGEST_PIECE
    if (this.#at >= chunk.length) this.#chunk = undefined
    return typeof chunk === 'string' ? chunk.slice(from, this.#at) : chunk.subarray(from, this.#at)
  }
}
