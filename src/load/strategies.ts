// When a connection of an echo load sends: as soon as everything is answered, or on schedule.
import type { LoadConnection, LoadShared, Strategy } from './loadConnection.js'

/** The schedule cuts its lists when this many of their messages are answered. */
const FORGET = 1024
const TOO_MANY = 'the server sent more messages than it got'

/** A connection that sends what a strategy says. */
export type Sending = Pick<LoadConnection, 'begin' | 'writable' | 'send' | 'failed'>

/** Sends a batch, and another whenever one is answered; a latency is that of a whole batch. */
export class ClosedLoop implements Strategy {
  readonly #shared: LoadShared
  readonly #connection: Sending
  /** Answers that the current batch still waits for. */
  #due = 0
  #sentAt = 0

  constructor(shared: LoadShared, connection: Sending) {
    this.#shared = shared
    this.#connection = connection
  }

  start(): void {
    this.#connection.begin(this)
    if (this.#connection.writable) this.#send()
  }

  /** Messages that wait for their answers. */
  get outstanding(): number {
    return Math.max(this.#due, 0)
  }

  answered(messages: number): void {
    const { measuring, latency } = this.#shared
    if (measuring) this.#shared.messages += messages
    this.#due -= messages
    if (this.#due < 0) return this.#connection.failed(TOO_MANY)
    if (this.#due > 0) return
    if (measuring) record(latency, performance.now() - this.#sentAt)
    if (this.#connection.writable) this.#send()
  }

  /** What is passed over is not waited for: else a message that is lost would end the load of its connection. */
  passed(messages: number): void {
    this.#due -= messages
  }

  writable(): void {
    if (this.#due === 0) this.#send()
  }

  #send(): void {
    this.#sentAt = performance.now()
    this.#due = this.#shared.batch.messages
    this.#connection.send()
  }
}

/** Sends each message when it is due, whether or not others are answered. */
export class Schedule implements Strategy {
  readonly #shared: LoadShared
  readonly #connection: Sending
  /** Messages that may be due and unanswered. */
  readonly #most: number
  /** When each unanswered message was due, and how many are not sent yet. */
  readonly #due: number[] = []
  #answered = 0
  #unsent = 0
  #begun = false

  constructor(shared: LoadShared, connection: Sending, most: number) {
    this.#shared = shared
    this.#connection = connection
    this.#most = most
  }

  /** Sends one message that was due at `at`. What comes before the first one is no answer. */
  add(at: number): void {
    if (!this.#begun) this.#connection.begin(this)
    this.#begun = true
    if (this.#due.length - this.#answered >= this.#most) {
      return this.#connection.failed('the server leaves more messages unanswered than can be noted')
    }
    this.#due.push(at)
    this.#unsent++
    this.writable()
  }

  /** Messages that were sent and wait for their answers. */
  get outstanding(): number {
    return this.#due.length - this.#answered - this.#unsent
  }

  /** When each message that is not answered yet was due. */
  get unanswered(): readonly number[] {
    return this.#due.slice(this.#answered)
  }

  /** Latency counts from when a message was due, so that a stall counts for every message that it delayed. */
  answered(messages: number): void {
    const shared = this.#shared
    const now = performance.now()
    for (let n = 0; n < messages; n++) {
      const due = this.#due[this.#answered++]
      if (due === undefined) return this.#connection.failed(TOO_MANY)
      if (!shared.measuring) continue
      shared.messages++
      record(shared.latency, now - due)
    }
    if (this.#answered < FORGET) return
    this.#due.splice(0, this.#answered)
    this.#answered = 0
  }

  /** What is passed over has no latency. */
  passed(messages: number): void {
    this.#answered += messages
  }

  writable(): void {
    while (this.#unsent > 0 && this.#connection.writable) {
      this.#unsent--
      this.#connection.send()
    }
  }
}

/** Notes a latency that is given in milliseconds. */
export function record(latency: LoadShared['latency'], milliseconds: number): void {
  latency.record(Math.max(1, Math.round(milliseconds * 1e6)))
}
