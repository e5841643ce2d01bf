// Whether a peer takes what it is sent on one stream of HTTP/2. Its window may be closed for ever, and what waits for it holds
// memory. How much of one long chunk has left is not known, but how much the session has written is.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Bytes that a session must have written between two looks to count as one that gets on: pings alone are fewer. */
const LEAST = 1024

export class StreamUptake {
  readonly #stream: Duplex
  readonly #socket: Socket
  #waiting = 0
  #written: number
  #since: number

  /** Begins to watch the stream at the tick `now`. */
  constructor(stream: Duplex, socket: Socket, now: number) {
    this.#stream = stream
    this.#socket = socket
    this.#since = now
    this.#written = socket.bytesWritten
  }

  /** For how many ticks output has waited without any of it leaving, as far as the calls have seen. */
  stalledFor(now: number): number {
    const { writableLength } = this.#stream
    const { bytesWritten } = this.#socket
    const moved = writableLength !== this.#waiting || bytesWritten - this.#written >= LEAST
    this.#waiting = writableLength
    if (moved) this.#written = bytesWritten
    if (moved || writableLength === 0) this.#since = now
    return now - this.#since
  }
}
