// Whether a peer reads the HTTP answers that it is sent. The application may take any time to answer; but an answer that is
// written and not read holds memory and a place for as long as the peer likes.
import type { Socket } from 'node:net'
import { queuedIn } from '../../internals/http.js'
import { ticksOf } from '../../time/deadlines.js'

/** Ticks without reading its answers after which a peer gives way to newcomers. */
export const STALLED = ticksOf(1000)

export class Uptake {
  readonly #socket: Socket
  /** Bytes that had been written, and bytes of a write that the system had not taken, at the last call. */
  #done = 0
  #queued = 0
  #since: number
  /** Since when nothing more has been written, once the peer has half-closed. */
  #quiet: number | undefined

  /** Begins to watch the socket at the tick `now`. */
  constructor(socket: Socket, now: number) {
    this.#socket = socket
    this.#since = now
  }

  /** The peer has half-closed: from now on, an answer that is not written counts as one that is not read. */
  end(now: number): void {
    this.stalledFor(now)
    this.#quiet = now
  }

  /** For how many ticks answers have waited without the peer reading any of them, as far as the calls have seen. */
  stalledFor(now: number): number {
    const { bytesWritten, writableLength } = this.#socket
    const done = bytesWritten - writableLength
    const queued = queuedIn(this.#socket)
    const moved = done !== this.#done || queued !== this.#queued
    this.#done = done
    this.#queued = queued
    if (moved || writableLength === 0) this.#since = now
    if (moved && this.#quiet !== undefined) this.#quiet = now
    return now - Math.min(this.#since, this.#quiet ?? now)
  }
}
