// How long connections may be there, where `upgrade` has said so: at the end of its term, a connection is renewed by the
// `refresh` handler, or closed. The terms of all connections are deadlines on one wheel.
import { types } from 'node:util'
import { callerError } from '../checks/errors.js'
import { isThenable, promiseOf } from '../checks/thenable.js'
import { CloseCode } from '../protocol/closeCode.js'
import { type Deadlines, type Expiring, noDeadline } from '../time/deadlines.js'

/** What a term needs of a peer. */
export interface Termed<Connection = unknown> {
  readonly connection: Connection
  readonly isOpen: boolean
  close(code: number, reason: string): void
  handlerFailed(error: unknown): void
}

/** Asks the application until when a connection may stay. */
export type Refresh = () => unknown

/** The clock of the wall is looked at so often, in ms: the wheel does not count time in which the machine slept. */
const STEP = 30_000
/** How long `refresh` may take, in milliseconds. */
const PATIENCE = 10_000

class Term implements Expiring {
  due = noDeadline.due
  place = noDeadline.place
  readonly #deadlines: Deadlines
  readonly #connection: Termed
  readonly #refresh: Refresh | undefined
  #until: number
  /** The question that is open. */
  #question: object | undefined

  constructor(deadlines: Deadlines, connection: Termed, until: number, refresh: Refresh | undefined) {
    this.#deadlines = deadlines
    this.#connection = connection
    this.#until = until
    this.#refresh = refresh
    this.#wait()
  }

  expired(): void {
    if (!this.#connection.isOpen) return
    if (this.#question !== undefined) this.#end()
    else if (Date.now() < this.#until) this.#wait()
    else this.#ask()
  }

  #wait(): void {
    this.#deadlines.set(this, Math.min(Math.max(1, this.#until - Date.now()), STEP))
  }

  #ask(): void {
    if (this.#refresh === undefined) return this.#end()
    const question = {}
    this.#question = question
    this.#deadlines.set(this, PATIENCE)
    try {
      const answer = this.#refresh()
      if (!isThenable(answer)) return this.#answered(question, answer)
      promiseOf(answer).then(
        (settled) => this.#answered(question, settled),
        (error: unknown) => this.#failed(question, error),
      )
    } catch (error) {
      this.#failed(question, error)
    }
  }

  #answered(question: object, answer: unknown): void {
    if (question !== this.#question || !this.#connection.isOpen) return
    this.#question = undefined
    const until = types.isDate(answer) ? Date.prototype.getTime.call(answer) : answer
    if (until === undefined || until === null || until === false) return this.#end()
    if (typeof until !== 'number' || !Number.isFinite(until))
      return this.#connection.handlerFailed(
        callerError('ERR_REFRESH_ANSWER', 'refresh must return a Date, milliseconds since 1970, or nothing'),
      )
    if (until <= Date.now()) return this.#end()
    this.#until = until
    this.#wait()
  }

  #failed(question: object, error: unknown): void {
    if (question === this.#question && this.#connection.isOpen) this.#connection.handlerFailed(error)
  }

  #end(): void {
    this.#connection.close(CloseCode.policyViolation, 'expired')
  }
}

export class Terms {
  readonly #deadlines: Deadlines
  readonly #terms = new Map<unknown, Term>()

  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines
  }

  /** The connection of a peer may stay until a time in milliseconds since 1970; then `refresh` is asked, if there is one. */
  begin<Connection>(
    peer: Termed<Connection>,
    until: number,
    handlers: { refresh?(connection: Connection): unknown },
  ): void {
    const refresh = handlers.refresh && ((): unknown => handlers.refresh?.(peer.connection))
    this.#terms.set(peer.connection, new Term(this.#deadlines, peer, until, refresh))
  }

  /** The connection has ended. */
  end(connection: unknown): void {
    const term = this.#terms.get(connection)
    if (term === undefined) return
    this.#terms.delete(connection)
    this.#deadlines.clear(term)
  }
}
