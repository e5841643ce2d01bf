// Two Duplexes, each of which reads what is written to the other: what is written to one arrives at the other before
// `write` returns, if that one is flowing. As `stream.duplexPair` of newer versions of Node.js.
import { Duplex } from 'node:stream'

/** As much as a stream takes before it says that it is full. */
const FULL = 16_384

class End extends Duplex {
  other: End | undefined
  /** The other's write that waits for this one to be read. */
  #waiting: (() => void) | undefined

  constructor() {
    super({ highWaterMark: FULL, allowHalfOpen: true })
  }

  override _read(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.other?.deliver(chunk, done)
  }

  override _final(done: () => void): void {
    this.other?.deliver(null, done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { other } = this
    // As with a socket, the other end hears of it in a turn of its own.
    if (other !== undefined && !other.destroyed) setImmediate(() => other.destroy())
    done(error)
  }

  deliver(chunk: Buffer | null, done: () => void): void {
    if (this.destroyed || this.readableEnded) return done()
    if (this.push(chunk) || chunk === null) done()
    else this.#waiting = done
  }
}

/** Both ends. */
export function duplexPair(): [Duplex, Duplex] {
  const [near, far] = [new End(), new End()]
  near.other = far
  far.other = near
  return [near, far]
}
