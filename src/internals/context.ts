// Work that is put off must not run in the async context of whoever happened to put it off: a handler's
// AsyncLocalStorage store is its own request's, and would show up in another connection's handlers.
// And what comes from the socket comes outside of every context: a connection's own must be kept, if it has one.
import { AsyncResource } from 'node:async_hooks'

/** Where Node keeps a resource's stores: under one symbol until Node 22, under the other since. */
const STORES = /kResourceStore|context_frame/

/** A resource without the context in which this module happens to be loaded, perhaps a handler's. */
function emptyContext(): AsyncResource {
  const resource = new AsyncResource('Millrace')
  for (const symbol of storesOf(resource)) Reflect.set(resource, symbol, undefined)
  return resource
}

const outside = emptyContext()

/** Runs `work` outside of every request's context, as what comes from the socket does. */
export function runOutside(work: () => void): void {
  outside.runInAsyncScope(work)
}

/** Runs `work` in the context of now, and keeps what it enters to itself. */
export function runScoped<Result>(work: () => Result): Result {
  return new AsyncResource('Millrace').runInAsyncScope(work)
}

/** The context of now, to be run in later; undefined where nobody has put anything into it. */
export function currentContext(): AsyncResource | undefined {
  const resource = new AsyncResource('Millrace')
  return storesOf(resource).some((symbol) => holdsAnything(Reflect.get(resource, symbol))) ? resource : undefined
}

function storesOf(resource: AsyncResource): symbol[] {
  return Object.getOwnPropertySymbols(resource).filter((symbol) => STORES.test(symbol.description ?? ''))
}

/** Since Node 24, a resource holds a map of all stores. */
function holdsAnything(stores: unknown): boolean {
  return stores instanceof Map ? [...stores.values()].some((store) => store !== undefined) : stores !== undefined
}
