// How long this turn of the event loop has been busy with what peers have sent. Long work asks, so that the work
// of many connections one after the other, in a row of reads for instance, is counted together. And whose turn is next of
// those who have much to say.
import { Queue } from './queue.js'

/**
 * Milliseconds of one turn for reads and writes that are as long as they can be. Beside four peers with messages of 16 MiB,
 * a small message of another waits for a turn or two: this is what decides for how long.
 */
const SHARE = 0.5

/** Whoever has stopped reading until it has a turn. */
export interface Waiting {
  /** It has one; false if it wants none any more. */
  goOn(): boolean
}

export class TurnClock {
  /** Counts the turns in which anybody asked. */
  turn = 0
  #began = 0
  /** Who first asked in this turn whether it is crowded. */
  #first: object | undefined
  /** Whose turn this is among several who have much; of that turn alone, because nobody says when it has gone. */
  #favourite: object | undefined
  /** Whether the favourite has asked, and who first asked after it: the favourite of the next turn. */
  #asked = false
  #next: object | undefined
  #scheduled = false
  /** Those who have stopped, in the order in which they have their turns. */
  readonly #waiting = new Queue<Waiting>()
  readonly #ends = (): void => {
    this.#scheduled = false
    this.restart()
  }

  /** Milliseconds since somebody first asked in this turn; `now` is the time. */
  spent(now: number): number {
    if (this.#began === 0) {
      this.#began = now
      this.#schedule()
    }
    // Never a plain 0: V8 would compile whoever asks for whole numbers, and once more when the first fraction comes.
    return now - this.#began
  }

  /**
   * Whether `peer`, which has much to read or to be written, should have little of this turn: others have much as well. One of
   * them has much of each turn, and each of them in its turn: the system names those who are ready always in the same order,
   * so the first of them would get nearly all. Who has the turns to itself is bound by bytes alone, so that it does not pay for
   * a crowd of nobody.
   */
  crowded(peer: object): boolean {
    const spent = this.spent(performance.now())
    this.#first ??= peer
    const favourite = this.#favourite
    if (peer === (favourite ?? this.#first)) {
      this.#asked = true
      return false
    }
    if (this.#asked) this.#next ??= peer
    return favourite !== undefined || spent > SHARE
  }

  /** Whether anybody has stopped until it has a turn. */
  get awaited(): boolean {
    return this.#waiting.length > 0
  }

  /**
   * `peer` has stopped: behind those who did before it, it goes on in a turn of which it has much. To let each of a crowd read a
   * little in every turn cost a stop and a start each time, which are calls of the system.
   */
  wait(peer: Waiting): void {
    this.#waiting.push(peer)
    this.#schedule()
  }

  /** What follows counts as a turn of its own: its time, and not whose turn it is. */
  restartTime(): void {
    this.#began = 0
    this.turn++
  }

  /** The turn is over. */
  restart(): void {
    this.restartTime()
    const waiting = this.#nextWaiting()
    if (waiting !== undefined || this.#first === undefined) this.#favourite = waiting
    else this.#choose(this.#first)
    this.#first = this.#next = undefined
    this.#asked = false
    if (this.#favourite !== undefined || this.awaited) this.#schedule() // so that it is one for the next turn alone
  }

  /** The first who still wants its turn goes on. */
  #nextWaiting(): Waiting | undefined {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      if (next.goOn()) return next
    return undefined
  }

  #schedule(): void {
    if (!this.#scheduled) setImmediate(this.#ends)
    this.#scheduled = true
  }

  /** The favourite of the next turn: whoever asked behind that of this one, and behind the last the first. */
  #choose(first: object): void {
    const favourite = this.#favourite ?? first
    const next = this.#next ?? first
    this.#favourite = next === favourite ? undefined : next
  }
}

let clock: TurnClock | undefined

/** The clock of this thread, made on first use. */
export function turnClockOfThread(): TurnClock {
  clock ??= new TurnClock()
  return clock
}
