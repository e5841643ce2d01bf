// How long this turn of the event loop has been busy with what peers have sent. Long work asks, so that the work
// of many connections one after the other, in a row of reads for instance, is counted together.
/**
 * Milliseconds of one turn for reads and writes that are as long as they can be. Beside four peers with messages of 16 MiB,
 * a small message of another waits for a turn or two: this is what decides for how long.
 */
const SHARE = 0.5

export class TurnClock {
  /** Counts the turns in which anybody asked. */
  turn = 0
  #began = 0
  /** Who first asked in this turn whether it is crowded. */
  #first: unknown
  readonly #ends = (): void => this.restart()

  /** Milliseconds since somebody first asked in this turn; `now` is the time. */
  spent(now: number): number {
    if (this.#began > 0) return now - this.#began
    this.#began = now
    setImmediate(this.#ends)
    return 0
  }

  /**
   * Whether `peer`, which has much to read or to be written, should have little of this turn: its share is spent, and others
   * have much as well. Who has the turn to itself is bound by bytes alone, so that it does not pay for a crowd of nobody.
   */
  crowded(peer: object): boolean {
    const spent = this.spent(performance.now())
    this.#first ??= peer
    return spent > SHARE && this.#first !== peer
  }

  /** What follows counts as a turn of its own. */
  restart(): void {
    this.#began = 0
    this.#first = undefined
    this.turn++
  }
}

let clock: TurnClock | undefined

/** The clock of this thread, made on first use. */
export function turnClockOfThread(): TurnClock {
  clock ??= new TurnClock()
  return clock
}
