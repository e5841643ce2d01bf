// Messages are JSON, and a field says which of them an answer is for: so many are under way on each connection, or they are sent on
// schedule.
import type { ClientSocket } from '../dial.js'
import { LoadConnection, type LoadShared, type Strategy } from '../loadConnection.js'
import type { LoadOptions } from '../options.js'
import type { Disorder } from '../sequence.js'
import { SHOWN } from '../stampedLine.js'
import { record } from '../strategies.js'
import type { Scheduled, Talk } from '../talk.js'
import { MatchedLine, type MatchedMaterial } from './matchedLine.js'
import { templateOf } from './matchedMessages.js'

/** What a load has to say of matching. */
interface Matching {
  readonly field: string
  readonly message?: string
}

export class MatchTalk implements Talk {
  readonly extra = 0
  readonly material
  readonly #shared: LoadShared
  readonly #matched: MatchedMaterial
  readonly #inFlight: number
  readonly #lines: MatchedConversation[] = []

  constructor(shared: LoadShared, { size, rate, pipeline }: LoadOptions, { field, message }: Matching) {
    this.#shared = shared
    this.#inFlight = rate > 0 ? 0 : pipeline
    this.#matched = { heap: shared.heap, field, template: templateOf(field, size, message), next: 1 }
    this.material = { batch: { answers: SHOWN, blocks: [], pointer: 0, length: 0, messages: 1 } }
  }

  addressOf(url: URL): URL {
    return url
  }

  joined(dialled: ClientSocket, number: number): LoadConnection {
    const conversation = new MatchedConversation(this.#shared, this.#matched, dialled, number)
    this.#lines.push(conversation)
    return conversation.connection
  }

  begin(): void {
    for (const line of this.#lines) line.begin(this.#inFlight)
  }

  schedules(most: number): readonly Scheduled[] {
    for (const line of this.#lines) {
      line.most = most
      line.begin(0)
    }
    return this.#lines
  }

  get outstanding(): number {
    return this.#lines.reduce((sum, { line }) => sum + line.due.size, 0)
  }

  disorder(over: boolean): Disorder {
    const total = { lost: over ? this.outstanding : 0, doubled: 0, reordered: 0 }
    for (const { line } of this.#lines) {
      total.doubled += line.doubled
      total.reordered += line.reordered
    }
    return total
  }

  /** Who answers by ids may do so in any order. */
  get counts(): { readonly others: number } {
    return { others: this.#lines.reduce((sum, { line }) => sum + line.others, 0) }
  }

  free(): void {
    // Each message was given back when it was written.
  }
}

/** One connection, and what waits to be sent on it. */
class MatchedConversation implements Scheduled, Strategy {
  most = Infinity
  readonly line: MatchedLine
  readonly connection: LoadConnection
  #inFlight = 0
  /** When what is not sent yet was due. */
  #waiting: number[] = []

  constructor(shared: LoadShared, material: MatchedMaterial, dialled: ClientSocket, number: number) {
    this.line = new MatchedLine(material, (due) => {
      if (!shared.measuring) return
      shared.messages++
      record(shared.latency, performance.now() - due)
    })
    this.connection = new LoadConnection(shared, dialled, SHOWN, number, this.line)
  }

  /** So many messages are to be under way at any time; 0 on schedule. */
  begin(inFlight: number): void {
    this.#inFlight = inFlight
    this.connection.begin(this)
    this.writable()
  }

  add(due: number): void {
    if (this.line.due.size + this.#waiting.length >= this.most)
      return this.connection.failed('the server leaves more messages unanswered than can be noted')
    this.#waiting.push(due)
    this.writable()
  }

  get unanswered(): readonly number[] {
    return [...this.line.due.values(), ...this.#waiting]
  }

  answered(): void {
    this.writable()
  }

  writable(): void {
    while (this.line.due.size < this.#inFlight && this.connection.writable) this.#send(performance.now())
    let sent = 0
    for (const due of this.#waiting) {
      if (!this.connection.writable) break
      this.#send(due)
      sent++
    }
    if (sent > 0) this.#waiting = this.#waiting.slice(sent)
  }

  #send(due: number): void {
    this.line.dueNext = due
    this.connection.send()
  }
}
