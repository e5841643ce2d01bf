// Does things when they are due, whatever the answers: the open loop.
/** Timers are late by up to so many milliseconds. The load spins for so long, so that the server is not charged for it. */
const TIMER_ERROR = 2

/** What is done, and when. */
export interface Paced {
  /** When the n-th thing is due, counted from 0, in milliseconds since the beginning; Infinity where there is none. */
  dueAt(n: number): number
  /** It is due; `due` and `now` are as `performance.now()` tells them. */
  act(due: number, now: number): void
  /** The first thing of a turn is late by so many milliseconds. */
  late(milliseconds: number): void
}

/** Begins now, and ends when `signal` aborts, or nothing is due any more. `sleeps` leaves the core to others between things. */
export function keepPace(paced: Paced, signal: AbortSignal, sleeps = false): void {
  const early = sleeps ? 0 : TIMER_ERROR
  const began = performance.now()
  let n = 0
  let due = began + paced.dueAt(0)
  let timer: NodeJS.Timeout | undefined
  const turn = (): void => {
    if (signal.aborted) return
    const now = performance.now()
    if (due <= now) paced.late(now - due)
    for (; due <= now && !signal.aborted; due = began + paced.dueAt(++n)) paced.act(due, now)
    if (due === Infinity) return
    const wait = due - now - early
    if (wait > 0) timer = setTimeout(turn, wait)
    else setImmediate(turn)
  }
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  turn()
}

/** When connections are due that open at `rate` per second, to which the rate rises in `ramp` seconds; in milliseconds. */
export function arrival(n: number, rate: number, ramp = 0): number {
  const rising = (rate * ramp) / 2
  return 1000 * (n < rising ? Math.sqrt((2 * n * ramp) / rate) : ramp / 2 + n / rate)
}
