// The acceptor's side of the embedded broker: a stream to the hub in the primary process of the same machine.
import type { Duplex } from 'node:stream'
import { Soon } from '../time/soon.js'
import { type Broker, type BrokerStatistics, MAX_TOPIC_BYTES, type Receive } from '../topics/broker.js'
import { Interest } from './interest.js'
import { Ledger, lengthOf } from './ledger.js'
import { RecordDecoder, RecordKind, recordLength, writeRecord } from './publication.js'
import { SendQueue } from './sendQueue.js'

export interface LinkBrokerOptions {
  /** Bytes that may wait for the hub; while more do, publications are dropped. Default 8 MiB. */
  readonly maxBuffered?: number
}

const MAX_BUFFERED = 8 * 1024 * 1024
/** Milliseconds that `close` waits for a hub that does not read. */
const CLOSE_TIMEOUT = 2000

export class LinkBroker implements Broker {
  readonly #stream: Duplex
  readonly #queue: SendQueue
  readonly #ledger = new Ledger()
  readonly #interest = new Interest()
  readonly #soon = new Soon(() => this.#announce())
  #closing: Promise<void> | undefined

  /** `stream`: what the hub's `join` has the other end of. */
  constructor(stream: Duplex, { maxBuffered = MAX_BUFFERED }: LinkBrokerOptions = {}) {
    this.#stream = stream
    this.#queue = new SendQueue(stream, maxBuffered, () => this.#announce())
    const decoder = new RecordDecoder()
    const deliver = (record: Buffer): boolean => this.#ledger.deliver(record)
    // 'close' follows; that the hub is gone shows in the statistics.
    stream.on('error', () => undefined)
    stream.on('end', () => stream.destroy())
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

  subscribe(topic: string): void {
    this.#ledger.subscribe(topic)
    this.#interest.add(topic)
    this.#soon.ask()
  }

  unsubscribe(topic: string): void {
    this.#ledger.unsubscribe(topic)
    this.#interest.remove(topic)
    this.#soon.ask()
  }

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return
    if (this.#queue.full || !this.#connected) this.#ledger.dropped++
    else this.#ledger.write(this.#queue.reserve(lengthOf(numbered, payload)), numbered, payload, isText)
  }

  close(): Promise<void> {
    this.#closing ??= this.#queue.end(CLOSE_TIMEOUT)
    return this.#closing
  }

  /** Tells the hub which topics are subscribed; while the queue is full, that waits until some of it has been written. */
  #announce(): void {
    if (!this.#interest.changed || this.#queue.full) return
    const { added, removed } = this.#interest.take()
    for (const topic of removed) this.#tell(RecordKind.unsubscribe, topic)
    for (const topic of added) this.#tell(RecordKind.subscribe, topic)
    this.#queue.flush()
  }

  #tell(kind: number, topic: string): void {
    const bytes = Buffer.from(topic)
    if (bytes.length <= MAX_TOPIC_BYTES)
      writeRecord(this.#queue.reserve(recordLength(bytes.length, 0)), { kind }, bytes)
  }
}
