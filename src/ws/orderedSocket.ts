// A socket over which a WebSocket has been opened: what was sent leaves at the end of the turn, or when its peer reads, and whoever
// writes to the socket itself, or ends it, meanwhile does so behind that, as with ws, which writes at once.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whoever sends over a socket at the end of the turn. */
export interface Sends {
  /** Writes what has been sent so far. */
  writeOut(): void
  /** Sends bytes as they are, perhaps none, behind what has been sent so far; calls back when that has left. */
  raw(parts: readonly Uint8Array[], callback: (error: Error | null) => void): void
}

type Written = (error?: Error | null) => void

interface Chunk {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding
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

/** From now on, what somebody else writes to `socket` is sent by `sends`, which writes before the socket is ended. */
export function keepOrder(socket: Socket, sends: Sends): void {
  Reflect.set(socket, adopted, sends)
  Object.setPrototypeOf(socket, orderly(Object.getPrototypeOf(socket)))
  const { _final: final } = socket
  let waiting = 0
  const send = (chunks: readonly Chunk[], written: Written): void => {
    const parts = chunks.filter(({ chunk }) => chunk.length > 0).map(bytesOf)
    const bytes = parts.reduce((length, part) => length + part.length, 0)
    waiting += bytes
    // While little waits, the socket is told so at once: what it is given next must not wait in it, while what is sent does not.
    const isMuch = waiting > socket.writableHighWaterMark
    sends.raw(parts, (error) => {
      waiting -= bytes
      if (isMuch) written(error)
    })
    sends.writeOut()
    if (!isMuch) written()
  }
  socket._write = (chunk: Uint8Array | string, encoding: BufferEncoding, written: Written) =>
    send([{ chunk, encoding }], written)
  socket._writev = send
  socket._final = (written: Written) => sends.raw([], () => final.call(socket, written))
}

function bytesOf({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
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
