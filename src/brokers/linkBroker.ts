// The acceptor's side of the embedded broker: a stream to the hub in the primary process of the same machine.
import type { Duplex } from 'node:stream'
import { Soon } from '../time/soon.js'
import { type BrokerStatistics, MAX_TOPIC_BYTES, type Receive } from '../topics/broker.js'
import type { HistoryLimits } from '../topics/options.js'
import type { Order, OrderingBroker, Recalled } from '../topics/ordering.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { Interest } from './interest.js'
import { Ledger, lengthOf } from './ledger.js'
import {
  keepLength,
  MOST_ADDED,
  type OrderedPublication,
  readOrdered,
  readStanding,
  writeKeep,
  writeRecall,
} from './orderedRecords.js'
import {
  kindOf,
  MAX_RECORD_BYTES,
  RecordDecoder,
  RecordKind,
  recordLength,
  topicOf,
  writeRecord,
} from './publication.js'
import { SendQueue } from './sendQueue.js'

export interface LinkBrokerOptions {
  /** Bytes that may wait for the hub; while more do, publications are dropped. Default 8 MiB. */
  readonly maxBuffered?: number
}

const MAX_BUFFERED = 8 * 1024 * 1024
/** The largest number of a record. */
const MOST_NUMBER = 2 ** 48 - 1

export class LinkBroker implements OrderingBroker {
  readonly #stream: Duplex
  readonly #queue: SendQueue
  readonly #ledger = new Ledger()
  readonly #interest = new Interest()
  readonly #soon = new Soon(() => this.#announce())
  #order: Order | undefined
  /** How much is kept of topics whose hub has not been told yet. */
  readonly #untold = new Map<string, HistoryLimits>()
  /** Questions that were not asked yet. */
  #recalls: { readonly topic: string; readonly after: number; readonly before: number }[] = []
  /** The publications of an answer that is not complete. */
  #recalled: Recalled[] = []
  #closing: Promise<void> | undefined

  /** `stream`: what the hub's `join` has the other end of. */
  constructor(stream: Duplex, { maxBuffered = MAX_BUFFERED }: LinkBrokerOptions = {}) {
    this.#stream = stream
    this.#queue = new SendQueue(stream, maxBuffered, () => this.#announce())
    const decoder = new RecordDecoder(MAX_RECORD_BYTES + MOST_ADDED) // the longest publication comes back longer
    const deliver = (record: Buffer): boolean => this.#deliver(record)
    // 'close' follows; that the hub is gone shows in the statistics.
    stream.on('error', () => undefined)
    stream.on('end', () => stream.destroy())
    stream.on('close', () => this.#order?.lost())
    stream.on('data', (chunk: Buffer) => {
      if (!decoder.push(chunk, deliver)) stream.destroy()
    })
  }

  get statistics(): BrokerStatistics {
    return this.#ledger.statistics(this.#connected)
  }

  get #connected(): boolean {
    return this.#stream.writable && this.#closing === undefined
  }

  attach(receive: Receive): void {
    this.#ledger.attach(receive)
  }

  order(order: Order): void {
    this.#order = order
  }

  subscribe(topic: string): void {
    this.#ledger.subscribe(topic)
    this.#interest.add(topic)
    this.#soon.ask()
  }

  unsubscribe(topic: string): void {
    this.#ledger.unsubscribe(topic)
    this.#untold.delete(topic)
    this.#interest.remove(topic)
    this.#soon.ask()
  }

  keep(topic: string, limits: HistoryLimits): void {
    this.#untold.set(topic, limits)
    this.subscribe(topic)
  }

  recall(topic: string, after: number, before: number): boolean {
    if (!this.#connected) return false
    this.#recalls.push({ topic, after: Math.min(after, MOST_NUMBER), before: Math.min(before, MOST_NUMBER) })
    this.#announce()
    return true
  }

  missing(count: number): void {
    this.#ledger.count(0, count)
  }

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    this.#publish(topic, payload, isText)
  }

  /** What comes back must find that the hub keeps the topic: it is told before. */
  publishOrdered(topic: string, payload: Uint8Array, isText: boolean): number | undefined {
    if (this.#untold.has(topic)) this.#announce()
    return this.#publish(topic, payload, isText)
  }

  #publish(topic: string, payload: Uint8Array, isText: boolean): number | undefined {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return undefined
    if (this.#queue.full || !this.#connected) {
      this.#ledger.dropped++
      return undefined
    }
    this.#ledger.write(this.#queue.reserve(lengthOf(numbered, payload)), numbered, payload, isText)
    return numbered.number
  }

  close(): Promise<void> {
    this.#closing ??= this.#queue.end(CLOSE_TIMEOUT)
    return this.#closing
  }

  /** Tells the hub which topics are subscribed; while the queue is full, that waits until some of it has been written. */
  #announce(): void {
    const isNew = this.#interest.changed || this.#untold.size > 0 || this.#recalls.length > 0
    if (!isNew || this.#queue.full) return
    const { added, removed } = this.#interest.take()
    for (const topic of removed) this.#tell(RecordKind.unsubscribe, topic)
    for (const topic of added) this.#tell(RecordKind.subscribe, topic)
    for (const [topic, limits] of this.#untold) this.#tellLimits(topic, limits)
    this.#untold.clear()
    for (const { topic, after, before } of this.#recalls.splice(0)) this.#tellRecall(topic, after, before)
    this.#queue.flush()
  }

  /** A record of the hub's; false for what is none. */
  #deliver(record: Buffer): boolean {
    const kind = kindOf(record)
    if (kind === RecordKind.ordered) return this.#ordered(record)
    if (kind === RecordKind.recalled) {
      const publication = readOrdered(record)
      if (publication !== undefined) this.#recalled.push({ ...publication, ticket: this.#ticketOf(publication) })
      return publication !== undefined
    }
    if (kind !== RecordKind.recallEnd) return this.#ledger.deliver(record)
    const standing = readStanding(record)
    const publications = this.#recalled
    this.#recalled = []
    if (standing !== undefined) this.#order?.recalled(topicOf(record), standing, publications)
    return standing !== undefined
  }

  #ordered(record: Buffer): boolean {
    const publication = readOrdered(record)
    if (publication === undefined) return false
    const { topic, payload, isText, number } = publication
    const ticket = this.#ticketOf(publication)
    if (ticket === undefined) this.#ledger.count(1, 0)
    this.#order?.ordered(topic, payload, isText, number, ticket)
    return true
  }

  /** The number that this process has given a publication of its own. */
  #ticketOf({ publisher, own }: OrderedPublication): number | undefined {
    return publisher === this.#ledger.publisher ? own : undefined
  }

  #tellLimits(topic: string, limits: HistoryLimits): void {
    const bytes = Buffer.from(topic)
    if (bytes.length <= MAX_TOPIC_BYTES) writeKeep(this.#queue.reserve(keepLength(bytes.length)), bytes, limits)
  }

  #tellRecall(topic: string, after: number, before: number): void {
    const bytes = Buffer.from(topic)
    writeRecall(this.#queue.reserve(recordLength(bytes.length, 0)), bytes, after, before)
  }

  #tell(kind: number, topic: string): void {
    const bytes = Buffer.from(topic)
    if (bytes.length <= MAX_TOPIC_BYTES)
      writeRecord(this.#queue.reserve(recordLength(bytes.length, 0)), { kind }, bytes)
  }
}
