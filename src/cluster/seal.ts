// How the primary and an acceptor know each other's messages among the application's, on the one channel that there is.
// Each acceptor has a secret of its own in its environment. From it, both sides count the same words, one for each
// message and direction. A word is good once, so a listener who sees a message can't make another.
import { createHmac, randomBytes } from 'node:crypto'

/** Which side speaks. */
export type Speaker = 'primary' | 'acceptor'

/** Where the word stands in a message. */
const WORD = 'millrace'

/** A message between the two. */
export interface Sealed<Content> {
  readonly [WORD]: string
  readonly content: Content
}

/** A secret that nobody can guess. */
export function makeSecret(): string {
  return randomBytes(32).toString('base64url')
}

/** One direction of a channel, on either of its sides. */
export class Seal {
  readonly #secret: string
  readonly #speaker: Speaker
  /** Messages so far. The channel loses none and keeps their order. */
  #count = 0
  #word: string

  constructor(secret: string, speaker: Speaker) {
    this.#secret = secret
    this.#speaker = speaker
    this.#word = this.#next()
  }

  /** What to send. */
  seal<Content>(content: Content): Sealed<Content> {
    const sealed = { [WORD]: this.#word, content } as const
    this.#word = this.#next()
    return sealed
  }

  /** What a message held, if it is the next one of this direction; undefined for all others. Never throws. */
  open(message: unknown): unknown {
    try {
      if (typeof message !== 'object' || message === null) return undefined
      const { [WORD]: word, content } = message as Partial<Sealed<unknown>>
      if (word !== this.#word) return undefined
      this.#word = this.#next()
      return content
    } catch {
      return undefined // a getter of the application's has thrown
    }
  }

  #next(): string {
    return createHmac('sha256', this.#secret)
      .update(`${this.#speaker} ${this.#count++}`)
      .digest('base64url')
  }
}
