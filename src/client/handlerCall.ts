// Calls a handler where no connection beneath does: amid an outage. What it throws goes the way of all handlers' mistakes.
import { isThenable, promiseOf } from '../checks/thenable.js'
import type { Connection } from '../connection/connection.js'
import type { Handlers } from '../connection/handlers.js'
import { report, tell } from '../internals/report.js'

/** Does `work`, which calls a handler; its error is told to the handler `error`, and printed where there is none. */
export function callHandler<Data>(handlers: Handlers<Data>, connection: Connection<Data>, work: () => unknown): void {
  const failed = (error: unknown): void =>
    handlers.error === undefined ? report(error) : tell(() => handlers.error?.(connection, error))
  try {
    const result = work()
    if (isThenable(result)) promiseOf(result).catch(failed)
  } catch (error) {
    failed(error)
  }
}
