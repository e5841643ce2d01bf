// One coarse timer for everything that must not take for ever: handshakes, closing handshakes, stalled payloads.
// It runs only while something has a deadline, and never keeps the process alive.

/** How coarse the timer is, in milliseconds. */
const TICK = 100

export class Deadlines {
  readonly #due = new Map<object, { readonly at: number; readonly expired: () => void }>()
  readonly #watch: (now: number) => boolean
  #timer: NodeJS.Timeout | undefined

  /** `watch` runs at each tick, and says whether the ticks must go on although nothing is due. */
  constructor(watch: (now: number) => boolean) {
    this.#watch = watch
  }

  get size(): number {
    return this.#due.size
  }

  /** Calls `expired` in `after` milliseconds, unless `key` gets another deadline before, or none. 0 is never. */
  set(key: object, after: number, expired: () => void): void {
    if (after === 0) this.#due.delete(key)
    else this.#due.set(key, { at: performance.now() + after, expired })
    this.start()
  }

  clear(key: object): void {
    this.#due.delete(key)
  }

  /** Makes sure that the ticks run. */
  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), TICK).unref()
  }

  #tick(): void {
    const now = performance.now()
    for (const [key, { at, expired }] of this.#due) {
      if (at > now) continue
      this.#due.delete(key)
      expired()
    }
    if (this.#watch(now) || this.#due.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
