// What the headers of the opening handshake are made of, as ws reads them: tokens (RFC 9110, section 5.6.2), between which
// blanks and tabs may stand.

const TOKEN = /[!#$%&'*+\-.0-9A-Z^_`a-z|~]+/y
const BLANKS = /[ \t]*/y

/** Reads one text from its start to its end, and throws a SyntaxError that says where it is not what it should be. */
export class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Whether this character is the next one; the scanner goes on behind it. */
  takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  /** The token that must be here. */
  token(): string {
    const token = this.#take(TOKEN)
    return token === '' ? this.fail() : token
  }

  /** Blanks and tabs that may be here. Behind a token, there must be something after them; `goesOn` says so. */
  blanks(goesOn = false): void {
    if (this.#take(BLANKS) !== '' && goesOn && this.ended) this.fail()
  }

  /** What is between quotes, without the backslashes: a token, too (RFC 6455, section 9.1). The first quote is read. */
  quoted(): string {
    let value = ''
    while (value === '' || !this.takes('"')) {
      this.takes('\\')
      TOKEN.lastIndex = this.#at
      if (!TOKEN.test(this.#text)) this.fail()
      value += this.#text[this.#at++]
    }
    return value
  }

  get ended(): boolean {
    return this.#at === this.#text.length
  }

  /** Says where reading had to stop. */
  fail(): never {
    throw new SyntaxError(this.ended ? 'Unexpected end of input' : `Unexpected character at index ${this.#at}`)
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }
}
