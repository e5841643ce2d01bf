// The transport of a socket whose program may write to it, too, where the private API is missing: what is sent passes the buffers
// of the socket by, to the method by which its class writes, so that whoever keeps the order knows what has not left. That method
// is given one write at a time.
import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import { codecOfThread } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { runtime } from '../internals/runtime.js'
import { isSecure } from '../internals/tls.js'
import { DuplexTransport } from './duplex.js'
import { PENDING, type Receiver, WRITTEN } from './transport.js'

type Written = (error?: Error | null) => void

/** Bytes of a piece. */
const PIECE = 256 * 1024

/** Shorter writes over TLS are copied: a TLS socket says of each that it waits, and the memory is soon needed again. */
const SHORT = 16 * 1024

/** The mark behind what a socket was given before. */
const NOTHING = Buffer.alloc(0)

/**
 * Whether nothing comes between a stream and what it is given, so that it may be written to by the methods of its class. Those of Bun
 * do nothing outside of its streams.
 */
export function isPlainlyWritten(stream: unknown): stream is Socket {
  return (
    runtime !== 'bun' &&
    stream instanceof Socket &&
    stream.write === Socket.prototype.write &&
    !Object.hasOwn(stream, '_write')
  )
}

export class SocketTransport extends DuplexTransport {
  readonly #socket: Socket
  readonly #secure: boolean
  readonly #methods: Pick<Socket, '_write' | '_writev' | '_final'>
  #receiver: Receiver | undefined
  /** The part of the write under way that the socket has not been given yet: memory of the codec's, or views. */
  #pointer = 0
  #remaining = 0
  #views: readonly Uint8Array[] | undefined
  /** Bytes of the piece that the socket has been given; whether it has not said that this is done; and whether the connection waits for that. */
  #given = 0
  #busy = false
  #owed = false
  #closed = false
  /** The end of the socket, which waits until it is done with what it was given. */
  #final: (() => void) | undefined

  constructor(socket: Socket) {
    super(socket)
    this.#socket = socket
    this.#secure = isSecure(socket)
    const { _write, _writev, _final } = socket
    this.#methods = { _write, _final, ...(_writev && { _writev }) }
  }

  override get unsent(): number {
    return this.#given + this.#remaining + lengthOf(this.#views ?? [])
  }

  override open(receiver: Receiver): void {
    const socket = this.#socket
    this.#receiver = receiver
    this.#busy = socket.writableLength > 0
    socket._final = (written) => this.#whenDone(() => this.#methods._final.call(socket, written))
    if (this.#busy) socket.write(NOTHING, () => this.#done(WRITTEN))
    super.open(receiver)
    receiver.alsoOf?.(socket)
    if (this.#busy) this.#leavesFirst()
  }

  /**
   * What the socket was given before has its place: whoever keeps the order would send it behind all else. The mark behind it is not
   * written: over TLS, Deno fails where it is given nothing.
   */
  #leavesFirst(): void {
    const socket = this.#socket
    const { _write, _writev } = socket
    socket._write = (chunk, encoding, written) => {
      if (chunk !== NOTHING) return this.#methods._write.call(socket, chunk, encoding, written)
      Object.assign(socket, { _write, _writev })
      written()
    }
    Object.assign(socket, { _writev: undefined })
  }

  override write(pointer: number, length: number): number {
    this.#pointer = pointer
    this.#remaining = length
    return this.#begin()
  }

  override writeViews(views: readonly Uint8Array[]): number {
    this.#views = views
    return this.#begin()
  }

  override close(): void {
    this.#closes()
    super.close()
  }

  override reset(): void {
    this.#closes()
    super.reset()
  }

  #closes(): void {
    this.#closed = true
    this.#forget()
  }

  #forget(): void {
    this.#remaining = 0
    this.#views = undefined
    this.#owed = false
  }

  #begin(): number {
    const status = this.#closed || this.#socket.destroyed ? -1 : this.#busy ? PENDING : this.#giveAll()
    if (status < 0) this.#forget()
    this.#owed = status === PENDING
    return status
  }

  #giveAll(): number {
    while (this.#views !== undefined || this.#remaining > 0) {
      if (this.#busy) return PENDING
      const status = this.#views === undefined ? this.#givePiece() : this.#giveViews(this.#views)
      if (status !== WRITTEN) return status
    }
    return WRITTEN
  }

  #givePiece(): number {
    const length = Math.min(this.#remaining, PIECE)
    const view = codecOfThread().view(this.#pointer, length)
    this.#pointer += length
    this.#remaining -= length
    if (!this.#secure || length >= SHORT) return this.#give([view])
    const status = this.#give([Buffer.from(view)])
    return status === PENDING ? WRITTEN : status
  }

  #giveViews(views: readonly Uint8Array[]): number {
    this.#views = undefined
    return this.#give(views)
  }

  #give(views: readonly Uint8Array[]): number {
    let told: number | undefined
    let gives = true
    this.#busy = true
    this.#given = lengthOf(views)
    this.#writeBy(views, (error) => {
      const fails = error != null && !this.#socket.destroyed // or it is told that the write was canceled, from Node 22 on
      told = fails ? -1 : WRITTEN
      if (fails) this.#socket.destroy(error)
      if (!gives) this.#done(told)
    })
    gives = false
    if (told !== undefined) this.#isFree()
    return told ?? PENDING
  }

  #writeBy(views: readonly Uint8Array[], written: Written): void {
    const encoding = 'buffer' as BufferEncoding
    const { _write, _writev } = this.#methods
    const [first] = views
    if (views.length === 1) _write.call(this.#socket, first, encoding, written)
    else if (_writev === undefined) _write.call(this.#socket, Buffer.concat(views), encoding, written)
    else
      _writev.call(
        this.#socket,
        views.map((chunk) => ({ chunk, encoding })),
        written,
      )
  }

  #isFree(): void {
    this.#busy = false
    this.#given = 0
  }

  /** The socket is done with what it was given. */
  #done(status: number): void {
    this.#isFree()
    if (this.#owed && (status < 0 || !this.#socket.destroyed)) this.#goOn(status)
    if (this.#busy) return
    this.#final?.()
    this.#final = undefined
  }

  #goOn(status: number): void {
    const next = status < 0 ? status : this.#giveAll()
    if (next === PENDING) return
    this.#owed = false
    // The socket says so in the async context of the code that wrote.
    runOutside(() => this.#receiver?.written(next))
  }

  #whenDone(work: () => void): void {
    if (this.#busy) this.#final = work
    else work()
  }
}

function lengthOf(views: readonly Uint8Array[]): number {
  return views.reduce((length, view) => length + view.length, 0)
}
