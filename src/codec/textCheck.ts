// A look at text that comes in pieces: whether it is UTF-8 (RFC 6455, section 8.1), and whether it is ASCII.
import type { CodecExports } from './instance.js'
import { UTF8_REJECTED } from './wasm.generated.js'

/** How far a look at text has come, for another thread that goes on with it. */
export interface TextProgress {
  readonly state: number
  readonly isAscii: boolean
}

export class TextCheck {
  readonly #codec: { readonly call: CodecExports }
  /** Whether text may be any bytes. */
  readonly anything: boolean
  /** Whether the message is text: at others, nobody looks. */
  isText = true
  /** The state of the automaton; 0 is between two characters. */
  #state = 0
  #isAscii: boolean

  constructor(codec: { readonly call: CodecExports }, anything = false) {
    this.#codec = codec
    this.anything = anything
    this.#isAscii = !anything
  }

  /** Whether no character is cut. */
  get isWhole(): boolean {
    return this.#state === 0
  }

  /** Whether every byte is below 0x80. */
  get isAscii(): boolean {
    return this.#isAscii
  }

  /** How far it has come; undefined for what may be any bytes, at which nobody looks. */
  get progress(): TextProgress | undefined {
    return this.anything || !this.isText ? undefined : { state: this.#state, isAscii: this.#isAscii }
  }

  /** Goes on where another thread has come to; false if what it has seen is no UTF-8. */
  goesOn({ state, isAscii }: TextProgress): boolean {
    this.#state = state
    this.#isAscii = isAscii
    return state !== UTF8_REJECTED
  }

  /** A message begins. */
  begin(isText = true): void {
    this.isText = isText
    this.#state = 0
    this.#isAscii = isText && !this.anything // what nobody looks at is not known to be ASCII
  }

  /** The next bytes of the message; false if it is text, and no UTF-8. */
  takes(pointer: number, length: number): boolean {
    if (this.anything || !this.isText) return true
    const { call } = this.#codec
    const isWide = call.mask(pointer, pointer, length, 0) !== 0
    if (isWide) this.#isAscii = false
    if (isWide || this.#state !== 0) this.#state = call.validate(this.#state, pointer, length)
    return this.#state !== UTF8_REJECTED
  }
}
