// Work that never waits by itself is done in slices: between any two of them, the event loop has its turn, in which other
// connections are read and timers ring. All streams of a thread share one slice per turn, so many of them hold the thread
// no longer than one.
import { Queue } from '../../time/queue.js'

/** How long a slice may take, in milliseconds. */
const LONGEST = 1

export class StreamSlices {
  /** When the slice of this turn of the event loop began. */
  #began = 0
  /** A turn has been asked for, so the slice has begun. */
  #begun = false
  /** Those who wait for a slice, in order. */
  readonly #waiting = new Queue<() => void>()

  /** Whether the slice of this turn is over, so that the work must wait for the next. */
  get spent(): boolean {
    if (this.#begun) return performance.now() - this.#began >= LONGEST
    this.#begin()
    return false
  }

  /** Resolves in a turn of the event loop that belongs to the caller. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (!this.#begun) this.#begin()
    })
  }

  #begin(): void {
    this.#begun = true
    this.#began = performance.now()
    setImmediate(() => this.#serve())
  }

  /** Grants one per turn: how long the work takes is known only afterwards. */
  #serve(): void {
    this.#begun = false
    const resolve = this.#waiting.shift()
    if (resolve === undefined) return
    this.#begin()
    resolve()
  }
}

/** The slices of this thread. */
export const streamSlices = new StreamSlices()
