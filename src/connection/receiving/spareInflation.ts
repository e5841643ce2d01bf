// Where messages do not refer to each other, one inflation of the thread does for those of all connections: each would leave
// some garbage else.
import { Inflation } from './inflation.js'
import type { InflationParts, InflationTarget } from './inflationParts.js'

/** Nobody uses it. Whoever does takes it from here: a message that is under way meanwhile has one of its own. */
let spare: Inflation | undefined

/** Inflates the messages of a connection, or its next one where they do not refer to each other. Throws OutOfMemory. */
export function openInflation(target: InflationTarget, parts: InflationParts): Inflation {
  const found = spare
  if (parts.inflation.takesOver || found?.reopen(target, parts) !== true) return new Inflation(target, parts)
  spare = undefined
  return found
}

/** Its message is done, and was handed out. */
export function leaveInflation(inflation: Inflation): undefined {
  if (inflation.rest() && spare === undefined) spare = inflation
  else inflation.free()
}
