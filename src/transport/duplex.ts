// The transport of the public API: any Duplex, such as a TLS socket, or a TCP socket where the private API is missing.
// What it reads is copied into the inbox, and what it writes is copied out of the memory, a piece at a time.
import { Buffer } from 'node:buffer'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { codecOfThread } from '../codec/codec.js'
import { runOutside } from '../internals/context.js'
import { isSecure } from '../internals/tls.js'
import { inboxOfThread } from '../memory/inbox.js'
import { resetSocket } from './resetSocket.js'
import { giveBack, SHORTEST_SPENT } from './spentChunk.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from './transport.js'

/** Bytes of a piece. */
const PIECE = 256 * 1024

/** Shorter writes over TLS are copied: a TLS socket says of each that it waits, and the memory is soon needed again. */
const SHORT = 16 * 1024

/** Behind a piece that a socket has not taken at once, it tells when that has left. */
const NOTHING = Buffer.alloc(0)

/** The shortest write that a stream is given where it lies: any other stream may keep what it was given. */
function shortestLent(stream: Duplex): number {
  if (!(stream instanceof Socket)) return Infinity
  return isSecure(stream) ? SHORT : 0
}

export class DuplexTransport implements Transport {
  readonly #stream: Duplex
  /** Whether it is known to run nobody's code when it is written to or ended. */
  readonly #prompt: boolean
  #receiver: Receiver | undefined
  /** The part of the write under way that the stream has not been given yet. */
  #pointer = 0
  #remaining = 0
  /** The stream has more than it wants, and will say when it has less. */
  #pending = false
  readonly #shortestLent: number
  /** Others have listened before: what they have heard once, they may keep, though they listen no more. */
  #heard = false
  /** Pieces given to a socket where they lie, and the one that must be done before the next; 0 is none. */
  #lent = 0
  #awaited = 0
  #paused = false
  /** The end came while reading was stopped: it is told after `resume`. */
  #endHeld = false

  constructor(stream: Duplex, prompt: boolean = stream instanceof Socket) {
    this.#stream = stream
    this.#prompt = prompt
    this.#shortestLent = shortestLent(stream)
  }

