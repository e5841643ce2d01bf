// What every broker here keeps: the numbers of what it publishes, the gaps in what it receives, and the counts of both.
import type { BrokerStatistics, Receive } from '../topics/broker.js'
import { Gaps } from './gaps.js'
import { type NumberedTopic, Numbering } from './numbering.js'
import { MAX_RECORD_BYTES, RecordKind, readRecord, recordLength, writeRecord } from './publication.js'

export class Ledger {
  readonly #numbering = new Numbering()
  readonly #gaps = new Gaps()
  #receive: Receive = () => undefined
  #published = 0
  #received = 0
  /** Publications that are missing by other numbers than those of their publishers. */
  #missed = 0
  /** Publications of this process that were dropped. */
  dropped = 0

  /** Tells this publisher from all others. */
  get publisher(): number {
    return this.#numbering.publisher
  }

  attach(receive: Receive): void {
    this.#receive = receive
  }

  subscribe(topic: string): void {
    this.#gaps.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#gaps.unsubscribe(topic)
  }

  /** Counts and numbers a publication; a publication that no record can hold is dropped. */
  next(topic: string, payload: Uint8Array): NumberedTopic | undefined {
    this.#published++
    const numbered = this.#numbering.next(topic)
    if (numbered !== undefined && lengthOf(numbered, payload) <= MAX_RECORD_BYTES) return numbered
    this.dropped++
    return undefined
  }

  /** Writes what was numbered by `next`, into memory of `lengthOf` bytes. */
  write(target: Buffer, numbered: NumberedTopic, payload: Uint8Array, isText: boolean): void {
    const { number, begins, bytes } = numbered
    const heading = { kind: RecordKind.publication, isText, begins, number, publisher: this.#numbering.publisher }
    writeRecord(target, heading, bytes, payload)
  }

  /**
   * Delivers a publication, if it is somebody else's on a topic that is subscribed. False for what is no publication.
   */
  deliver(record: Buffer): boolean {
    const publication = readRecord(record)
    if (publication?.kind !== RecordKind.publication) return false
    const before = this.#gaps.missed
    if (publication.publisher === this.#numbering.publisher || !this.#gaps.note(publication)) return true
    this.#received++
    this.#receive(publication.topic, publication.payload, publication.isText, this.#gaps.missed - before)
    return true
  }

  /** Counts what came in the order of the hub, and what of that is missing. */
  count(received: number, missed: number): void {
    this.#received += received
    this.#missed += missed
  }

  statistics(connected: boolean): BrokerStatistics {
    const { dropped } = this
    const missed = this.#gaps.missed + this.#missed
    return { connected, published: this.#published, dropped, received: this.#received, missed }
  }
}

/** Bytes of a publication's record. */
export function lengthOf(numbered: NumberedTopic, payload: Uint8Array): number {
  return recordLength(numbered.bytes.length, payload.length)
}
