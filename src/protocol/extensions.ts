// The value of a Sec-WebSocket-Extensions header (RFC 6455, section 9.1): extensions with their parameters, in the order
// of preference. A peer writes it, so nothing here throws, and each character is read a bounded number of times.

/** A parameter of an extension. */
export interface Parameter {
  readonly name: string
  /** Without its quotes, if it has any; undefined for a parameter that is only a name. */
  readonly value: string | undefined
}

/** An extension, as a client offers it or a server answers it. */
export interface Extension {
  readonly name: string
  readonly parameters: readonly Parameter[]
}

/** No extension that is registered has more than four. An element with more is as if it could not be read. */
const MOST_PARAMETERS = 16

const [TAB, BLANK, QUOTE, COMMA, SEMICOLON, EQUALS, BACKSLASH] = [9, 32, 34, 44, 59, 61, 92]

/** The characters of a token (RFC 9110, section 5.6.2), by their codes. */
const inToken = new Uint8Array(128)
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  inToken[character.charCodeAt(0)] = 1
}

/**
 * The extensions of a header, one after the other. An element that does not keep the grammar is undefined, and takes
 * none of the others with it. Empty elements count for nothing (RFC 9110, section 5.6.1.2).
 */
export function* extensionsIn(header: string): Generator<Extension | undefined, void> {
  const reader = new Reader(header)
  while (reader.nextElement()) yield reader.extension()
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Goes to the next element that is not empty; false if there is none. */
  nextElement(): boolean {
    do this.#blanks()
    while (this.#take(COMMA))
    return this.#at < this.#text.length
  }

  /** The element that begins here, up to its comma. */
  extension(): Extension | undefined {
    const start = this.#at
    const name = this.#token()
    const parameters = name === '' ? undefined : this.#parameters()
    if (parameters !== undefined && (this.#at === this.#text.length || this.#peek() === COMMA)) {
      return { name, parameters }
    }
    this.#skipElement(start)
    return undefined
  }

  #parameters(): readonly Parameter[] | undefined {
    const parameters: Parameter[] = []
    this.#blanks()
    while (this.#take(SEMICOLON)) {
      const parameter = this.#parameter()
      if (parameter === undefined || parameters.length === MOST_PARAMETERS) return undefined
      parameters.push(parameter)
    }
    return parameters
  }

  /** Blanks may stand on both sides of each separator (RFC 2616, section 2.1, which RFC 6455 goes by). */
  #parameter(): Parameter | undefined {
    this.#blanks()
    const name = this.#token()
    this.#blanks()
    if (name === '') return undefined
    if (!this.#take(EQUALS)) return { name, value: undefined }
    this.#blanks()
    const value = this.#peek() === QUOTE ? this.#quoted() : this.#token()
    this.#blanks()
    return value === '' ? undefined : { name, value }
  }

  /** A token; empty if none begins here. */
  #token(): string {
    const start = this.#at
    while (inToken[this.#peek()] === 1) this.#at++
    return this.#text.slice(start, this.#at)
  }

  /** A quoted string without its quotes and backslashes. What is left must be a token (section 9.1); otherwise it is empty. */
  #quoted(): string {
    const start = ++this.#at
    let escaped = false
    for (; this.#at < this.#text.length && this.#peek() !== QUOTE; this.#at++) {
      if (this.#peek() === BACKSLASH) {
        escaped = true
        this.#at++
      }
      if (inToken[this.#peek()] !== 1) return ''
    }
    const value = this.#text.slice(start, this.#at)
    if (!this.#take(QUOTE)) return ''
    return escaped ? value.replaceAll('\\', '') : value
  }

  /** Goes to the comma that ends the element that begins at `start`: the first one that is in no quotes. */
  #skipElement(start: number): void {
    let quoted = false
    for (this.#at = start; this.#at < this.#text.length; this.#at++) {
      const code = this.#peek()
      if (code === COMMA && !quoted) return
      if (code === QUOTE) quoted = !quoted
      else if (code === BACKSLASH && quoted) this.#at++
    }
  }

  #blanks(): void {
    while (this.#peek() === BLANK || this.#peek() === TAB) this.#at++
  }

  #take(code: number): boolean {
    if (this.#peek() !== code) return false
    this.#at++
    return true
  }

  /** The code of the next character; NaN at the end. */
  #peek(): number {
    return this.#text.charCodeAt(this.#at)
  }
}
