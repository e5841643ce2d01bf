// Keeps the acceptors' shares even. All of them wait for the same connections, and whom the system wakes first takes
// them, which may be the same one for long: so an acceptor that is ahead pauses for a moment when it takes some.
import type { Tally } from './tally.js'

/** Being ahead by so many connections, or by this share of them, is even enough. */
const MARGIN = 16
const MARGIN_SHARE = 0.1
/** An acceptor tells how many connections it has when the number has changed by so many: less than the margin. */
const STEP = 8
/** Length of a pause, in milliseconds: about what another acceptor needs to wake and accept. */
const PAUSE = 0.1
/** The system may add its timers' slack to a pause. If a pause lasts longer still, others had the processor meanwhile. */
const LONGEST_PAUSE = 2 * PAUSE
/** Pauses take one part in so many of the time, at most; what was not needed is saved, up to so many milliseconds. */
const PARTS = 5
const SAVINGS = 20

export class Balance {
  readonly #tally: Tally
  readonly #place: number
  readonly #connections: ReadonlySet<unknown>
  /** What a pause waits on, with a time limit: nobody ever wakes it. */
  readonly #bell = new Int32Array(new SharedArrayBuffer(4))
  /** Connections accepted in this turn. */
  #arrivals = 0
  #told = 0
  /** With more connections than this, the acceptor may be ahead. */
  #even = MARGIN
  #scheduled = false
  #over = false
  /** Until when the pauses are paid for. */
  #paid = performance.now()

  /** `place` is its own in the tally. */
  constructor(tally: Tally, place: number, connections: ReadonlySet<unknown>) {
    this.#tally = tally
    this.#place = place
    this.#connections = connections
  }

  /** The acceptor listens. */
  begin(): void {
    this.#tally.tell(this.#place, this.#connections.size)
  }

  /** The acceptor has accepted a connection. If many come at a time, a pause leaves the rest of them to others. */
  arrived(): void {
    if (this.#over) return
    this.#arrivals++
    if (this.#arrivals === 1) this.#schedule()
    else if (this.#arrivals === 2) this.#weigh()
  }

  /** The acceptor has accepted an opening handshake. If they come one at a time, a pause leaves the next one to others. */
  opened(): void {
    if (this.#matters) this.#schedule()
  }

  /** The acceptor accepts nothing more. */
  end(): void {
    this.#over = true
  }

  /** Whether the acceptor may be ahead, or others should know how many connections it has. */
  get #matters(): boolean {
    const { size } = this.#connections
    return size > this.#even || Math.abs(size - this.#told) >= STEP
  }

  /** Runs at the end of the turn, when all answers have been written. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#arrivals = 0
      if (this.#matters) this.#weigh()
    })
  }

  #weigh(): void {
    if (this.#over) return
    this.#told = this.#connections.size
    this.#tally.tell(this.#place, this.#told)
    const fewest = this.#tally.fewest()
    this.#even = fewest + Math.max(MARGIN, fewest * MARGIN_SHARE)
    if (this.#told > this.#even) this.#pause()
  }

  #pause(): void {
    const began = performance.now()
    this.#paid = Math.max(this.#paid, began - SAVINGS)
    if (this.#paid > began) return
    Atomics.wait(this.#bell, 0, 0, PAUSE)
    this.#paid += PARTS * Math.min(performance.now() - began, LONGEST_PAUSE)
  }
}
