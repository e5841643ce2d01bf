// What becomes of a promise that waits for a connection which has ended: it rejects with this error, which is told apart
// from the application's own by its class. A peer that leaves is no mistake of the application's.
import type { ErrorCode } from '../checks/errors.js'

export class ConnectionEnded extends Error {
  readonly code = 'ERR_CONNECTION_ENDED' satisfies ErrorCode

  /** `before` says what did not happen before the end: 'the pong came', for instance. */
  constructor(before: string) {
    super(`the connection ended before ${before}`)
  }
}

/** Makes a promise that may be ignored: if nobody handles its rejection, that does not end the process. */
export function ignorable<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(() => undefined)
  return promise
}
