// Who has published what is on its way to come back: it is sent to all others.
import type { Subscriber } from '../connection/subscriber.js'

export class Excepts {
  /** Of each topic, publishers by the tickets of their publications, in order. */
  readonly #topics = new Map<string, Map<number, Subscriber>>()

  add(topic: string, ticket: number, publisher: Subscriber): void {
    const tickets = this.#topics.get(topic)
    if (tickets === undefined) this.#topics.set(topic, new Map([[ticket, publisher]]))
    else tickets.set(ticket, publisher)
  }

  /** The publisher of what has come back. */
  take(topic: string, ticket: number): Subscriber | undefined {
    const tickets = this.#topics.get(topic)
    const publisher = tickets?.get(ticket)
    if (tickets?.delete(ticket) && tickets.size === 0) this.#topics.delete(topic)
    return publisher
  }

  /** What was published on a topic before this does not come any more. */
  forget(topic: string, ticket: number): void {
    const tickets = this.#topics.get(topic)
    if (tickets === undefined) return
    for (const earlier of tickets.keys()) {
      if (earlier >= ticket) break
      tickets.delete(earlier)
    }
    if (tickets.size === 0) this.#topics.delete(topic)
  }

  /** Nothing comes back any more. */
  clear(): void {
    this.#topics.clear()
  }
}
