// A connection whose server does not answer: a pong says that the server has read what was sent before the ping (RFC 6455, section
// 5.5.3 lets it leave out the pongs for all but the last ping, so there is one at a time).
import { Buffer } from 'node:buffer'
import type { LoadConnection, Strategy } from '../loadConnection.js'
import type { Sending } from '../strategies.js'

export class PongedMessages implements Sending {
  readonly #connection: LoadConnection
  readonly #batch: number
  readonly #unasked: (messages: number) => void
  readonly #ping = Buffer.alloc(4)
  #strategy: Strategy | undefined
  #pinging = false
  /** Messages that were sent, that the ping under way comes behind, and that were read. */
  #sent = 0
  #covered = 0
  #read = 0

  /** A batch has so many messages; `unasked` is told of messages that come. */
  constructor(connection: LoadConnection, batch: number, unasked: (messages: number) => void) {
    this.#connection = connection
    this.#batch = batch
    this.#unasked = unasked
  }

  begin(strategy: Strategy): void {
    this.#strategy = strategy
    this.#connection.begin({
      answered: this.#unasked,
      ponged: (payload) => this.#ponged(payload),
      writable: () => strategy.writable(),
    })
  }

  get writable(): boolean {
    return this.#connection.writable
  }

  send(): void {
    this.#sent += this.#batch
    this.#connection.send()
    if (!this.#pinging) this.#askFor()
  }

  failed(reason: string): void {
    this.#connection.failed(reason)
  }

  #askFor(): void {
    this.#pinging = true
    this.#covered = this.#sent
    this.#ping.writeUInt32LE(this.#covered >>> 0)
    this.#connection.ping(this.#ping)
  }

  /** Another pong than that which was asked for says nothing. */
  #ponged(payload: Buffer): void {
    if (!this.#pinging || !this.#ping.equals(payload)) return
    this.#pinging = false
    const messages = this.#covered - this.#read
    this.#read = this.#covered
    this.#strategy?.answered(messages)
    if (!this.#pinging && this.#sent > this.#covered) this.#askFor()
  }
}
