// A message that should be JSON and is none: the peer's fault, like text that is no UTF-8. Where a handler lets the error
// through, its connection is failed with 1007 (RFC 6455, section 7.4.1), and nobody looks for a mistake in the handler.
// The error knows which connection sent the message: if it leaves a handler of another connection, that handler has made a
// mistake.
import type { ErrorCode } from '../checks/errors.js'

/** What `json()` throws: a SyntaxError that is told from the application's own by its class, not by its words. */
export class InvalidJson extends SyntaxError {
  readonly code = 'ERR_INVALID_JSON' satisfies ErrorCode
  readonly #source: object

  /** Makes the error for a message from `source`, whose identity tells it from others. */
  constructor(message: string, source: object) {
    super(message)
    this.#source = source
  }

  /** Whether `error` is an InvalidJson about a message from `source`. */
  static isFrom(error: unknown, source: object): boolean {
    return error instanceof InvalidJson && error.#source === source
  }
}

/** Parses the text of a message from `source`. Throws an InvalidJson if the text is not JSON. */
export function parseJson<Value>(text: string, source: object): Value {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidJson(error instanceof Error ? error.message : String(error), source)
  }
}
