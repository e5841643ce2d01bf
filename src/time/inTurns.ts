// Work on many, cut into turns of the event loop: to end thousands of connections at once would keep all others waiting.
import { runOutside } from '../internals/context.js'

/** Milliseconds that one turn takes for it: what is written because of it comes on top. */
const SHARE = 2

/**
 * Calls `work` for each of `items`, for as many as fit into a share of this turn before it returns, and for the rest in
 * turns of their own; then `done`, before it returns if all did fit. Neither may throw.
 */
export function inTurns<Item>(items: Iterable<Item>, work: (item: Item) => void, done = (): void => undefined): void {
  const rest = items[Symbol.iterator]()
  const turn = (): void => {
    const until = performance.now() + SHARE
    do {
      const next = rest.next()
      if (next.done === true) return done()
      work(next.value)
    } while (performance.now() < until)
    setImmediate(() => runOutside(turn))
  }
  turn()
}
