// Work that is put off must not run in the async context of whoever happened to put it off: a handler's
// AsyncLocalStorage store is its own request's, and would show up in another connection's handlers.
import { AsyncResource } from 'node:async_hooks'

/** Made while the module loads, before anybody's context. */
const outside = new AsyncResource('Millrace')

/** Runs `work` outside of every request's context, as what comes from the socket does. */
export function runOutside(work: () => void): void {
  outside.runInAsyncScope(work)
}
