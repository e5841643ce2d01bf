// The subprotocols that a client offers, as ws reads them: a header that is wrong in any part is wrong as a whole.
import { BLANKS, Scanner, TOKEN_CHARACTER } from './tokens.js'

const NAME = new RegExp(`${TOKEN_CHARACTER}+`, 'y')
const COMMA = new RegExp(`${BLANKS},${BLANKS}`, 'y')

/** The names in a Sec-WebSocket-Protocol header, in the client's order. Throws a SyntaxError for what is no list of different tokens. */
export function parse(header: string): Set<string> {
  const names = new Set<string>()
  const scanner = new Scanner(header)
  do {
    const name = scanner.take(NAME)?.[0]
    if (name === undefined) throw scanner.error
    if (names.has(name)) throw new SyntaxError(`The "${name}" subprotocol is duplicated`)
    names.add(name)
  } while (scanner.take(COMMA) !== undefined)
  if (!scanner.ended) throw scanner.error
  return names
}
