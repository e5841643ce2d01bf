// A socket over which a WebSocket has been opened: what was sent leaves at the end of the turn, and whoever writes to the socket
// itself, or ends it, meanwhile does so behind that, as with ws, which writes at once.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whoever sends over a socket at the end of the turn. */
export interface Sends {
  /** Writes what has been sent so far. */
  writeOut(): void
}

const adopted = Symbol('webSocket')

/** The prototypes of sockets in order, by those that they had. */
const prototypes = new WeakMap<object, object>()

/** Whether a WebSocket has been opened over this socket. */
export function isAdopted(socket: Duplex): boolean {
  return Reflect.get(socket, adopted) !== undefined
}

/** A WebSocket has been opened over this socket, or is about to be. */
export function setAdopted(socket: Duplex): void {
  Reflect.set(socket, adopted, true)
}

/** From now on `sends` writes before somebody else writes to `socket`, or ends it. */
export function keepOrder(socket: Socket, sends: Sends): void {
  Reflect.set(socket, adopted, sends)
  Object.setPrototypeOf(socket, orderly(Object.getPrototypeOf(socket)))
}

function orderly(base: object): object {
  const known = prototypes.get(base)
  if (known !== undefined) return known
  const prototype = Object.create(base)
  for (const name of ['write', 'end', 'destroy', 'destroySoon', 'resetAndDestroy']) {
    const method: unknown = Reflect.get(base, name)
    if (typeof method !== 'function') continue
    const value = function (this: Socket, ...values: readonly unknown[]): unknown {
      const sends: unknown = Reflect.get(this, adopted)
      if (isSends(sends)) sends.writeOut()
      return Reflect.apply(method, this, values)
    }
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value })
  }
  prototypes.set(base, prototype)
  return prototype
}

function isSends(value: unknown): value is Sends {
  return typeof value === 'object' && value !== null
}
