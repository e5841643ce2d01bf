// What a broker over channels of Redis keeps, whichever servers the channels lie on: what is published and not confirmed, and
// what comes, with the counts of both.
import type { BrokerStatistics, Interrupted, Receive } from '../topics/broker.js'
import type { Outcome, TakeMessage } from './channelNode.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { Ledger, lengthOf } from './ledger.js'
import { eachPublication } from './publication.js'

export class ChannelLedger {
  readonly #prefix: string
  readonly #prefixBytes: number
  readonly #maxBuffered: number
  readonly #ledger = new Ledger()
  /** Bytes that Redis has not confirmed. */
  #buffered = 0
  #unconfirmed = 0
  #invalid = 0
  #interrupted: Interrupted = () => undefined
  #whenEmpty: (() => void) | undefined

  constructor(prefix: string, maxBuffered: number) {
    this.#prefix = prefix
    this.#prefixBytes = Buffer.byteLength(prefix)
    this.#maxBuffered = maxBuffered
  }

  statistics(connected: boolean): BrokerStatistics & { readonly unconfirmed: number; readonly invalid: number } {
    return { ...this.#ledger.statistics(connected), unconfirmed: this.#unconfirmed, invalid: this.#invalid }
  }

  attach(receive: Receive, interrupted: Interrupted = this.#interrupted): void {
    this.#ledger.attach(receive)
    this.#interrupted = interrupted
  }

  channel(topic: string): string {
    return this.#prefix + topic
  }

  /** Counts from now on what is missing on a topic; returns its channel. */
  subscribe(topic: string): string {
    this.#ledger.subscribe(topic)
    return this.channel(topic)
  }

  unsubscribe(topic: string): string {
    this.#ledger.unsubscribe(topic)
    return this.channel(topic)
  }

  /** A publication as it is sent; undefined if it has to be dropped, which is counted. */
  record(topic: string, payload: Uint8Array, isText: boolean, isAway: boolean): Buffer | undefined {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return undefined
    if (isAway || this.#buffered >= this.#maxBuffered) {
      this.#ledger.dropped++
      return undefined
    }
    const record = Buffer.allocUnsafe(lengthOf(numbered, payload))
    this.#ledger.write(record, numbered, payload, isText)
    this.#buffered += record.length
    return record
  }

  settled(publications: number, bytes: number, outcome: Outcome): void {
    this.#buffered -= bytes
    if (outcome === 'dropped') this.#ledger.dropped += publications
    if (outcome === 'unconfirmed') this.#unconfirmed += publications
    if (this.#buffered === 0) this.#whenEmpty?.()
  }

  interrupted(): void {
    this.#interrupted()
  }

  /** A client that may publish on one channel must not reach the topics of other channels. */
  readonly take: TakeMessage = (message, channel) => {
    const deliver = (record: Buffer): unknown => this.#ledger.deliver(record)
    if (!eachPublication(message, channel, this.#prefixBytes, deliver)) this.#invalid++
  }

  /** Resolves when everything is settled, or after the time that an end may take. */
  async emptied(): Promise<void> {
    if (this.#buffered === 0) return
    await new Promise<void>((resolve) => {
      const late = setTimeout(resolve, CLOSE_TIMEOUT)
      this.#whenEmpty = () => {
        clearTimeout(late)
        resolve()
      }
    })
  }
}
