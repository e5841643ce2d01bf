// Work that is put off must not run in the async context of whoever happened to put it off: a handler's
// AsyncLocalStorage store is its own request's, and would show up in another connection's handlers.
import { AsyncResource } from 'node:async_hooks'

/** Where Node keeps a resource's stores: under one symbol until Node 22, under the other since. */
const STORES = /kResourceStore|context_frame/

/** A resource without the context in which this module happens to be loaded, perhaps a handler's. */
function emptyContext(): AsyncResource {
  const resource = new AsyncResource('Millrace')
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    if (STORES.test(symbol.description ?? '')) Reflect.set(resource, symbol, undefined)
  }
  return resource
}

const outside = emptyContext()

/** Runs `work` outside of every request's context, as what comes from the socket does. */
export function runOutside(work: () => void): void {
  outside.runInAsyncScope(work)
}
