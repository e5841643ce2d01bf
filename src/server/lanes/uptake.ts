// Whether a peer takes the answers that it is sent. The application may take any time for them; but what is written and not
// read holds memory and a place for as long as the peer likes.
import type { Socket } from 'node:net'
import { queuedIn } from '../../internals/http.js'
import { ticksOf } from '../../time/deadlines.js'

/** Ticks without reading its answers after which a peer gives way to newcomers. */
export const STALLED = ticksOf(1000)

export class Uptake {
  readonly #socket: Socket
  /** What the socket was done with, and what the system had not taken of a write, when that was last seen to change. */
  #done = 0
  #queued = 0
  #since: number

  /** From the tick `now` on. */
  constructor(socket: Socket, now: number) {
    this.#socket = socket
    this.#since = now
  }

  /** For how many ticks, as far as that has been seen, something has waited of which the peer takes nothing. */
  stalledFor(now: number): number {
    const { bytesWritten, writableLength } = this.#socket
    const done = bytesWritten - writableLength
    const queued = queuedIn(this.#socket)
    const moved = done !== this.#done || queued !== this.#queued
    this.#done = done
    this.#queued = queued
    if (moved || writableLength === 0) this.#since = now
    return now - this.#since
  }
}
