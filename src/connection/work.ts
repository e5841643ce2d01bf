// Handlers whose promises have not settled, by connection: a server that closes waits for them.
import type { Connection } from './connection.js'

export class Work {
  /** Handlers that may still answer a message of their connection. */
  readonly #answering = new Map<Connection<unknown>, number>()
  /** All other handlers. */
  #others = 0

  /** Whether any handler is under way, of whichever connection. */
  get busy(): boolean {
    return this.#others > 0 || this.#answering.size > 0
  }

  /** Whether handlers of this connection's messages are under way. */
  answers(connection: Connection<unknown>): boolean {
    return this.#answering.has(connection)
  }

  /** The handler of a message has returned a promise. */
  answerBegins(connection: Connection<unknown>): void {
    this.#answering.set(connection, (this.#answering.get(connection) ?? 0) + 1)
  }

  /** That promise has settled. */
  answerEnds(connection: Connection<unknown>): void {
    const count = this.#answering.get(connection)
    if (count === undefined) this.#others--
    else if (count === 1) this.#answering.delete(connection)
    else this.#answering.set(connection, count - 1)
  }

  /** The connection has ended: its handlers go on, but can't answer any more, so the connection is not kept for them. */
  leaves(connection: Connection<unknown>): void {
    this.#others += this.#answering.get(connection) ?? 0
    this.#answering.delete(connection)
  }

  /** Another handler has returned a promise. */
  begins(): void {
    this.#others++
  }

  /** That promise has settled. */
  ends(): void {
    this.#others--
  }
}
