// The subprotocols that a client offers, as ws reads them: a header that is wrong in any part is wrong as a whole.
import { Scanner } from './tokens.js'

/** The names in a Sec-WebSocket-Protocol header, in the client's order. Throws a SyntaxError for what is no list of different tokens. */
export function parse(header: string): Set<string> {
  const names = new Set<string>()
  const scanner = new Scanner(header)
  for (;;) {
    const name = scanner.token()
    scanner.blanks(true)
    const goesOn = scanner.takes(',')
    if (!goesOn && !scanner.ended) scanner.fail()
    if (names.has(name)) throw new SyntaxError(`The "${name}" subprotocol is duplicated`)
    names.add(name)
    if (!goesOn) return names
    scanner.blanks()
  }
}
