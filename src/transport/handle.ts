// The fast transport: a TCP or pipe handle that reads straight into the inbox and writes straight from memory.
import type { Socket } from 'node:net'
import { codecOfThread } from '../codec/codec.js'
import { INBOX, INBOX_LENGTH } from '../codec/wasm.generated.js'
import type { StreamHandle } from '../internals/node.js'
import {
  aimReads,
  EOF,
  type HandleReader,
  type HandleWriter,
  shutdown,
  startReading,
  write,
} from '../internals/stream.js'
import type { Receiver, Transport } from './transport.js'

const codec = codecOfThread

/** Full reads of one peer before the others have a turn: 2 MiB, so that a message of 1 MiB is not cut short. */
const FULL_READS = 8

/** One view for all handles: the inbox is where every read of this thread lands. */
let inbox: Uint8Array | undefined

export class HandleTransport implements Transport, HandleReader, HandleWriter {
  readonly #handle: StreamHandle
  /** The net.Socket that the handle came from, if it did: it must be told, or its server waits for it for ever. */
  readonly #socket: Socket | undefined
  #receiver: Receiver | undefined
  #closed = false
  #paused = false
  /** Reads in a row that filled the inbox. */
  #fullReads = 0

  constructor(handle: StreamHandle, socket?: Socket) {
    this.#handle = handle
    this.#socket = socket
  }

  get remoteAddress(): string | undefined {
    if (this.#closed) return undefined
    const out: { address?: string } = {}
    this.#handle.getpeername?.(out)
    return out.address
  }

  get secure(): boolean {
    return false
  }

  /** The address is the peer's own, not what a proxy said. */
  get told(): boolean {
    return false
  }

  get unsent(): number {
    return this.#closed ? 0 : (this.#handle.writeQueueSize ?? 0)
  }

  open(receiver: Receiver): void {
    this.#receiver = receiver
    inbox ??= codec().view(INBOX, INBOX_LENGTH)
    aimReads(this.#handle, inbox, this)
    this.#socket?.once('close', () => this.#gone()).on('error', () => this.close())
    if (!startReading(this.#handle)) this.close()
  }

  read(status: number): void {
    if (this.#closed || status === 0) return
    if (status > 0) {
      this.#receiver?.received(INBOX, INBOX + status)
      if (status === INBOX_LENGTH) this.#yieldTurn()
      else this.#fullReads = 0
    } else if (status === EOF) this.#receiver?.ended()
    else this.close()
  }

  /** libuv reads up to 32 times in a row while a read fills the inbox: a peer with a full pipe must let others in. */
  #yieldTurn(): void {
    if (++this.#fullReads < FULL_READS || this.#paused || this.#closed) return
    this.#fullReads = 0
    this.#handle.readStop()
    setImmediate(() => {
      if (!this.#paused) this.resume()
    })
  }

  pause(): void {
    this.#paused = true
    if (!this.#closed) this.#handle.readStop()
  }

  resume(): void {
    this.#paused = false
    if (!this.#closed && !startReading(this.#handle)) this.close()
  }

  write(pointer: number, length: number): number {
    if (this.#closed) return -1
    return write(this.#handle, codec().view(pointer, length), this)
  }

  written(status: number): void {
    this.#receiver?.written(status)
  }

  end(): void {
    if (!this.#closed && shutdown(this.#handle, () => undefined) < 0) this.close()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#socket === undefined) this.#handle.close(() => this.#gone())
    else this.#socket.destroy()
  }

  #gone(): void {
    this.#closed = true
    const receiver = this.#receiver
    this.#receiver = undefined
    receiver?.closed()
  }
}
