// The topics of a server in one process. What is published in a turn is encoded once, one frame behind the other, and
// at the turn's end written to every subscriber from that one place. The order in which a connection sees things is that
// in which they were said: what would overtake the batch, be it another topic's or its own, lets it go first.
import { Buffer } from 'node:buffer'
import type { Codec, Heap } from '../codec/codec.js'
import { Arena } from '../connection/arena.js'
import type { Sendable } from '../connection/connection.js'
import type { FrameBuffer } from '../connection/framing.js'
import { PreparedMessage, prepare } from '../connection/prepared.js'
import { encode, isText, mostBytes, payloadOf } from '../connection/sendable.js'
import type { Publisher, Subscriber } from '../connection/subscriber.js'
import type { Turn, Writer } from '../connection/turn.js'
import type { Broker, BrokerStatistics } from './broker.js'
import { MAX_TOPIC_BYTES } from './publication.js'

/** Holds a turn's publications; longer ones are sent alone. */
const BATCH_LENGTH = 64 * 1024

interface Topic {
  readonly name: string
  readonly subscribers: Set<Subscriber>
}

/** What was published on a topic in this turn, from `start` to where the arena is now. */
interface Batch {
  readonly topic: Topic
  readonly start: number
  /** Those who have had a part of it, up to here. */
  ahead: Map<Subscriber, number> | undefined
}

export class Topics implements Publisher, Writer, FrameBuffer {
  readonly #codec: Codec
  readonly #heap: Heap
  readonly #turn: Turn
  readonly #most: number
  #broker: Broker | undefined
  #attached = false
  readonly #topics = new Map<string, Topic>()
  readonly #subscriptions = new Map<Subscriber, Set<Topic>>()
  #arena: Arena | undefined
  #batch: Batch | undefined

  /** For at most `most` topics. */
  constructor(codec: Codec, heap: Heap, turn: Turn, most: number, broker?: Broker) {
    this.#codec = codec
    this.#heap = heap
    this.#turn = turn
    this.#most = most
    this.#broker = broker
  }

  /** Uses the broker that `make` makes, unless there is one already. */
  use(make: () => Broker): void {
    this.#broker ??= make()
  }

  get pending(): boolean {
    return this.#batch !== undefined
  }

  /** What others publish is published here, from now on. */
  connect(): void {
    if (this.#attached) return
    this.#attached = true
    this.#broker?.attach((topic, payload, text) => this.#receive(topic, payload, text))
  }

  /** What the broker has carried; undefined without one. */
  get statistics(): BrokerStatistics | undefined {
    return this.#broker?.statistics
  }

  /** Publishes to nobody else any more; resolves when what was published has left, or can't. */
  async close(): Promise<void> {
    await this.#broker?.close()
  }

  /** How many subscribers a topic has in this process. */
  subscriberCount(topic: string): number {
    return this.#topics.get(topic)?.subscribers.size ?? 0
  }

  subscribe(subscriber: Subscriber, name: string, most: number): void {
    let own = this.#subscriptions.get(subscriber)
    const known = this.#topics.get(name)
    if (known !== undefined && own?.has(known)) return
    if ((own?.size ?? 0) >= most) throw new RangeError(`maxSubscriptions is ${most}`)
    const topic = known ?? this.#open(name)
    own ??= new Set()
    this.#subscriptions.set(subscriber, own.add(topic))
    topic.subscribers.add(subscriber)
    // What is pending was published before it subscribed.
    if (this.#batch?.topic === topic) this.#setAhead(this.#batch, subscriber)
  }

  unsubscribe(subscriber: Subscriber, name: string): boolean {
    const topic = this.#topics.get(name)
    if (topic === undefined || !topic.subscribers.has(subscriber)) return false
    this.catchUp(subscriber)
    const own = this.#subscriptions.get(subscriber)
    own?.delete(topic)
    if (own?.size === 0) this.#subscriptions.delete(subscriber)
    this.#remove(topic, subscriber)
    return true
  }

  isSubscribed(subscriber: Subscriber, name: string): boolean {
    return this.#topics.get(name)?.subscribers.has(subscriber) ?? false
  }

  leave(subscriber: Subscriber): number {
    const own = this.#subscriptions.get(subscriber)
    if (own === undefined) return 0
    this.#subscriptions.delete(subscriber)
    for (const topic of own) this.#remove(topic, subscriber)
    return own.size
  }

  publish(name: string, data: Sendable, except?: Subscriber): number {
    if (this.#broker !== undefined) {
      this.connect()
      this.#broker.publish(name, payloadOf(data), isText(data))
    }
    return this.#turn.undisturbed(() => this.#publish(name, data, except))
  }

  catchUp(subscriber: Subscriber): void {
    const batch = this.#batch
    if (batch === undefined || !batch.topic.subscribers.has(subscriber)) return
    const from = batch.ahead?.get(subscriber) ?? batch.start
    this.#setAhead(batch, subscriber)
    this.#deliver(subscriber, from)
  }

  /** Where the next frame of the batch is built (FrameBuffer). */
  reserve(): number {
    return this.#memory.position
  }

  commit(pointer: number, length: number): void {
    this.#memory.position = pointer + length
  }

  /** The turn is over (Writer). */
  flush(): void {
    this.#deliverBatch()
    this.#arena?.recycle()
  }

  /** From the broker. Text is decoded and encoded anew: another machine's bytes may be anything, ours must be UTF-8. */
  #receive(topic: string, payload: Uint8Array, text: boolean): void {
    try {
      this.#turn.undisturbed(() => this.#publish(topic, text ? Buffer.from(payload).toString() : payload))
    } catch (error) {
      process.emitWarning(`a publication could not be delivered (${String(error)})`, 'MillraceWarning') // no memory left
    }
  }

  #publish(name: string, data: Sendable, except?: Subscriber): number {
    const most = mostBytes(data) // throws for what can't be sent, also where nobody listens
    const topic = this.#topics.get(name)
    if (topic === undefined) return 0
    if (most > BATCH_LENGTH) this.#publishAlone(topic, data, except)
    else {
      if (except !== undefined) this.catchUp(except)
      const batch = this.#batchFor(topic, most)
      encode(this.#codec, this, data)
      if (except !== undefined && topic.subscribers.has(except)) this.#setAhead(batch, except)
    }
    return topic.subscribers.size - (except !== undefined && topic.subscribers.has(except) ? 1 : 0)
  }

  #publishAlone(topic: Topic, data: Sendable, except: Subscriber | undefined): void {
    this.#deliverBatch()
    const message = data instanceof PreparedMessage ? data : prepare(data)
    const { memory, length } = PreparedMessage.frame(message)
    for (const subscriber of topic.subscribers) {
      if (subscriber !== except) subscriber.deliver(memory, memory.pointer, length)
    }
    if (message !== data) message.release()
  }

