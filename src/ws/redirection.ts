// What `millrace/ws/register` and the module that it puts in the place of ws know of each other.

/** The bare specifier that is redirected; `ws/lib/…` and the like are not. */
export const SPECIFIER = 'ws'

/** The module that is handed out instead. */
export const TARGET: string = new URL('./registered.js', import.meta.url).href

/** Where ws has been asked for: from there it is looked for, where a client needs it. */
export const askers = new Set<string>()

let looking = false

/** Does what must find ws itself. */
export function lookingForItself<Result>(work: () => Result): Result {
  looking = true
  try {
    return work()
  } finally {
    looking = false
  }
}

/** Most askers that are remembered. */
const MOST_ASKERS = 64

/** Notes who asks, and says whether it is given this project's module. */
export function redirects(specifier: string, asker: string | undefined): boolean {
  if (looking || specifier !== SPECIFIER) return false
  if (asker !== undefined && askers.size < MOST_ASKERS) askers.add(asker)
  return true
}
