// One coarse timer for everything that must not take for ever: handshakes, closing handshakes, stalled payloads.
// It runs only while something has a deadline, and never keeps the process alive.
import { runOutside } from '../internals/context.js'

/** Something that must not take for ever. */
export interface Expiring {
  /** It has taken too long. */
  expired(): void
}

/** How coarse the timer is, in milliseconds. */
const TICK = 100

export class Deadlines {
  readonly #due = new Map<Expiring, number>()
  readonly #watch: (now: number) => boolean
  #timer: NodeJS.Timeout | undefined

  /** `watch` runs at each tick, and says whether the ticks must go on although nothing is due. */
  constructor(watch: (now: number) => boolean) {
    this.#watch = watch
  }

  /** `key` expires in `after` milliseconds, unless it gets another deadline before, or none. 0 is never. */
  set(key: Expiring, after: number): void {
    if (after === 0) this.#due.delete(key)
    else this.#due.set(key, performance.now() + after)
    this.start()
  }

  clear(key: Expiring): void {
    this.#due.delete(key)
  }

  /** Makes sure that the ticks run. */
  start(): void {
    this.#timer ??= setInterval(() => runOutside(() => this.#tick()), TICK).unref()
  }

  #tick(): void {
    const now = performance.now()
    for (const [key, due] of this.#due) {
      if (due > now) continue
      this.#due.delete(key)
      key.expired()
    }
    if (this.#watch(now) || this.#due.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
