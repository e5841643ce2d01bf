// Where the application's mistakes go that nobody else takes: standard error. None of them ends the process, or leaves
// what is under way half done.
import { isThenable, promiseOf } from '../checks/thenable.js'

/** Prints an error, also one whose own code for that fails. */
export function report(error: unknown): void {
  try {
    console.error(error)
  } catch (second) {
    console.error(`millrace: an error of the application can't be shown (${typeof second})`)
  }
}

/** Calls a handler that is told of a failure. If it fails itself, its own error is printed. */
export function tell(handler: () => unknown): void {
  try {
    const result = handler()
    if (isThenable(result)) promiseOf(result).catch(report)
  } catch (second) {
    report(second)
  }
}
