// The embedded broker: it runs in the primary process and passes publications between the acceptors of one machine. It
// looks at a record's topic only; payloads are not decoded. Topics with a history are numbered and kept here, for all.
import type { Duplex } from 'node:stream'
import { MAX_TOPIC_BYTES } from '../topics/broker.js'
import { type HistoryLimits, historyMemoryOf } from '../topics/options.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { HubHistory } from './hubHistory.js'
import { readKeep, readRecall } from './orderedRecords.js'
import { kindOf, RecordDecoder, RecordKind, topicOf } from './publication.js'
import { SendQueue } from './sendQueue.js'

export interface HubOptions {
  /** Bytes that may wait for one acceptor; while more do, publications to it are dropped. Default 16 MiB. */
  readonly maxBuffered?: number
  /** Topics that all acceptors together may subscribe; the link of one that wants more is closed. Default 16,000,000. */
  readonly maxTopics?: number
  /** Bytes that all histories may take. Default: as for a server. */
  readonly historyMemory?: number | undefined
}

/** What a hub has passed on. */
export interface HubStatistics {
  /** Acceptors that are linked. */
  readonly links: number
  /** Topics that at least one acceptor subscribes to. */
  readonly topics: number
  /** Subscriptions of all acceptors together. */
  readonly subscriptions: number
  /** Publications passed on, once for each acceptor that got them. */
  readonly forwarded: number
  /** Publications not passed on because an acceptor did not read, once for each such acceptor. */
  readonly dropped: number
}

const MAX_BUFFERED = 16 * 1024 * 1024
/** A Map takes no more than 2^24 entries. */
const MAX_TOPICS = 16_000_000

/** One acceptor. */
interface Link {
  readonly stream: Duplex
  readonly queue: SendQueue
  readonly topics: Set<string>
  /** Those of them that it wants in the order of all acceptors. */
  readonly kept: Set<string>
  /**
   * What it is to be told of them when it has room: where they stand, because something was dropped, or what it has asked for
   * last, between two numbers.
   */
  readonly owed: Map<string, Range>
}

interface Range {
  readonly after: number
  readonly before: number
}

/** Nothing but where the topic stands. */
const STANDING: Range = { after: Number.MAX_SAFE_INTEGER, before: Number.MAX_SAFE_INTEGER }

export class Hub {
  readonly #maxBuffered: number
  readonly #maxTopics: number
  readonly #links = new Set<Link>()
  readonly #subscribers = new Map<string, Set<Link>>()
  readonly #history: HubHistory
  #forwarded = 0
  #dropped = 0

  constructor({ maxBuffered = MAX_BUFFERED, maxTopics = MAX_TOPICS, historyMemory }: HubOptions = {}) {
    this.#history = new HubHistory(historyMemoryOf(historyMemory === undefined ? {} : { historyMemory }))
    this.#maxBuffered = maxBuffered
    this.#maxTopics = maxTopics
  }

