// The answers under way on one HTTP connection. A peer may ask for the next before it has had the last, so what its
// requests cost counts, and it gets no further request served while too many answers are missing. They are few, and they
// come and go fast: in a Set, whose old tables V8 keeps in its old generation, each would outlive every scavenge.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Budget, Holder } from '../../memory/budget.js'

/** Above so many, no further request is read. */
const MOST = 64

/** Bytes that the objects of a request and its answer cost. */
const COST = 4096

export class Answers implements Holder {
  held = 0
  standing: number | undefined
  readonly #socket: Socket
  readonly #budget: Budget
  /** In the order of their requests. */
  readonly #underWay: ServerResponse[] = []
  /** What each is charged with, in bytes. */
  readonly #costs: number[] = []
  /** Since which tick none has been done. */
  #since = 0

  constructor(socket: Socket, budget: Budget) {
    this.#socket = socket
    this.#budget = budget
  }

  get size(): number {
    return this.#underWay.length
  }

  /** The answer to the request that came last. */
  get last(): ServerResponse | undefined {
    return this.#underWay.at(-1)
  }

  /** Whether there are so many that no further request may be read. What is left of the last one's body may. */
  get crowded(): boolean {
    return this.#underWay.length >= MOST && this.last?.req.complete === true
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  /** For how many ticks there have been too many, without one that was done. */
  crowdedFor(now: number): number {
    return this.crowded ? now - this.#since : 0
  }

  every(condition: (answer: ServerResponse) => boolean): boolean {
    return this.#underWay.every(condition)
  }

  /** A request has come at the tick `now`. What the first one costs is a part of what its connection costs. */
  add(answer: ServerResponse, now: number): void {
    const cost = this.#underWay.length === 0 ? 0 : COST + lengthOf(answer.req.rawHeaders)
    const fits = cost === 0 || this.#budget.keep(this, cost)
    this.#underWay.push(answer)
    this.#costs.push(fits ? cost : 0)
    this.#since = now
    if (!fits) this.evicted()
  }

  /** An answer is done at the tick `now`, or given up. */
  delete(answer: ServerResponse, now: number): void {
    const at = this.#underWay.indexOf(answer)
    if (at < 0) return
    const cost = this.#costs[at] ?? 0
    if (at === 0) {
      this.#underWay.shift()
      this.#costs.shift()
    } else {
      this.#underWay.splice(at, 1)
      this.#costs.splice(at, 1)
    }
    if (cost > 0) this.#budget.release(this, cost)
    this.#since = now
  }

  /** Others need the memory. */
  evicted(): void {
    this.#socket.destroy()
  }

  /** The connection has ended: of its answers, node:http tells only the one that it was writing. */
  leave(): void {
    this.#underWay.length = this.#costs.length = 0
    this.#budget.release(this, this.held)
    this.#budget.leave(this)
  }
}

function lengthOf(parts: readonly string[]): number {
  return parts.reduce((length, part) => length + part.length, 0)
}
