// Where the workers of a cluster accept for themselves, Node's primary closes a listening handle with the last worker that
// has it, and opens another one for the next: in between, connections are refused. A handle that is kept here stays open in
// the primary, so connections wait in the queue of the system until there is a worker again.
import net from 'node:net'
import { bindings } from './node.js'

/** What Node makes for all workers that listen in one place: bound, and listening as soon as a worker does. */
interface SharedHandle {
  close(done?: () => void): void
  getsockname?(out: { port?: number }): number
}

type Create = (address: string | null, port: number, type: number | string, fd?: number, flags?: number) => unknown

interface Kept {
  readonly handle: SharedHandle
  /** Whether Node has closed it: no worker has it. */
  spare: boolean
}

const NAME = '_createServerHandle'

/**
 * From now on, ports stay open while no worker listens. The answer ends that, and closes those that no worker has. Where the
 * private API is missing, nothing is kept.
 */
export function keepPorts(): () => void {
  const create: unknown = Reflect.get(net, NAME)
  if (typeof create !== 'function' || bindings() === undefined) return () => undefined
  const kept = new Map<string, Kept>()
  const keeping: Create = (address, port, type, fd, flags) => {
    const known = kept.get(keyOf(address, port, type, fd))
    if (known?.spare) {
      known.spare = false
      return known.handle
    }
    const made: unknown = Reflect.apply(create, net, [address, port, type, fd, flags])
    if (isHandle(made)) keep(made, kept, (bound) => keyOf(address, bound ?? port, type, fd))
    return made
  }
  Reflect.set(net, NAME, keeping)
  return () => {
    if (Reflect.get(net, NAME) === keeping) Reflect.set(net, NAME, create)
    for (const { handle, spare } of kept.values()) {
      Reflect.deleteProperty(handle, 'close')
      if (spare) handle.close()
    }
    kept.clear()
  }
}

/** The handle's own `close` stands before that of its kind, for as long as it is kept. */
function keep(handle: SharedHandle, all: Map<string, Kept>, keyFor: (port: number | undefined) => string): void {
  const out: { port?: number } = {}
  handle.getsockname?.(out)
  const entry = { handle, spare: false }
  all.set(keyFor(out.port), entry)
  handle.close = (done) => {
    entry.spare = true
    if (done !== undefined) setImmediate(done)
  }
}

function isHandle(made: unknown): made is SharedHandle {
  return typeof made === 'object' && made !== null && typeof Reflect.get(made, 'close') === 'function'
}

/** The place of a handle: an acceptor that takes the place of another asks for the port that the first one was given. */
function keyOf(address: string | null, port: number, type: number | string, fd: number | undefined): string {
  return JSON.stringify([address, port, type, fd ?? -1])
}
