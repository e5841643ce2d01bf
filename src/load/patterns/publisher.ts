// The connection that sends to a topic: when all receivers have what was sent, or on schedule.
import type { LoadConnection, LoadShared } from '../loadConnection.js'
import type { StampedLine } from '../stampedLine.js'
import type { Scheduled } from '../talk.js'

/** For so many of the last messages it is known when they were due. */
const REMEMBERED = 65_536
/** So many deliveries that have not come are charged when the load ends. */
export const CHARGED = 2 ** 20

export class Publisher implements Scheduled {
  /** Messages that may wait to be sent, or wait for one receiver. */
  most = Infinity
  /** Messages that were sent while it was measured. */
  published = 0
  readonly #shared: LoadShared
  readonly #connection: LoadConnection
  readonly #line: StampedLine
  readonly #receivers: readonly LoadConnection[]
  /** Receivers of other processes. */
  readonly #elsewhere: number
  #begun = false
  /** Deliveries that a batch of the closed loop still waits for. */
  #missing = 0
  #closed = false
  /** When the messages were due that are not sent yet, and those that were sent last. */
  #waiting: number[] = []
  readonly #sent = new Float64Array(REMEMBERED)

  constructor(
    shared: LoadShared,
    connection: LoadConnection,
    line: StampedLine,
    receivers: readonly LoadConnection[],
    elsewhere: number,
  ) {
    this.#shared = shared
    this.#connection = connection
    this.#line = line
    this.#receivers = receivers
    this.#elsewhere = elsewhere
  }

  /** Begins the closed loop. */
  start(): void {
    this.#closed = true
    this.#begin()
    if (this.#connection.writable) this.#publish(undefined)
  }

  add(due: number): void {
    this.#begin()
    const [receiver] = this.#receivers
    if (this.#waiting.length + (receiver?.sequence?.outstanding ?? 0) >= this.most)
      return this.#connection.failed('the server leaves more messages undelivered than can be noted')
    this.#waiting.push(due)
    this.#flush()
  }

  /** So many deliveries have come, or were passed over. */
  arrived(deliveries: number): void {
    if (!this.#closed) return
    this.#missing -= deliveries
    if (this.#missing <= 0 && this.#connection.writable) this.#publish(undefined)
  }

  /** How many were sent in all. */
  get total(): number {
    return this.#line.sequence.sent
  }

  /** When those were due that were sent last, the oldest first, if they were sent on schedule. */
  get last(): readonly number[] {
    const known = this.#closed ? 0 : Math.min(this.total, REMEMBERED)
    return Array.from({ length: known }, (_, at) => this.#sent[(this.total - known + at) % REMEMBERED] ?? 0)
  }

  get unanswered(): readonly number[] {
    const times: number[] = []
    for (const { sequence } of this.#receivers) {
      const { outstanding = 0, next = 0 } = sequence ?? {}
      for (let number = next + Math.max(0, outstanding - REMEMBERED); number < next + outstanding; number++) {
        if (times.length === CHARGED) return times
        times.push(this.#sent[number % REMEMBERED] ?? 0)
      }
    }
    return times
  }

  #begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#connection.begin({ answered() {}, writable: () => this.#writable() })
  }

  #writable(): void {
    if (!this.#closed) this.#flush()
    else if (this.#missing <= 0) this.#publish(undefined)
  }

  #flush(): void {
    let sent = 0
    while (sent < this.#waiting.length && this.#connection.writable) this.#publish(this.#waiting[sent++])
    this.#waiting = sent === this.#waiting.length ? [] : this.#waiting.slice(sent)
  }

  /** Sends a batch, which was due then. All receivers are to get it, whatever they have got before. */
  #publish(due: number | undefined): void {
    const { messages } = this.#shared.batch
    this.#line.due = due
    this.#sent[this.#line.sequence.sent % REMEMBERED] = due ?? performance.now()
    this.#missing = messages * (this.#receivers.length + this.#elsewhere)
    if (this.#shared.measuring) this.published += messages
    for (const { sequence } of this.#receivers) sequence?.add(messages)
    this.#connection.send()
  }
}
