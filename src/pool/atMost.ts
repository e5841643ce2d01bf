// At most so many pieces of work at once; others wait, in the order in which they came.
import { Queue } from '../time/queue.js'

export class AtMost {
  readonly most: number
  #running = 0
  readonly #waiting = new Queue<() => void>()

  constructor(most: number) {
    this.most = most
  }

  /** Whether as many run as may, and at least `waiting` wait. */
  isFull(waiting: number): boolean {
    return this.#running >= this.most && this.#waiting.length >= waiting
  }

  /** Does a piece of work when its turn comes; settles as that does. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#running < this.most) this.#running++
    else await new Promise<void>((resolve) => this.#waiting.push(resolve)) // work that is done wakes the next
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
