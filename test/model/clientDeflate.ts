// How a client of the model compresses and inflates, by what the server has answered: with zlib, and each message at once.
import type { Buffer } from 'node:buffer'
import type { Random } from '../support/random.js'
import { ZlibDeflating, ZlibInflating } from '../support/zlibStreams.js'

/** What clients offer. */
export const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=9; server_max_window_bits=9',
  'permessage-deflate; server_max_window_bits=15; client_no_context_takeover',
  'permessage-deflate; server_no_context_takeover; client_max_window_bits',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
] as const

export class ClientDeflate {
  readonly #deflating: ZlibDeflating
  readonly #inflating: ZlibInflating

  /** `answer` is the extension as the server has agreed to it. */
  constructor(answer: string, random: Random) {
    const bits = (name: string): number => Number(new RegExp(`${name}_max_window_bits=(\\d+)`).exec(answer)?.[1] ?? 15)
    this.#deflating = new ZlibDeflating(
      random.pick([1, 1, 6]),
      Math.max(9, bits('client')),
      !answer.includes('client_no_context_takeover'),
    )
    this.#inflating = new ZlibInflating(bits('server'), !answer.includes('server_no_context_takeover'))
  }

  /** The payload of a compressed message. */
  deflate(payload: Buffer): Buffer {
    return this.#deflating.message(payload)
  }

  /** What a compressed message says. Throws for one that is no DEFLATE. */
  readonly inflate = (payload: Buffer): Buffer => this.#inflating.message(payload)

  free(): void {
    this.#deflating.free()
    this.#inflating.free()
  }
}
