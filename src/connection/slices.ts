// How long what one peer causes may hold the thread. A read can hold 40,000 messages, so it is dealt with in slices: the
// rest waits in line behind the others' reads. All reads of one turn of the event loop share its time, and a slice gets
// shorter when that is spent, or when many wait in line: a thousand peers with much to do must not add up, and none of
// them may wait for long.
import { runOutside } from '../internals/context.js'
import { Queue } from '../time/queue.js'
import { type TurnClock, turnClockOfThread } from '../time/turnClock.js'
import { turnOfThread } from './turn.js'

/** Milliseconds of one slice, and of all of them together in one turn of the event loop. */
const SLICE = 2
const TURN = 4

/**
 * Milliseconds of a turn in which a long message is compressed or inflated. A step of one costs as much as hundreds of short
 * messages, and there is always another one: whoever sends a short message meanwhile would wait for whole turns.
 */
const BRIEF = 0.25

/** What a step of a long message costs, and no short one: as much as so many messages. */
const LONG_STEP = 32

/** Milliseconds in which all who wait in line have had their slices, as far as these can be so short. */
const ROUND = 200

/** Milliseconds of the shortest slice in line: some messages all the same, or nobody would get on. */
const SHORTEST = 0.05

/** After how many messages of a turn the clock is asked first, and then again: to ask it costs as much as a message. */
const FIRST_MESSAGES = 80
const MESSAGES = 16

/** What is to be written: while that is more than fits into a turn, one message may cost much. */
export interface Strain {
  readonly behind: boolean
  /** Calls `call` whenever `behind` becomes true. */
  whenBehind(call: () => void): void
}

export class Slices {
  /** Messages until the clock is asked. */
  #left: number
  /** When the slice ends; 0 while the clock has not been asked. */
  #until = 0
  /** Whose slice it is, and in which turn. */
  #owner: unknown
  #inTurn = 0
  /** Milliseconds that reads have spent of this turn, when that was last seen. */
  #spent = 0
  #serving = false
  /** When the turn began whose rest is for those in line. */
  #began = 0
  /** Whether a step of a long message was done in this turn. */
  #brief = false
  readonly #waiting = new Queue<() => void>()
  #scheduled = false
  readonly #turn: Strain
  readonly #clock: TurnClock

  constructor(turn: Strain, clock: TurnClock) {
    this.#turn = turn
    this.#clock = clock
    this.#left = turn.behind ? 1 : FIRST_MESSAGES
    turn.whenBehind(() => {
      this.#left = 0
    })
  }

  /** A slice of `owner` begins; or goes on, where it has had one already and nobody else since: reads come in rows. */
  begin(owner: unknown): void {
    const { turn } = this.#clock
    if (turn !== this.#inTurn) {
      this.#left = this.#turn.behind ? 1 : FIRST_MESSAGES
      if (!this.#serving) {
        this.#brief = false
        this.#spent = 0
      }
    } else if (owner === this.#owner) return
    this.#owner = owner
    this.#inTurn = turn
    this.#until = 0
  }

  /**
   * One message more is dealt with, or what may take as long as so many; whether the slice is over, and the rest must wait.
   * Where there is more to write than fits into a turn, one message may cost much: then the clock is asked each time.
   * `messages` must be a whole number, as this runs for each message: V8 keeps a count of whole numbers in place.
   */
  spend(messages = 1): boolean {
    this.#left -= messages
    return this.#left <= 0 && this.#isOver(messages)
  }

  /** Asks the clock. */
  #isOver(messages: number): boolean {
    if (messages >= LONG_STEP) this.#brief = true
    this.#left = this.#turn.behind ? 1 : MESSAGES
    const now = performance.now()
    const spent = this.#clock.spent(now)
    if (this.#until === 0) this.#until = now + this.#share(spent)
    if (!this.#serving) this.#spent = spent
    return now >= this.#until
  }

  /** Goes on with `work` in a slice of its own, behind those who wait already. */
  later(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  /** The same with a step of a long message. */
  laterStep(work: () => void): void {
    this.later(() => {
      this.#brief = true
      work()
    })
  }

  /** Milliseconds for the slice that begins. */
  #share(spent: number): number {
    if (this.#brief) return Math.max(BRIEF - (this.#serving ? performance.now() - this.#began : spent), 0)
    if (!this.#serving && spent >= TURN) return 0 // it gets on when it is its turn in line
    if (this.#turn.behind) return SHORTEST
    // To divide always would have V8 compile whoever asks once more, when the first quotient comes that is no whole number.
    const { length } = this.#waiting
    return length <= ROUND / SLICE ? SLICE : Math.max(ROUND / length, SHORTEST)
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#scheduled = false
    this.#serving = true
    this.#began = performance.now() - this.#spent
    const most = this.#turn.behind ? SLICE / 2 + this.#spent : TURN
    try {
      do this.#serve()
      while (this.#waiting.length > 0 && performance.now() - this.#began < (this.#brief ? Math.min(BRIEF, most) : most))
    } finally {
      this.#serving = this.#brief = false
      this.#spent = 0
      this.#clock.restartTime()
      if (this.#waiting.length > 0) this.#schedule()
    }
  }

  #serve(): void {
    this.#owner = undefined
    this.#clock.restartTime()
    const work = this.#waiting.shift()
    if (work !== undefined) runOutside(work)
  }
}

let slices: Slices | undefined

/** The slices of this thread, made on first use. */
export function slicesOfThread(): Slices {
  slices ??= new Slices(turnOfThread(), turnClockOfThread())
  return slices
}
