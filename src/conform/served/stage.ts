// Takes a connection of a server over, as a stream of bytes: it stands between the connection and its transport, lets
// nothing through that the connection itself writes, and gives what comes to the stream alone.
import { Buffer } from 'node:buffer'
import { Duplex } from 'node:stream'
import { codecOfThread } from '../../codec/codec.js'
import { inboxOfThread } from '../../memory/inbox.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from '../../transport/transport.js'

export class Stage implements Transport, Receiver {
  readonly #inner: Transport
  #receiver: Receiver | undefined
  #closed = false
  #taken: (() => void) | undefined
  /** The bytes of the client's, and those for it; the answer to its handshake is the first of them. */
  readonly stream: Duplex

  constructor(inner: Transport) {
    this.#inner = inner
    this.stream = new StageStream({
      write: (bytes, taken) => this.#put(bytes, taken),
      end: () => inner.end(),
      close: () => this.close(),
      reset: () => this.reset(),
    })
    this.stream.on('error', () => undefined)
  }

  // What the connection asks for (Transport).
  get remoteAddress(): string | undefined {
    return this.#inner.remoteAddress
  }

  get unsent(): number {
    return 0
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    this.#inner.open(this)
  }

  pause(): void {
    // How much a client may send is bounded by who reads the stream.
  }

  resume(): void {
    this.#inner.resume()
  }

  write(): number {
    return WRITTEN
  }

  writeViews(): number {
    return WRITTEN
  }

  end(): void {
    this.stream.destroy()
  }

  endBoth(): void {
    this.stream.destroy()
  }

  close(): void {
    this.#inner.close()
  }

  reset(): void {
    this.#inner.reset()
  }

  // What the transport tells (Receiver).
  received(start: number, end: number): void {
    if (!this.stream.readableEnded && !this.stream.destroyed)
      this.stream.push(Buffer.from(codecOfThread().view(start, end - start)))
  }

  get frugal(): boolean {
    return this.#receiver?.frugal ?? false
  }

  ended(): void {
    if (!this.stream.destroyed) this.stream.push(null)
  }

  /** Whether it has left or the client has gone: of the latter, `closed` tells. */
  written(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  closed(): void {
    this.#closed = true
    this.written()
    this.stream.destroy()
    const receiver = this.#receiver
    if (receiver !== undefined) inboxOfThread().tell(receiver, () => receiver.closed())
  }

  #put(bytes: Buffer, taken: () => void): void {
    if (this.#closed) return taken()
    this.#taken = taken
    const status = this.#inner.writeViews([bytes])
    if (status !== PENDING) this.written()
  }
}

interface Outlet {
  write(bytes: Buffer, taken: () => void): void
  end(): void
  close(): void
  reset(): void
}

class StageStream extends Duplex {
  readonly #outlet: Outlet
  #reset = false

  constructor(outlet: Outlet) {
    super({ allowHalfOpen: true, emitClose: true })
    this.#outlet = outlet
  }

  /** Ends the connection with a TCP reset. */
  resetAndDestroy(): void {
    this.#reset = true
    this.destroy()
  }

  override _read(): void {
    // What comes is pushed as it comes.
  }

  override _write(bytes: Buffer, _: string, taken: () => void): void {
    this.#outlet.write(bytes, taken)
  }

  override _final(taken: () => void): void {
    this.#outlet.end()
    taken()
  }

  override _destroy(error: Error | null, taken: (error: Error | null) => void): void {
    if (this.#reset) this.#outlet.reset()
    else this.#outlet.close()
    taken(error)
  }
}