  get statistics(): HubStatistics {
    const [links, topics] = [this.#links.size, this.#subscribers.size]
    const subscriptions = [...this.#links].reduce((sum, link) => sum + link.topics.size, 0)
    return { links, topics, subscriptions, forwarded: this.#forwarded, dropped: this.#dropped }
  }

  /** Bytes that the histories take. */
  get historyBytes(): number {
    return this.#history.bytes
  }

  /** So much of what is published on a topic is kept. */
  keep(topic: string, limits: HistoryLimits): void {
    this.#history.keep(topic, limits)
    if (!this.#subscribers.has(topic)) this.#history.leave(topic)
  }

  /** Links an acceptor, until its stream ends. */
  join(stream: Duplex): void {
    const queue = new SendQueue(stream, this.#maxBuffered, () => this.#tell(link))
    const link: Link = { stream, queue, topics: new Set(), kept: new Set(), owed: new Map() }
    const decoder = new RecordDecoder()
    const take = (record: Buffer): boolean => this.#take(link, record)
    this.#links.add(link)
    // 'close' follows.
    stream.on('error', () => undefined)
    stream.on('end', () => stream.destroy())
    stream.on('close', () => this.#leave(link))
    stream.on('data', (chunk: Buffer) => {
      if (decoder.push(chunk, take)) return
      process.emitWarning(
        'an acceptor wrote something that is not a publication: its link is closed',
        'MillraceWarning',
      )
      stream.destroy()
    })
  }

  /** Passes on what the primary itself publishes. */
  publish(record: Buffer): void {
    this.#forward(undefined, record)
  }

  /** Closes all links; resolves when all publications that waited have been passed on, or can't be. */
  async close(): Promise<void> {
    await Promise.all([...this.#links].map(({ queue }) => queue.end(CLOSE_TIMEOUT)))
  }

  /** False for a record that no acceptor writes: whatever comes after it can't be trusted either. */
  #take(link: Link, record: Buffer): boolean {
    const kind = kindOf(record)
    if (kind === undefined) return false
    if (kind === RecordKind.publication) this.#forward(link, record)
    else if (kind === RecordKind.unsubscribe) this.#unsubscribe(link, topicOf(record))
    else if (kind === RecordKind.subscribe) return this.#subscribe(link, topicOf(record))
    else if (kind === RecordKind.keep) return this.#keep(link, record)
    else return kind === RecordKind.recall && this.#recall(link, record)
    return true
  }

  /** A topic with a history is told in the order of all acceptors, also to the publisher, to those who want it so. */
  #forward(from: Link | undefined, record: Buffer): void {
    const topic = topicOf(record)
    const isKept = this.#history.has(topic)
    const ordered = isKept ? this.#history.add(topic, record) : undefined
    for (const link of this.#subscribers.get(topic) ?? []) {
      const sent = link.kept.has(topic) ? ordered : link === from ? undefined : record
      if (sent === undefined) continue
      if (link.queue.full) {
        this.#dropped++
        if (sent === ordered && !link.owed.has(topic)) link.owed.set(topic, STANDING)
      } else {
        link.queue.add(sent)
        this.#forwarded++
      }
    }
  }

  /** False if the acceptor does not subscribe to the topic, or asks for what can't be. */
  #keep(link: Link, record: Buffer): boolean {
    const [topic, limits] = [topicOf(record), readKeep(record)]
    if (limits === undefined || !link.topics.has(topic)) return false
    link.kept.add(topic)
    this.#history.keep(topic, limits)
    return this.#answer(link, topic, STANDING)
  }

  /** False if the acceptor does not keep the topic. */
  #recall(link: Link, record: Buffer): boolean {
    const topic = topicOf(record)
    return link.kept.has(topic) && this.#answer(link, topic, readRecall(record))
  }

  /** An acceptor has room again: what was dropped for it may have been the latest, so that it would not see the hole. */
  #tell(link: Link): void {
    for (const [topic, range] of link.owed) {
      if (link.queue.full) return
      link.owed.delete(topic)
      this.#answer(link, topic, range)
    }
  }

  /** Where there is no room, the answer waits, and is made then: what was asked last of a topic is what matters. */
  #answer(link: Link, topic: string, range: Range): true {
    if (link.queue.full) link.owed.set(topic, range)
    else for (const record of this.#history.recall(topic, range.after, range.before)) link.queue.add(record)
    return true
  }

  /** False if the acceptor subscribes to more topics than can be kept. */
  #subscribe(link: Link, topic: string): boolean {
    const subscribers = this.#subscribers.get(topic)
    const tooMany = subscribers === undefined && this.#subscribers.size >= this.#maxTopics
    if (tooMany || Buffer.byteLength(topic) > MAX_TOPIC_BYTES) return false
    link.topics.add(topic)
    if (subscribers === undefined) this.#subscribers.set(topic, new Set([link]))
    else subscribers.add(link)
    return true
  }

  #unsubscribe(link: Link, topic: string): void {
    link.topics.delete(topic)
    link.kept.delete(topic)
    link.owed.delete(topic)
    const subscribers = this.#subscribers.get(topic)
    subscribers?.delete(link)
    if (subscribers?.size !== 0) return
    this.#subscribers.delete(topic)
    this.#history.leave(topic)
  }

  #leave(link: Link): void {
    this.#links.delete(link)
    for (const topic of link.topics) this.#unsubscribe(link, topic)
  }
}
