// How long what one peer causes may hold the thread. A read can hold 40,000 messages, so it is dealt with in slices: the
// rest waits in line behind the others' reads. While anybody waits, a turn of the event loop has a share of time for all,
// and a slice gets shorter when that is spent: a thousand peers with much to do must not add up.
import { runOutside } from '../internals/context.js'
import { Queue } from '../memory/queue.js'
import { turnOfThread } from './turn.js'

/** Milliseconds of one slice, and of all of them together in one turn of the event loop. */
const SLICE = 2
const TURN = 4

/** After how many messages the clock is asked. */
const MESSAGES = 16

/** Milliseconds of a slice when the turn's share is spent: some messages all the same, or nobody would get on. */
const SHORTEST = 0.05

export class Slices {
  /** Messages until the clock is asked. */
  #left = MESSAGES
  /** When the slice ends; 0 while the clock has not been asked. */
  #until = 0
  /** Milliseconds that this turn of the event loop has spent on slices, while anybody waits. */
  #spent = 0
  readonly #waiting = new Queue<() => void>()
  #scheduled = false
  readonly #turn: { readonly behind: boolean }

  constructor(turn: { readonly behind: boolean }) {
    this.#turn = turn
  }

  /** A slice begins. */
  begin(): void {
    this.#left = MESSAGES
    this.#until = 0
  }

  /** One message more is dealt with; whether the slice is over, and the rest must wait. */
  spend(): boolean {
    if (--this.#left > 0) return false
    this.#left = MESSAGES
    const now = performance.now()
    if (this.#until === 0) {
      this.#until = now + this.#share
      return false
    }
    if (now < this.#until) return false
    if (this.#scheduled) this.#spent += SLICE
    return true
  }

  /** Goes on with `work` in a slice of its own, behind those who wait already. */
  later(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  /** Where there is more to write than fits into a turn, what is read must not cause much more. */
  get #share(): number {
    return this.#spent < TURN && !this.#turn.behind ? SLICE : SHORTEST
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    this.#scheduled = false
    this.#spent = 0
    const until = performance.now() + TURN
    do {
      const work = this.#waiting.shift()
      if (work !== undefined) runOutside(work)
    } while (this.#waiting.length > 0 && performance.now() < until)
    this.#spent = 0
    if (this.#waiting.length > 0) this.#schedule()
  }
}

let slices: Slices | undefined

/** The slices of this thread, made on first use. */
export function slicesOfThread(): Slices {
  slices ??= new Slices(turnOfThread())
  return slices
}
