// How a client of the model is connected: by a socket or one end of a pair of Duplexes, or by the transport in memory. A
// client may stop reading, which makes the server's writes stand still.
import { Buffer } from 'node:buffer'
import type { Duplex } from 'node:stream'
import type { MemoryTransport } from '../support/memoryTransport.js'

/** Whoever is at the client's end. */
export interface WireEnd {
  /** Bytes of the server's, the head of its response excepted. */
  received(chunk: Buffer): void
  /** The server has accepted the upgrade, in a response with this head. */
  accepted(head: string): void
  /** The server refused the upgrade. */
  refused(head: string): void
  /** The server has ended its half: ours must follow. */
  ended(): void
  closed(): void
}

export interface Wire {
  /** Nothing can be written any more. */
  readonly over: boolean
  write(bytes: Buffer): void
  /** The client reads nothing, until `release`. */
  hold(): void
  release(): void
  end(): void
  destroy(): void
  /** Does what a turn of the event loop does for a socket. */
  turn(): void
}

/** A socket, or one end of a pair. */
export class StreamWire implements Wire {
  over = false
  readonly #stream: Duplex
  readonly #end: WireEnd
  #head: Buffer | undefined = Buffer.alloc(0)

  constructor(stream: Duplex, end: WireEnd) {
    this.#stream = stream
    this.#end = end
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.on('error', () => stream.destroy())
    stream.on('end', () => end.ended())
    stream.on('close', () => {
      this.over = true
      end.closed()
    })
  }

  write(bytes: Buffer): void {
    if (!this.over && !this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.write(bytes)
  }

  hold(): void {
    this.#stream.pause()
  }

  release(): void {
    this.#stream.resume()
  }

  end(): void {
    this.#stream.end()
  }

  destroy(): void {
    this.#stream.destroy()
  }

  turn(): void {}

  #take(chunk: Buffer): void {
    if (this.#head === undefined) return this.#end.received(chunk)
    const bytes = Buffer.concat([this.#head, chunk])
    const end = bytes.indexOf('\r\n\r\n') + 4
    this.#head = end < 4 ? bytes : undefined
    if (end < 4) return
    const head = bytes.toString('latin1', 0, end)
    if (!head.startsWith('HTTP/1.1 101 ')) return this.#end.refused(head)
    this.#end.accepted(head)
    if (end < bytes.length) this.#end.received(bytes.subarray(end))
  }
}

const LONGEST_READ = 200_000

/** The other side of a transport in memory: what can't be fed now is fed later. */
export class MemoryWire implements Wire {
  readonly #transport: MemoryTransport
  readonly #end: WireEnd
  #waiting: Buffer[] = []
  #feeding = false
  #ending = false
  #ended = false
  #closed = false

  constructor(transport: MemoryTransport, end: WireEnd) {
    this.#transport = transport
    this.#end = end
  }

  get over(): boolean {
    return this.#transport.closed
  }

  write(bytes: Buffer): void {
    this.#waiting.push(bytes)
    this.#feed()
  }

  hold(): void {
    this.#transport.stuck = true
  }

  release(): void {
    this.#transport.stuck = false
    this.#transport.finish()
  }

  end(): void {
    this.#ending = true
    this.#feed()
  }

  destroy(): void {
    this.#transport.close()
  }

  turn(): void {
    this.#feed()
    const { output } = this.#transport
    this.#transport.output = Buffer.alloc(0)
    if (output.length > 0) this.#end.received(output)
    if (this.#transport.halfClosed && !this.#ended) {
      this.#ended = true
      this.#end.ended()
    }
    if (!this.#transport.closed || this.#closed) return
    this.#closed = true
    this.#end.closed()
  }

  /** One read after the other; the server may pause in any of them. */
  #feed(): void {
    if (this.#feeding) return
    this.#feeding = true
    try {
      while (this.#waiting.length > 0 && !this.#transport.paused && !this.#transport.closed) {
        const bytes = this.#waiting.shift() ?? Buffer.alloc(0)
        if (bytes.length > LONGEST_READ) this.#waiting.unshift(bytes.subarray(LONGEST_READ))
        this.#transport.feed(bytes.subarray(0, LONGEST_READ))
      }
    } finally {
      this.#feeding = false
    }
    if (!this.#ending || this.#waiting.length > 0 || this.#transport.paused || this.#transport.closed) return
    this.#ending = false
    this.#transport.feedEnd()
  }
}