  /** The batch of this topic, with room for `most` bytes more; any other's goes first. */
  #batchFor(topic: Topic, most: number): Batch {
    const arena = this.#memory
    if (this.#batch?.topic === topic && arena.fits(most)) return this.#batch
    this.#deliverBatch()
    if (!arena.fits(most)) arena.change()
    this.#batch = { topic, start: arena.position, ahead: undefined }
    this.#turn.add(this)
    return this.#batch
  }

  #deliverBatch(): void {
    const batch = this.#batch
    if (batch === undefined) return
    const { topic, start, ahead } = batch
    const { block, position } = this.#memory
    this.#batch = undefined
    for (const subscriber of topic.subscribers) {
      const from = ahead?.get(subscriber) ?? start
      if (from < position) subscriber.deliver(block, from, position - from)
    }
  }

  #deliver(subscriber: Subscriber, from: number): void {
    const { block, position } = this.#memory
    if (from < position) subscriber.deliver(block, from, position - from)
  }

  #setAhead(batch: Batch, subscriber: Subscriber): void {
    batch.ahead ??= new Map()
    batch.ahead.set(subscriber, this.#memory.position)
  }

  get #memory(): Arena {
    this.#arena ??= new Arena(this.#heap, BATCH_LENGTH)
    return this.#arena
  }

  #open(name: string): Topic {
    // A lone surrogate can't travel: to a broker, it would be another topic.
    const fits = typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= MAX_TOPIC_BYTES
    if (!fits || /\p{Surrogate}/u.test(name))
      throw new TypeError(`a topic is a string of 1 to ${MAX_TOPIC_BYTES} bytes`)
    if (this.#topics.size >= this.#most) throw new RangeError(`maxTopics is ${this.#most}`)
    const topic = { name, subscribers: new Set<Subscriber>() }
    this.#topics.set(name, topic)
    this.connect()
    this.#broker?.subscribe(name)
    return topic
  }

  #remove(topic: Topic, subscriber: Subscriber): void {
    topic.subscribers.delete(subscriber)
    if (topic.subscribers.size > 0) return
    this.#topics.delete(topic.name)
    this.#broker?.unsubscribe(topic.name)
    if (this.#topics.size === 0) this.#forget()
  }

  /** Nobody subscribes to anything: what is pending is for nobody, and the memory is not needed. */
  #forget(): void {
    this.#batch = undefined
    this.#arena?.free()
    this.#arena = undefined
  }
}
