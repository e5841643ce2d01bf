// When a path does what it is there for: at once, after so many messages, or after a time. Until then it echoes.
import { count, time, type ValuesOf } from './parameters.js'
import type { Visit, Visitor } from './socketPath.js'

export const triggerParameters = {
  after: count('messages that are echoed before it happens', undefined),
  wait: time('time that passes before it happens', undefined),
}

/** Calls `act` once, when the first of the two comes true. */
export function triggered(
  { connection, values: { after, wait } }: Visit<ValuesOf<typeof triggerParameters>>,
  act: () => void,
): Visitor {
  let left = after ?? Number.POSITIVE_INFINITY
  let done = false
  let soon: NodeJS.Immediate | undefined
  const once = (): void => {
    clearTimeout(timer)
    if (!done) soon = setImmediate(act) // what was sent in this turn leaves first
    done = true
  }
  const delay = wait ?? (after === undefined || after === 0 ? 0 : undefined)
  const timer = delay === undefined ? undefined : setTimeout(once, delay)
  return {
    message(message) {
      if (done) return
      connection.send(message)
      left--
      if (left === 0) once()
    },
    left() {
      clearTimeout(timer)
      clearImmediate(soon)
    },
  }
}
