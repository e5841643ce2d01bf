// A connection whose server answers each message by several: the last of them is the answer.
import type { Strategy } from '../loadConnection.js'
import type { Sending } from '../strategies.js'

export class GroupedAnswers implements Sending {
  readonly #connection: Sending
  readonly #group: number
  /** Messages of an answer that is not complete. */
  #rest = 0

  constructor(connection: Sending, group: number) {
    this.#connection = connection
    this.#group = group
  }

  begin(strategy: Strategy): void {
    this.#connection.begin({
      answered: (messages) => {
        const come = this.#rest + messages
        this.#rest = come % this.#group
        if (come >= this.#group) strategy.answered(Math.floor(come / this.#group))
      },
      writable: () => strategy.writable(),
    })
  }

  get writable(): boolean {
    return this.#connection.writable
  }

  send(): void {
    this.#connection.send()
  }

  failed(reason: string): void {
    this.#connection.failed(reason)
  }
}