  get remoteAddress(): string | undefined {
    const address: unknown = Reflect.get(this.#stream, 'remoteAddress')
    return typeof address === 'string' ? address : undefined
  }

  get unsent(): number {
    const { bytesWritten, writableLength } = this.#stream as Duplex & { readonly bytesWritten?: number }
    return this.#remaining + writableLength - (bytesWritten ?? 0)
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    this.#try(() => this.#listen())
  }

  #listen(): void {
    const stream = this.#stream
    // When to end is the connection's to decide: a peer that has half-closed may still be owed something.
    stream.allowHalfOpen = true
    this.#heard = stream.listenerCount('data') > 0
    stream.on('error', (error: Error) => this.#fail(error))
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('drain', () => this.#drained())
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#gone())
    if (stream.destroyed) setImmediate(() => this.#gone())
    else if (stream.readableEnded) setImmediate(() => this.#end())
    else if (!this.#paused) stream.resume()
  }

  pause(): void {
    this.#paused = true
    this.#try(() => this.#stream.pause())
  }

  resume(): void {
    this.#paused = false
    if (!this.#endHeld) return this.#try(() => this.#stream.resume())
    this.#endHeld = false
    setImmediate(() => this.#end())
  }

  write(pointer: number, length: number): number {
    if (this.#ended) return -1
    this.#pointer = pointer
    this.#remaining = length
    if (this.#prompt) return this.#feed()
    this.#later(() => this.#goOn())
    return PENDING
  }

  writeViews(views: readonly Uint8Array[]): number {
    if (this.#ended) return -1
    this.#remaining = 0
    const number = ++this.#lent
    this.#awaited = number
    this.#later(() => this.#writeEach(views, number))
    const stream = this.#stream
    if (!this.#direct || stream.writableLength > 0) return PENDING
    this.#awaited = 0 // the system has taken it at once; that is told later
    return stream.destroyed ? -1 : WRITTEN
  }

  /** Whether nothing comes between a socket and what it is given: a program's own `write` may keep that for as long as it likes. */
  get #direct(): boolean {
    return this.#stream instanceof Socket && this.#stream.write === Socket.prototype.write
  }

  #writeEach(views: readonly Uint8Array[], number: number): void {
    const stream = this.#stream
    const last = views.length - 1
    stream.cork()
    for (const [at, view] of views.entries()) {
      if (at < last) stream.write(view)
      else stream.write(view, () => number === this.#awaited && this.#goOn())
    }
    stream.uncork()
  }

  /** Whether nothing can be written any more, as with a stream that can't even tell. */
  get #ended(): boolean {
    try {
      return this.#stream.destroyed || this.#stream.writableEnded
    } catch {
      return true
    }
  }

  end(): void {
    this.#later(() => {
      if (!this.#stream.destroyed) this.#stream.end()
    })
  }

  /** The stream may still hold what it was given: a TLS socket always does for a moment. */
  endBoth(): void {
    this.#later(() => {
      const stream = this.#stream
      if (!stream.destroyed) stream.end(() => stream.destroy())
    })
  }

  close(): void {
    if (this.#prompt) this.#remaining = 0 // or what was put off in this turn is given to the stream first
    this.#pending = false
    this.#later(() => this.#destroy())
  }

  /** Only a TCP socket has a reset: any other stream is destroyed. */
  reset(): void {
    const stream = this.#stream
    if (isSecure(stream) || !(stream instanceof Socket)) return this.close()
    this.#remaining = 0
    this.#pending = false
    this.#try(() => resetSocket(stream))
  }

  #fail(error: Error): void {
    this.#receiver?.failing?.(error)
    this.#destroy()
  }

  /**
   * A socket that is destroyed emits 'close', and then the connection ends. Another stream may not emit it
   * (`emitClose: false`), or never come to its end: its connection ends in the next turn.
   */
  #destroy(): void {
    if (!(this.#stream instanceof Socket)) setImmediate(() => this.#gone())
    try {
      this.#stream.destroy()
    } catch {
      setImmediate(() => this.#gone())
    }
  }

  /** Streams of others may throw, which must end their own connection, and nobody else's. */
  #try(work: () => unknown): void {
    try {
      work()
    } catch {
      this.#destroy()
    }
  }

  /**
   * A stream that is none of Node's own may run anybody's code when it is written to or ended, which may send on
   * other connections: not while theirs are being written, but when that is done.
   */
  #later(work: () => void): void {
    if (this.#prompt) this.#try(work)
    else queueMicrotask(() => runOutside(() => this.#try(work)))
  }

  /**
   * Gives the stream as much as it takes, as a copy: it may keep that for as long as it likes. A socket is done with
   * what it was given when it says so, and is given it where it lies; over TLS, if it is long.
   */
  #feed(): number {
    const stream = this.#stream
    try {
      if (this.#remaining >= this.#shortestLent && this.#direct) return this.#lend()
      while (this.#remaining > 0) {
        const length = Math.min(this.#remaining, PIECE)
        const copy = Buffer.allocUnsafe(length)
        codecOfThread().read(this.#pointer, copy)
        this.#pointer += length
        this.#remaining -= length
        // A long chunk is always more than it wants, but a socket may have sent it at once.
        if (stream.write(copy) || stream.writableLength === 0) continue
        this.#pending = true
        return PENDING
      }
      return WRITTEN
    } catch {
      return -1 // streams of others may throw, which must not keep this turn's other connections from writing
    }
  }

  #lend(): number {
    const stream = this.#stream
    while (this.#remaining > 0) {
      const length = Math.min(this.#remaining, PIECE)
      const piece = codecOfThread().view(this.#pointer, length)
      this.#pointer += length
      this.#remaining -= length
      if (this.#shortestLent > 0) this.#giveAsking(piece)
      else stream.write(piece)
      if (stream.writableLength === 0) continue // the system has taken it at once
      if (this.#shortestLent === 0) this.#giveAsking(NOTHING)
      this.#awaited = this.#lent
      return PENDING
    }
    return WRITTEN
  }

  /** A socket that is to tell of a piece does so in a tick of its own, which takes 0.3 µs: it is not asked of each. */
  #giveAsking(piece: Uint8Array): void {
    const number = ++this.#lent
    this.#stream.write(piece, () => {
      if (number === this.#awaited) this.#goOn()
    })
  }

  #drained(): void {
    if (!this.#pending || this.#stream.destroyed) return
    this.#pending = false
    this.#goOn()
  }

  /** The stream takes more data again. */
  #goOn(): void {
    this.#awaited = 0
    if (this.#stream.destroyed) return
    const status = this.#feed()
    if (status === PENDING) return
    // The stream emits this in the async context of the code that wrote.
    runOutside(() => this.#receiver?.written(status))
  }

  #read(chunk: Uint8Array): void {
    if (this.#receiver === undefined) return
    inboxOfThread().deliver(this.#receiver, chunk)
    // Only a socket's own chunk is nobody else's, and only where nobody else listens.
    if (chunk.length < SHORTEST_SPENT || this.#heard || !(this.#stream instanceof Socket)) return
    if (this.#stream.listenerCount('data') === 1) giveBack(chunk)
  }

  #end(): void {
    if (this.#receiver !== undefined) inboxOfThread().tell(this.#receiver, () => this.#tellEnd())
  }

  /** A stream ends even while it is paused, if its last bytes were read before; these may also have paused it. */
  #tellEnd(): void {
    this.#endHeld = this.#paused
    if (!this.#paused) this.#receiver?.ended()
  }

  #gone(): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    this.#remaining = 0
    this.#pending = false
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => receiver.closed())
  }
}
