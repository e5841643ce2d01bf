// Handlers whose promises have not settled, by connection: a server that closes waits for them.
import type { Connection } from './connection.js'

export class Work {
  /** Handlers that may still answer a message of their connection. */
  readonly #answering = new Map<Connection<unknown>, number>()
  /** All others. */
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
    const left = (this.#answering.get(connection) ?? 1) - 1
    if (left === 0) this.#answering.delete(connection)
    else this.#answering.set(connection, left)
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
