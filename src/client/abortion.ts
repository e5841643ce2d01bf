// Being told of an abort: one listener for each signal, however many attempts and connections have been given it. Node.js
// warns of a leak from the eleventh listener on.

const told = new WeakMap<AbortSignal, Set<() => void>>()

/** Calls `aborted` when the signal is aborted, at once if it is already. What is returned takes that back. */
export function whenAborted(signal: AbortSignal, aborted: () => void): () => void {
  if (signal.aborted) {
    aborted()
    return () => undefined
  }
  const all = told.get(signal) ?? listening(signal)
  const own = (): void => aborted() // the same function may be given twice
  all.add(own)
  return () => {
    all.delete(own)
    if (all.size === 0) forget(signal, all)
  }
}

const listeners = new WeakMap<Set<() => void>, () => void>()

function listening(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>()
  const listener = (): void => {
    told.delete(signal)
    for (const aborted of all) aborted()
  }
  told.set(signal, all)
  listeners.set(all, listener)
  signal.addEventListener('abort', listener, { once: true })
  return all
}

function forget(signal: AbortSignal, all: Set<() => void>): void {
  const listener = listeners.get(all)
  if (listener !== undefined) signal.removeEventListener('abort', listener)
  if (told.get(signal) === all) told.delete(signal)
}
