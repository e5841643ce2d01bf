// Inflates what a peer has compressed (RFC 7692, section 7.2.2), with zlib, which shares no code with this project's own
// inflater; and sees to it that the peer keeps to the window that was agreed on, which zlib does not look at.
import { Buffer } from 'node:buffer'
import { inflateRawSync } from 'node:zlib'
import { farthestMatch } from './farthestMatch.js'

const TAIL = Buffer.of(0, 0, 0xff, 0xff)

/** A match is looked for in messages of up to so many bytes: walking symbol by symbol is slow. */
const MOST_WALKED = 1 << 18

export class Inflation {
  readonly #takesOver: boolean
  readonly #window: number
  #before = Buffer.alloc(0)

  /** `windowBits` and `takesOver` are those of what the peer compresses. */
  constructor(windowBits: number, takesOver: boolean) {
    this.#takesOver = takesOver
    this.#window = 2 ** windowBits
  }

  /** The message; or what is wrong with it. */
  inflate(payload: Buffer, most: number): Buffer | string {
    const input = Buffer.concat([payload, TAIL])
    // What lies beyond the window may not be referred to, so zlib is not given it either.
    const dictionary = this.#before
    let message: Buffer
    try {
      message = inflateRawSync(input, {
        maxOutputLength: most,
        finishFlush: 2, // Z_SYNC_FLUSH: a compressed message does not end the stream
        ...(dictionary.length > 0 ? { dictionary } : {}),
      })
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return `a compressed message that can't be inflated: ${why} (RFC 7692, section 7.2.2)`
    }
    if (payload.length <= MOST_WALKED && farthestMatch(input) > this.#window)
      return `a match beyond the window of ${this.#window} bytes that was agreed on (RFC 7692, section 7.1.2)`
    if (this.#takesOver) this.#before = Buffer.concat([this.#before, message]).subarray(-this.#window)
    return message
  }
}
