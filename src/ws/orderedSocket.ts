// A socket over which a WebSocket has been opened: what was sent leaves at the end of the turn, or when its peer reads, and whoever
// writes to the socket itself, or ends it, meanwhile does so behind that, as with ws, which writes at once.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Whoever sends over a socket at the end of the turn. */
export interface Sends {
  /** Writes what has been sent so far. */
  writeOut(): void
  /** Writes it before everything ends at once. */
  leave(): void
  /** Sends bytes as they are, perhaps none, behind what has been sent so far; calls back when that has left. */
  raw(parts: readonly Uint8Array[], callback: (error: Error | null) => void): void
}

type Written = (error?: Error | null) => void

interface Chunk {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding
}

const adopted = Symbol('webSocket')
const ends = Symbol('ends')
const waiting = Symbol('waiting')

type OrderedSocket = Socket & {
  readonly [adopted]?: Sends
  /** How the socket ends, where that is its own way. */
  readonly [ends]?: Socket['_final']
  /** Bytes of what somebody else wrote that have not left. */
  [waiting]?: number
}

/** The prototypes of sockets in order, by those that they had. */
const prototypes = new WeakMap<object, OrderedSocket>()

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
  const prototype = orderly(Object.getPrototypeOf(socket))
  const { _write, _writev, _final } = prototype
  Reflect.set(socket, adopted, sends)
  if (Object.hasOwn(socket, '_final')) Object.assign(socket, { [ends]: socket._final, _write, _writev, _final })
  Object.setPrototypeOf(socket, prototype)
}

function orderly(base: Socket): OrderedSocket {
  const known = prototypes.get(base)
  if (known !== undefined) return known
  const prototype: OrderedSocket = Object.create(base)
  for (const name of ['write', 'end', 'destroy', 'destroySoon', 'resetAndDestroy']) {
    const method: unknown = Reflect.get(base, name)
    if (typeof method !== 'function') continue
    const value = function (this: Socket, ...values: readonly unknown[]): unknown {
      const sends: unknown = Reflect.get(this, adopted)
      if (!isSends(sends)) return Reflect.apply(method, this, values)
      if (name.endsWith('estroy')) sends.leave()
      else sends.writeOut()
      return Reflect.apply(method, this, name === 'write' ? values.map((each) => calledBehind(sends, each)) : values)
    }
    Object.defineProperty(value, 'name', { value: name })
    Object.defineProperty(prototype, name, { configurable: true, writable: true, value })
  }
  prototype._write = function (this: OrderedSocket, chunk, encoding, written) {
    send(this, [{ chunk, encoding }], written)
  }
  prototype._writev = function (this: OrderedSocket, chunks, written) {
    send(this, chunks, written)
  }
  prototype._final = function (this: OrderedSocket, written) {
    this[adopted]?.raw([], () => (this[ends] ?? base._final).call(this, written))
  }
  prototypes.set(base, prototype)
  return prototype
}

function send(socket: OrderedSocket, chunks: readonly Chunk[], written: Written): void {
  const sends = socket[adopted]
  const parts = chunks.filter(({ chunk }) => chunk.length > 0).map(bytesOf)
  const bytes = parts.reduce((length, part) => length + part.length, 0)
  const before = socket[waiting] ?? 0
  socket[waiting] = before + bytes
  // While little waits, the socket is told so at once: what it is given next must not wait in it, while what is sent does not.
  const isMuch = before + bytes > socket.writableHighWaterMark
  sends?.raw(parts, (error) => {
    socket[waiting] = (socket[waiting] ?? 0) - bytes
    if (isMuch) written(error)
  })
  sends?.writeOut()
  if (!isMuch) written()
}

/** The socket calls back when it has handed on what was written: the program's callback is called when that has left. */
function calledBehind(sends: Sends, value: unknown): unknown {
  if (typeof value !== 'function') return value
  const written = value as Written
  return (error?: Error | null): void => (error ? written(error) : sends.raw([], written))
}

function bytesOf({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

function isSends(value: unknown): value is Sends {
  return typeof value === 'object' && value !== null
}
