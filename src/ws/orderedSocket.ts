// A socket over which a WebSocket has been opened: what was sent leaves at the end of the turn, or when its peer reads, and whoever
// writes to the socket itself, or ends it, meanwhile does so behind that, as with ws, which writes at once.
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { defaultEncodingOf } from '../internals/streamState.js'
import { callbackOf } from './callbackOf.js'

/** Whoever sends over a socket at the end of the turn. */
export interface Sends {
  /** What has not left. */
  readonly outgoing: { readonly buffered: number }
  /** Writes what has been sent so far. */
  writeOut(): void
  /** Writes it before everything ends at once. */
  leave(): void
  /** Sends bytes as they are, perhaps none, behind what has been sent so far; calls back when that has left. */
  raw(parts: readonly Uint8Array[], callback: ((error: Error | null) => void) | undefined): void
  /** The socket has been ended by somebody else. */
  socketEnds(socket: Socket): void
}

type Written = (error?: Error | null) => void

interface Chunk {
  readonly chunk: Uint8Array | string
  readonly encoding: BufferEncoding
}

const adopted = Symbol('webSocket')
const ends = Symbol('ends')

type OrderedSocket = Socket & {
  readonly [adopted]?: Sends
  /** How the socket ends, where that is its own way. */
  readonly [ends]?: Socket['_final']
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
  for (const name of ['end', 'destroy', 'destroySoon', 'resetAndDestroy']) {
    const method: unknown = Reflect.get(base, name)
    if (typeof method !== 'function') continue
    const value = function (this: Socket, ...values: readonly unknown[]): unknown {
      const sends: unknown = Reflect.get(this, adopted)
      if (!isSends(sends)) return Reflect.apply(method, this, values)
      if (name.endsWith('estroy')) sends.leave()
      else sends.writeOut()
      return Reflect.apply(method, this, values)
    }
    define(prototype, name, value)
  }
  const { write } = base
  define(prototype, 'write', function (this: OrderedSocket, ...values: readonly unknown[]): unknown {
    const sends: unknown = Reflect.get(this, adopted)
    const [chunk, second, third] = values
    const isBytes = typeof chunk === 'string' || chunk instanceof Uint8Array
    if (!isSends(sends) || !isBytes || !this.writable) return Reflect.apply(write, this, values)
    const encoding = typeof second === 'string' ? (second as BufferEncoding) : defaultEncodingOf(this)
    return sendNext(this, sends, bytesOf({ chunk, encoding }), callbackOf(second) ?? third)
  })
  addLength(prototype, base)
  prototype._write = function (this: OrderedSocket, chunk, encoding, written) {
    send(this, [{ chunk, encoding }], written)
  }
  prototype._writev = function (this: OrderedSocket, chunks, written) {
    send(this, chunks, written)
  }
  prototype._final = function (this: OrderedSocket, written) {
    this[adopted]?.raw([], () => (this[ends] ?? base._final).call(this, written))
    this[adopted]?.socketEnds(this)
  }
  prototypes.set(base, prototype)
  return prototype
}

function define(prototype: OrderedSocket, name: string, value: (...values: never[]) => unknown): void {
  Object.defineProperty(value, 'name', { value: name })
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value })
}

/** What has been sent, and has not left, would wait in the socket: a program asks there how much it is. */
function addLength(prototype: OrderedSocket, base: Socket): void {
  const get = function (this: OrderedSocket): number {
    const sends: unknown = Reflect.get(this, adopted)
    const own = Number(Reflect.get(base, 'writableLength', this))
    if (!isSends(sends)) return own
    sends.writeOut()
    return own + sends.outgoing.buffered
  }
  Object.defineProperty(prototype, 'writableLength', { configurable: true, get })
}

/** Nothing waits in the socket, or it would come behind what is sent next: returns what its `write` would. */
function sendNext(socket: OrderedSocket, sends: Sends, bytes: Uint8Array, written: unknown): boolean {
  sends.raw(bytes.length > 0 ? [bytes] : [], typeof written === 'function' ? (written as Written) : undefined)
  sends.writeOut()
  const { buffered } = sends.outgoing
  return buffered === 0 || buffered < socket.writableHighWaterMark // or 'drain' is told when all has left
}

/** What the socket writes of its own accord: with its end, or where a program has kept the `write` that it had before. */
function send(socket: OrderedSocket, chunks: readonly Chunk[], written: Written): void {
  const sends = socket[adopted]
  const parts = chunks.filter(({ chunk }) => chunk.length > 0).map(bytesOf)
  sends?.raw(parts, undefined)
  sends?.writeOut()
  written()
}

function bytesOf({ chunk, encoding }: Chunk): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk
}

function isSends(value: unknown): value is Sends {
  return typeof value === 'object' && value !== null
}
