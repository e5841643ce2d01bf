// Searches for the largest rate at which a server's latency stays within a bound: the rate is doubled until the bound is broken,
// then the gap is halved until it is small, and what is found is confirmed by a longer load.
import { disorderOf } from './disorder.js'
import { GENERATOR_LATE } from './generator.js'
import type { Pattern } from './pattern.js'
import type { LoadResult } from './result.js'

/** What was found at a rate. `generator`: it did not hold, but the load generator may be to blame. */
export type StepVerdict = 'holds' | 'fails' | 'generator'

/** One load of the search. */
export interface SearchStep {
  /** Messages per second that were asked for, and those that were answered. */
  readonly rate: number
  readonly messagesPerSecond: number
  readonly seconds: number
  /** Latencies in microseconds. */
  readonly p50: number
  readonly p99: number
  readonly verdict: StepVerdict
  /** Why it does not hold; empty if it does. */
  readonly reason: string
  /** Whether it was a longer one, which confirms what was found. */
  readonly confirms: boolean
}

/** What a search has found. */
export interface Found {
  /** The largest rate that was confirmed; 0 if there is none. */
  readonly rate: number
  /** Who did not hold the rate above: the server, the load generator; or nobody, if there is no larger rate to try. */
  readonly limit: 'server' | 'generator' | 'none'
  /** The smallest rate that did not hold; 0 if all did. */
  readonly above: number
  readonly steps: readonly SearchStep[]
  /** The load that has confirmed it, or else the last one. */
  readonly result: LoadResult
}

export interface Search {
  /** What the 99th percentile must not exceed, in microseconds. */
  readonly bound: number
  /** Seconds of a load that confirms; each other step takes STEP seconds, or those. */
  readonly duration: number
  readonly pattern?: Pattern | undefined
  /** Runs a load at a rate. */
  measure(rate: number, seconds: number): Promise<LoadResult>
  /** Is told of each step. */
  told?(step: SearchStep): void
  /** Whether somebody has ended the search. */
  stopped?(): boolean
}

const STEP = 2
const FIRST = 1000
const LEAST = 1
const MOST = 2_000_000
/** A gap is small enough when its ends differ by this factor. */
const NEAR = 1.05
/** What is not confirmed is tried again a little lower, so often. */
const LOWER = 0.9
const MOST_CONFIRMATIONS = 8
/** This share of the messages must be answered in the time: what waits would only fill queues. */
const ANSWERED = 0.99
const DIGITS = 3

export async function findRate(search: Search): Promise<Found> {
  const first = await search.measure(FIRST, shortOf(search))
  const finder = new Finder(search, first)
  await finder.bracket(first)
  await finder.bisect()
  return finder.confirm()
}

class Finder {
  readonly #search: Search
  readonly #steps: SearchStep[] = []
  #low = 0
  #high = Number.POSITIVE_INFINITY
  #limit: Found['limit'] = 'none'
  #last: LoadResult

  constructor(search: Search, first: LoadResult) {
    this.#search = search
    this.#last = first
  }

  /** Finds a rate that holds, and one that does not. */
  async bracket(first: LoadResult): Promise<void> {
    await this.#settle(this.#noted(FIRST, first, false))
    for (let rate = 2 * FIRST; this.#goesOn && rate <= MOST && this.#high > rate; rate *= 2) await this.#try(rate)
    while (this.#goesOn && this.#low === 0 && this.#high > LEAST) await this.#try(rounded(this.#high / 4))
  }

  async bisect(): Promise<void> {
    while (this.#goesOn && this.#low > 0 && this.#high < Number.POSITIVE_INFINITY) {
      const middle = rounded(Math.sqrt(this.#low * this.#high))
      if (this.#high / this.#low <= NEAR || middle <= this.#low || middle >= this.#high) return
      await this.#try(middle)
    }
  }

  /** A longer load at what was found, or at less if that does not hold. */
  async confirm(): Promise<Found> {
    let rate = this.#low
    for (let times = 0; this.#goesOn && rate >= LEAST && times < MOST_CONFIRMATIONS; times++) {
      const { verdict } = await this.#measure(rate, this.#search.duration, true)
      if (verdict === 'holds') return this.#found(rate)
      this.#broken(rate, verdict)
      rate = Math.min(rounded(rate * LOWER), rate - 1)
    }
    return this.#found(0)
  }

  /** A server that fails at the lowest rate for another reason than latency fails at all of them; so does nobody who was stopped. */
  get #goesOn(): boolean {
    const broken = this.#low === 0 && this.#last.messages === 0
    return !broken && this.#search.stopped?.() !== true
  }

  async #try(rate: number): Promise<void> {
    await this.#settle(await this.#measure(rate, shortOf(this.#search), false))
  }

  /** What does not hold is tried again: one hiccup of the machine must not end the search too low. */
  async #settle(first: SearchStep): Promise<void> {
    if (!this.#goesOn) return
    const { rate } = first
    const { verdict } = first.verdict === 'holds' ? first : await this.#measure(rate, shortOf(this.#search), false)
    if (!this.#goesOn) return
    if (verdict === 'holds') this.#low = rate
    else this.#broken(rate, verdict)
  }

  #broken(rate: number, verdict: 'fails' | 'generator'): void {
    this.#high = rate
    this.#limit = verdict === 'fails' ? 'server' : 'generator'
    if (this.#low >= rate) this.#low = 0
  }

  async #measure(rate: number, seconds: number, confirms: boolean): Promise<SearchStep> {
    const result = await this.#search.measure(rate, seconds)
    this.#last = result
    return this.#noted(rate, result, confirms)
  }

  #noted(rate: number, result: LoadResult, confirms: boolean): SearchStep {
    const { p50, p99 } = result.latency
    const reason = reasonOf(result, rate, this.#search.bound)
    const verdict = reason === '' ? 'holds' : blames(result, this.#search) ? 'generator' : 'fails'
    const { messagesPerSecond } = result
    const step = { rate, messagesPerSecond, seconds: result.seconds, p50, p99, verdict, reason, confirms } as const
    this.#steps.push(step)
    this.#search.told?.(step)
    return step
  }

  #found(rate: number): Found {
    const above = Number.isFinite(this.#high) ? this.#high : 0
    return { rate, limit: this.#limit, above, steps: this.#steps, result: this.#last }
  }
}

/** Seconds of a step that does not confirm. */
function shortOf({ duration }: Search): number {
  return Math.min(STEP, duration)
}

/** Why a rate does not hold; empty if it does. */
function reasonOf({ latency, messages, seconds, error }: LoadResult, rate: number, bound: number): string {
  if (latency.p99 > bound) return 'the latency is above the bound'
  if (error !== undefined) return error
  if (messages === 0) return 'nothing was answered'
  // What was due within the last latency is still on its way.
  const due = rate * Math.max(0, seconds - latency.p99 / 1e6)
  return messages < ANSWERED * due - 1 ? 'not all of it was answered in time' : ''
}

/** A generator that sends late makes all that it sends look late. */
function blames(result: LoadResult, { bound, pattern }: Search): boolean {
  const { generator, error } = result
  // What it has not read by the end counts as lost.
  const failed = error !== undefined && error !== disorderOf(result, { pattern })
  return !failed && generator.late > Math.min(GENERATOR_LATE, bound / 2000)
}

/** In three digits: a search is no more precise. */
function rounded(rate: number): number {
  return Math.max(LEAST, Math.round(Number(rate.toPrecision(DIGITS))))
}
