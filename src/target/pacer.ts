// Sends messages at a rate that is exact over time: each message has the time at which it is due, and what could not be
// sent then is caught up with. Nothing is sent while the peer does not read.

import { inPushTurn } from './pushTurns.js'

/** Milliseconds for which one connection is pushed to before the others have a turn. */
const SHARE = 1

/** The longest wait for the next message, in milliseconds: a timer takes no longer time than 2^31 - 1. */
const LONGEST_WAIT = 1 << 30

export interface PacerOptions {
  /** Messages per second; undefined sends as fast as the peer reads. */
  readonly rate: number | undefined
  /** How many messages there are; undefined for any number. */
  readonly count: number | undefined
  /** Sends the message with this number, from 0 on. False if the peer must read first: then `goOn` is called later. */
  send(number: number): boolean
  /** All messages are sent. */
  done(): void
}

export class Pacer {
  readonly #options: PacerOptions
  readonly #began = performance.now()
  #sent = 0
  #timer: NodeJS.Timeout | undefined
  /** Whether its next step waits for its turn. */
  #waits = false
  #ended = false

  constructor(options: PacerOptions) {
    this.#options = options
    this.#wait(0)
  }

  /** The peer has read what it was sent. */
  goOn(): void {
    if (!this.#ended) this.#wait(0)
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
  }

  #step(): void {
    this.#waits = false
    if (this.#ended) return
    const { send } = this.#options
    const now = performance.now()
    for (const due = this.#due(now); this.#sent < due; ) {
      const goesOn = send(this.#sent++)
      if (this.#ended) return
      if (!goesOn) {
        this.#finishIfDone()
        return
      }
      if (performance.now() - now > SHARE) break
    }
    if (!this.#finishIfDone()) this.#wait(this.#untilDue())
  }

  /** How many messages should have been sent by now. */
  #due(now: number): number {
    const { rate, count = Number.POSITIVE_INFINITY } = this.#options
    return Math.min(count, rate === undefined ? count : Math.floor(((now - this.#began) * rate) / 1000) + 1)
  }

  #untilDue(): number {
    const { rate } = this.#options
    return rate === undefined ? 0 : this.#began + (this.#sent * 1000) / rate - performance.now()
  }

  #finishIfDone(): boolean {
    const { count, done } = this.#options
    if (this.#sent < (count ?? Number.POSITIVE_INFINITY)) return false
    this.end()
    done()
    return true
  }

  #wait(milliseconds: number): void {
    clearTimeout(this.#timer)
    if (milliseconds > 0) this.#timer = setTimeout(() => this.#wait(0), Math.min(milliseconds, LONGEST_WAIT))
    else if (!this.#waits) {
      this.#waits = true
      inPushTurn(() => this.#step())
    }
  }
}
