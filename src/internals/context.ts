// Work that is put off must not run in the async context in which it happened to be put off: a handler's
// AsyncLocalStorage store is its own request's, and would show up in another connection's handlers.
// And what comes from the socket comes outside of every context: a connection's own must be kept, if it has one.
import { AsyncLocalStorage, AsyncResource, executionAsyncResource } from 'node:async_hooks'
import { runtime } from './runtime.js'

/** Where Node keeps a resource's stores: under one symbol until Node 22, under the other since. */
const FRAME = 'context_frame'
const STORES = /kResourceStore|context_frame/

/** Symbols of resources that hold no stores: asking their names each time would cost more than all the rest. */
const others = new Set<symbol>()

/**
 * Runs `work` with an empty async context. The resource is a new one, because until Node 22, whatever `work` enters with
 * enterWith stays in the resource.
 */
export function runOutside<Result>(work: () => Result): Result {
  const resource = newResource()
  for (const symbol of storesOf(resource)) Reflect.set(resource, symbol, undefined)
  return resource.runInAsyncScope(work)
}

/** Runs `work` in a context that was kept, and keeps what it enters to itself. */
export function runInContext<Result>(context: AsyncResource, work: () => Result): Result {
  return context.runInAsyncScope(newResource).runInAsyncScope(work)
}

/** Runs `work` in the context of now, and keeps what it enters to itself. */
export function runScoped<Result>(work: () => Result): Result {
  return newResource().runInAsyncScope(work)
}

/** The context of now, to be run in later; undefined where nobody has put anything into it. */
export function currentContext(): AsyncResource | undefined {
  if (copiesStores() && !holdsStores(executionAsyncResource())) return undefined // without a resource of its own
  const resource = newResource()
  return holdsStores(resource) ? resource : undefined
}

/**
 * Whether a handle that was accepted is in no context, and stays so as long as nobody enters one: until Node 22, it gets the stores
 * of the program itself, which may enter a context while it listens. False where nobody can see them.
 */
export function isOutside(accepted: object): boolean {
  return copiesStores() && !holdsStores(accepted)
}

function holdsStores(resource: object): boolean {
  for (const symbol of Object.getOwnPropertySymbols(resource))
    if (isStores(symbol) && holdsAnything(symbol, Reflect.get(resource, symbol))) return true
  return false
}

let copies: boolean | undefined

/** Whether a new resource gets the stores of the one that it is made in (until Node 22), so that this one can be asked. */
function copiesStores(): boolean {
  copies ??= runtime === 'node' && storesOf(newResource()).every((symbol) => symbol.description !== FRAME)
  return copies
}

/**
 * Whether Node keeps contexts as frames (from Node 24 on, and before with an option), and not as properties of resources, each
 * of which an AsyncLocalStorage has under a name of its own. Then node:http tells of an upgrade in the context of its connection.
 */
export function keepsFrames(): boolean {
  frames ??= !('kResourceStore' in new AsyncLocalStorage())
  return frames
}

let frames: boolean | undefined

function newResource(): AsyncResource {
  return new AsyncResource('Millrace')
}

function storesOf(resource: object): symbol[] {
  return Object.getOwnPropertySymbols(resource).filter(isStores)
}

/** Whether a resource's stores are under a symbol; this is asked for each symbol of each connection's resource. */
function isStores(symbol: symbol): boolean {
  if (others.has(symbol)) return false
  if (STORES.test(symbol.description ?? '')) return true
  others.add(symbol)
  return false
}

/** Under its symbol is a store itself, perhaps a Map of the application's, or since Node 24 the map of all stores. */
function holdsAnything(symbol: symbol, stores: unknown): boolean {
  if (symbol.description !== FRAME || stores === undefined) return stores !== undefined
  // Node's map is no instance of the global Map, but has its methods.
  return [...Map.prototype.values.call(stores)].some((store) => store !== undefined)
}
