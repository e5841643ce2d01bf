// What the headers of the opening handshake are made of, as ws reads them: tokens (RFC 9110, section 5.6.2), between which
// blanks and tabs may stand.

/** One character of a token, for regular expressions. */
export const TOKEN_CHARACTER = "[!#$%&'*+\\-.0-9A-Z^_`a-z|~]"

/** Blanks and tabs, for regular expressions. */
export const BLANKS = '[ \\t]*'

/** Reads one text from its start to its end. What is expected and is not there, is told by undefined. */
export class Scanner {
  readonly text: string
  #at = 0

  constructor(text: string) {
    this.text = text
  }

  /** What the sticky expression finds here; the scanner goes on behind it. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.text)
    if (found === null) return undefined
    this.#at = pattern.lastIndex
    return found
  }

  get ended(): boolean {
    return this.#at === this.text.length
  }

  /** The error that tells where reading had to stop. */
  get error(): SyntaxError {
    return new SyntaxError(this.ended ? 'Unexpected end of input' : `Unexpected character at index ${this.#at}`)
  }
}
