// Time in which this process has run. Where it stood still (suspended, swapped out, or in the middle of something of the
// application's), peers could do nothing about it: that time must not count against them.

/** Most milliseconds between two looks at the clock that count; the rest was a standstill. */
export const MOST_AT_ONCE = 300

/** Must be advanced several times in MOST_AT_ONCE, for as long as somebody's time is measured. */
export class AwakeClock {
  #time = 0
  #advanced = performance.now()

  /** Milliseconds. Between two calls of `advance`, it goes on for MOST_AT_ONCE at most. */
  get now(): number {
    return this.#time + Math.min(performance.now() - this.#advanced, MOST_AT_ONCE)
  }

  /** Advances the clock to `time`, in milliseconds of `performance.now()`. Returns the time by this clock. */
  advance(time: number): number {
    this.#time += Math.min(time - this.#advanced, MOST_AT_ONCE)
    this.#advanced = time
    return this.#time
  }
}
