// Connections that open, exchange a message and close, again and again at a rate: what each takes as a whole.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Course, LoadWatch, Moments } from '../course.js'
import type { LoadOptions } from '../options.js'
import type { Pattern } from '../pattern.js'
import type { LoadResult } from '../result.js'
import { hasRoom, SequenceMaterial } from '../sequenceMaterial.js'
import { record } from '../strategies.js'
import { Arriving } from './arriving.js'
import { Exchange } from './exchange.js'

type Churning = Extract<Pattern, { name: 'churn' }>

/** How often it is looked whether the last connections have ended, in milliseconds. */
const POLL = 5
/** So many connections may wait until others have closed. */
const MOST_WAITING = 65_536

export class ChurnCourse extends Arriving implements Course {
  /** Stamps, by which an answer is told from whatever else the server says; where there is no room, any message is one. */
  readonly #stamps: SequenceMaterial | undefined
  readonly #first = randomInt(2 ** 30)
  /** The exchanges under way, and when each was due. */
  readonly #exchanges = new Map<number, number>()
  /** When connections were due that wait until there are less. */
  readonly #waiting: number[] = []
  #n = 0
  #opened = 0

  constructor(options: LoadOptions, pattern: Churning, watch: LoadWatch) {
    super(options, pattern, watch)
    const { kind, size, verify, sequence = false } = options
    if (sequence && !verify && kind !== 'deflate' && hasRoom(kind, size, true))
      this.#stamps = new SequenceMaterial(this.heap, kind, size, 1, false, true)
  }

  async measure(moments: Moments): Promise<LoadResult> {
    const seconds = await this.timed(() => this.arrive(Infinity, (due) => this.#due(due)), moments)
    const now = performance.now()
    if (this.measuring) for (const due of this.#unanswered()) record(this.latency, now - due)
    const result = this.result(seconds, {})
    this.measuring = false
    this.stopped = true
    this.throwIfFailed()
    const { total: failed, byReason: refusals } = this.refusals
    const error = this.error ?? this.refusals.problemOf(this.#n)
    const counts = { opened: this.#opened, completed: result.messages, failed }
    return { ...result, counts, ...(refusals && { refusals }), error }
  }

  async close(): Promise<void> {
    this.measuring = false
    this.stop()
    while (this.#exchanges.size > 0) await sleep(POLL)
    this.#stamps?.free()
    const { blocks = [] } = this.#stamps?.batch ?? {}
    for (const block of [...this.batch.blocks, ...blocks]) this.heap.free(block)
  }

  #due(due: number): void {
    if (this.#exchanges.size < this.options.connections) void this.#exchange(due)
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push(due)
    else this.giveUp('the server keeps more connections waiting than can be noted')
  }

  async #exchange(due: number): Promise<void> {
    const n = this.#n++
    this.#exchanges.set(n, due)
    const counts = this.measuring
    const exchange = new Exchange(this, this.#stamps, (this.#first + n) % 2 ** 31)
    const dialled = await this.reach(n)
    if (dialled !== undefined) {
      if (counts) this.#opened++
      const failed = this.#told(await exchange.run(dialled, this.signal))
      if (!this.#told(await exchange.end()) && !failed && counts && this.measuring) this.#completed(due, exchange)
    }
    this.#exchanges.delete(n)
    const next = this.signal.aborted ? undefined : this.#waiting.shift()
    if (next !== undefined) void this.#exchange(next)
  }

  /** Returns whether something went wrong. What ends with the load has not failed. */
  #told(problem: string | undefined): boolean {
    if (problem !== undefined && !this.signal.aborted) this.refusals.add(problem)
    return problem !== undefined
  }

  #completed(due: number, { bytes, sent }: Exchange): void {
    this.messages++
    this.bytes += bytes
    this.sent += sent
    record(this.latency, performance.now() - due)
  }

  /** When each connection was due whose end is not known. */
  #unanswered(): number[] {
    return [...this.#exchanges.values(), ...this.#waiting].filter((due) => due >= this.started)
  }
}
