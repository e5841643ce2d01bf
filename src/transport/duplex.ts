// The transport of the public API: any Duplex, such as a TLS socket, or a TCP socket where the private API is missing.
// What it reads is copied into the inbox, and what it writes is copied out of the memory.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import { codecOfThread } from '../codec/codec.js'
import { INBOX, INBOX_LENGTH } from '../codec/wasm.generated.js'
import { PENDING, type Receiver, type Transport, WRITTEN } from './transport.js'

export class DuplexTransport implements Transport {
  readonly #stream: Duplex
  #receiver: Receiver | undefined

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  get remoteAddress(): string | undefined {
    const address: unknown = Reflect.get(this.#stream, 'remoteAddress')
    return typeof address === 'string' ? address : undefined
  }

  get unsent(): number {
    const { bytesWritten, writableLength } = this.#stream as Duplex & { readonly bytesWritten?: number }
    return writableLength - (bytesWritten ?? 0)
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    const stream = this.#stream
    // An error is always followed by 'close', which is where the connection ends.
    stream.on('error', () => stream.destroy())
    stream.on('data', (chunk: Buffer) => this.#read(chunk))
    stream.on('end', () => this.#receiver?.ended())
    stream.on('close', () => this.#gone())
    if (stream.destroyed) setImmediate(() => this.#gone())
    else stream.resume()
  }

  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    this.#stream.resume()
  }

  write(pointer: number, length: number): number {
    if (this.#stream.destroyed || this.#stream.writableEnded) return -1
    // The stream may keep what it is given for as long as it likes, so it gets a copy of its own.
    const copy = Buffer.from(codecOfThread().view(pointer, length))
    if (this.#stream.write(copy)) return WRITTEN
    this.#stream.once('drain', () => this.#receiver?.written(0))
    return PENDING
  }

  end(): void {
    if (!this.#stream.destroyed) this.#stream.end()
  }

  close(): void {
    this.#stream.destroy()
  }

  #read(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += INBOX_LENGTH) {
      const piece = chunk.subarray(at, at + INBOX_LENGTH)
      codecOfThread().bytes.set(piece, INBOX)
      this.#receiver?.received(INBOX, INBOX + piece.length)
    }
  }

  #gone(): void {
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.closed()
  }
}
