// A message that should be JSON and is none: the peer's fault, like text that is no UTF-8. Where a handler lets the error
// through, its connection is failed with 1007 (RFC 6455, section 7.4.1), and nobody looks for a mistake in the handler.
import type { ErrorCode } from '../checks/errors.js'

/** What `json()` throws: a SyntaxError that is told from the application's own by its class, not by its words. */
export class InvalidJson extends SyntaxError {
  readonly code = 'ERR_INVALID_JSON' satisfies ErrorCode
}

/** Parses the text of a message. Throws an InvalidJson where it is none. */
export function parseJson<Value>(text: string): Value {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidJson(error instanceof Error ? error.message : String(error))
  }
}
