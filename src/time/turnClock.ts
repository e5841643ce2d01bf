// How long this turn of the event loop has been busy with what peers have sent. Long work asks, so that the work
// of many connections one after the other, in a row of reads for instance, is counted together.
export class TurnClock {
  /** Counts the turns in which anybody asked. */
  turn = 0
  #began = 0
  readonly #ends = (): void => this.restart()

  /** Milliseconds since somebody first asked in this turn; `now` is the time. */
  spent(now: number): number {
    if (this.#began > 0) return now - this.#began
    this.#began = now
    setImmediate(this.#ends)
    return 0
  }

  /** What follows counts as a turn of its own. */
  restart(): void {
    this.#began = 0
    this.turn++
  }
}

let clock: TurnClock | undefined

/** The clock of this thread, made on first use. */
export function turnClockOfThread(): TurnClock {
  clock ??= new TurnClock()
  return clock
}
