// The topics of a server in one process, and who subscribes to them. What is published in a turn is encoded once, and
// written to every subscriber from one place (publications.ts).
import { Buffer } from 'node:buffer'
import { callerError } from '../checks/errors.js'
import { type Heap, OutOfMemory } from '../codec/codec.js'
import type { Sendable } from '../connection/connection.js'
import type { Resumption, Returning } from '../connection/resumption.js'
import type { Encoder } from '../connection/sending/encoder.js'
import { isText, payloadOf } from '../connection/sending/sendable.js'
import type { Publisher, Subscriber } from '../connection/subscriber.js'
import type { Turn } from '../connection/turn.js'
import { tell } from '../internals/report.js'
import { Counts } from '../metrics/counts.js'
import { Topic } from './batch.js'
import type { Broker, BrokerStatistics } from './broker.js'
import { Keeping, type Origin, type Place } from './keeping.js'
import { checkListener, Listeners, type TopicListener } from './listeners.js'
import type { TopicsOptions } from './options.js'
import { Publications } from './publications.js'
import { Shortage } from './shortage.js'
import type { Subscription } from './subscribers.js'
import { checkName } from './topicName.js'
import { TopicTable } from './topicTable.js'

export class Topics implements Publisher, Place {
  readonly turn: Turn
  readonly #most: number
  readonly #counts: Counts
  #broker: Broker | undefined
  #attached = false
  readonly table = new TopicTable()
  /** Those of each subscriber, in no order. */
  readonly #subscriptions = new Map<Subscriber, Subscription<Topic>[]>()
  readonly publications: Publications
  readonly #keeping: Keeping
  readonly #listeners = new Listeners()
  readonly #shortage = new Shortage()

  /** For at most `most` topics. */
  constructor(
    encoder: Encoder,
    heap: Heap,
    turn: Turn,
    most: number,
    broker?: Broker,
    counts = new Counts(),
    options: TopicsOptions = {},
  ) {
    this.turn = turn
    this.#counts = counts
    this.publications = new Publications(encoder, heap, turn)
    this.#most = most
    this.#keeping = new Keeping(options, this)
    this.#broker = broker
    if (broker !== undefined) this.#keeping.use(broker)
  }

  /** Uses the broker that `make` makes, unless there is one already. */
  use(make: () => Broker): void {
    if (this.#broker !== undefined) return
    this.#broker = make()
    this.#keeping.use(this.#broker)
  }

  get pending(): boolean {
    return this.publications.pending
  }

  /** What others publish is published here, from now on. */
  connect(): void {
    if (this.#attached) return
    this.#attached = true
    this.#broker?.attach(
      (...publication) => tell(() => this.#receive(...publication)),
      () => this.#keeping.interrupted(),
    )
  }

  /** What the broker has carried; undefined without one. */
  get statistics(): BrokerStatistics | undefined {
    return this.#broker?.statistics
  }

  /** Publishes to no other process any more; resolves when what was published has left, or can't. */
  async close(): Promise<void> {
    this.#keeping.histories?.clear()
    await this.#broker?.close()
  }

  /** Bytes that the histories take. */
  get historyBytes(): number {
    return this.#keeping.histories?.bytes ?? 0
  }

  /** How many topics have subscribers. */
  get size(): number {
    return this.table.size
  }

  /** How many subscribers a topic has in this process. */
  subscriberCount(topic: string): number {
    return this.table.find(topic)?.subscribers.size ?? 0
  }

  /** The topic, if it has subscribers (Place). */
  find(name: string): Topic | undefined {
    return this.table.find(name)
  }

  /** Tells `listener` what is published on a topic, by whomever, until the function that it returns is called. */
  listen(name: string, listener: TopicListener): () => void {
    checkName(name)
    checkListener(listener)
    if (!this.isFollowed(name)) this.#follow(name)
    const end = this.#listeners.add(name, listener)
    return () => {
      if (end() && !this.isFollowed(name)) this.#unfollow(name)
    }
  }

  /** Whether somebody here is told what is published on a topic (Place). */
  isFollowed(name: string): boolean {
    return this.table.find(name) !== undefined || this.#listeners.has(name)
  }

  /** Others' publications are wanted: before anybody follows, because a history tells that to the broker when it begins. */
  #follow(name: string): void {
    this.connect()
    this.#keeping.histories?.of(name)
    // The function `history`, which was asked, may have had somebody follow.
    if (!this.#keeping.holds(name) && !this.isFollowed(name)) this.#broker?.subscribe(name)
  }

  #unfollow(name: string): void {
    if (!this.#keeping.holds(name)) this.#broker?.unsubscribe(name)
  }

  /** They are not subscribers any more (Place). */
  part(name: string): readonly Subscriber[] {
    const subscribers = [...(this.table.find(name)?.subscribers ?? [])]
    this.turn.undisturbed(() => {
      for (const subscriber of subscribers) this.#unsubscribe(subscriber, name)
    })
    return subscribers
  }

  subscribe(subscriber: Subscriber, name: string, most: number): void {
    if (this.isSubscribed(subscriber, name)) return
    this.#check(subscriber, name, most)
    this.join(subscriber, name)
  }

  /** Subscribes, and has what was missed sent first. Throws as `subscribe` does. */
  resume(subscriber: Subscriber, name: string, most: number, returning: Returning): Promise<Resumption> {
    if (!this.isSubscribed(subscriber, name)) {
      this.#check(subscriber, name, most)
      this.#keeping.histories?.of(name) // the function `history` is asked, and may subscribe
    }
    const isSubscribed = this.isSubscribed(subscriber, name)
    const resumption = isSubscribed ? undefined : this.#keeping.resume(subscriber, name, returning)
    if (resumption !== undefined) return resumption
    const history = this.#keeping.histories?.of(name)
    this.subscribe(subscriber, name, most)
    const reason = isSubscribed ? 'subscribed' : 'no-history'
    const position = history && this.#keeping.positionOf(history)
    return Promise.resolve({ resumed: false, gap: { reason, missed: undefined }, position })
  }

  /** The subscriber is one from now on (Live). */
  join(subscriber: Subscriber, name: string): void {
    const topic = this.table.find(name) ?? this.#open(name)
    if (topic.subscribers.has(subscriber)) return // by the function `history`, which was asked
    const own = this.#subscriptions.get(subscriber) ?? []
    if (own.length === 0) this.#subscriptions.set(subscriber, own)
    this.#counts.add('subscriptions')
    own.push(topic.subscribers.add(topic, subscriber, own.length))
    this.publications.skip(topic, subscriber)
  }

  #check(subscriber: Subscriber, name: string, most: number): void {
    const own = (this.#subscriptions.get(subscriber)?.length ?? 0) + (this.#keeping.resumes?.count(subscriber) ?? 0)
    if (own >= most)
      throw callerError(
        'ERR_MAX_SUBSCRIPTIONS',
        `too many subscriptions of this connection: maxSubscriptions is ${most}`,
      )
    if (this.table.hasPlace(name)) return
    checkName(name)
    if (this.table.places >= this.#most)
      throw callerError('ERR_MAX_TOPICS', `too many topics in this process: maxTopics is ${this.#most}`)
  }

  /** What was published before is sent first; if that fails the subscriber, its error handler runs afterwards. */
  unsubscribe(subscriber: Subscriber, name: string): boolean {
    if (this.#keeping.resumes?.cancel(subscriber, name) === true) return true
    return this.turn.undisturbed(() => this.#unsubscribe(subscriber, name))
  }

  #unsubscribe(subscriber: Subscriber, name: string): boolean {
    const subscription = this.table.find(name)?.subscribers.find(subscriber)
    if (subscription === undefined) return false
    this.catchUp(subscriber)
    this.#counts.add('subscriptions', -1)
    this.#strike(subscription)
    this.#remove(subscription.topic, subscriber)
    return true
  }

  isSubscribed(subscriber: Subscriber, name: string): boolean {
    if (this.table.find(name)?.subscribers.has(subscriber) === true) return true
    return this.#keeping.resumes?.has(subscriber, name) ?? false
  }

  leave(subscriber: Subscriber): number {
    const own = this.#subscriptions.get(subscriber)
    const resumes = this.#keeping.resumes?.leave(subscriber) ?? 0
    if (own === undefined) return resumes
    this.#subscriptions.delete(subscriber)
    this.#counts.add('subscriptions', -own.length)
    for (const { topic } of own) this.#remove(topic, subscriber)
    return own.length + resumes
  }

  publish(name: string, data: Sendable, except?: Subscriber): number {
    if (this.#broker !== undefined) {
      this.connect()
      const subscribers = this.#keeping.publishOrdered(name, data, except)
      if (subscribers !== undefined) {
        this.#counts.addTo('publications', 'local')
        return subscribers
      }
      this.#broker.publish(name, payloadOf(data), isText(data))
    }
    return this.#published('local', name, data, except)
  }

  catchUp(subscriber: Subscriber): void {
    this.publications.catchUp(subscriber)
  }

  #receive(topic: string, payload: Uint8Array, text: boolean, missed = 0): void {
    this.#keeping.missed(topic, missed)
    this.arrive('broker', topic, payload, text, undefined, missed)
  }

  /** Publishes what came from the broker. Text is decoded and encoded anew: bytes of other machines may be no UTF-8. */
  arrive(origin: Origin, name: string, payload: Uint8Array, text: boolean, except?: Subscriber, missed = 0): void {
    this.#published(origin, name, text ? Buffer.from(payload).toString() : payload, except, missed)
  }

  /** Sends it to who subscribes here, and then tells who listens: in that order also what a listener publishes. */
  #published(origin: Origin | 'local', name: string, data: Sendable, except?: Subscriber, missed = 0): number {
    const subscribers = this.#publish(name, data, except)
    if (origin !== 'own') this.#counts.addTo('publications', origin)
    this.#counts.add('deliveries', subscribers)
    this.#listeners.hear(name, data, origin === 'broker' ? 'broker' : 'local', missed)
    return subscribers
  }

  /** Without memory for it, a publication reaches nobody here, and nobody's connection ends for that. */
  #publish(name: string, data: Sendable, except?: Subscriber): number {
    try {
      return this.#keeping.publish(name, data, except)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error
      this.#shortage.warn(error)
      return 0
    }
  }

  #open(name: string): Topic {
    if (!this.isFollowed(name)) this.#follow(name)
    const known = this.table.find(name)
    if (known !== undefined) return known
    const topic = new Topic(name)
    this.table.add(topic)
    return topic
  }

  /** Takes a subscription from the list of its subscriber: the last one gets its place. */
  #strike({ subscriber, place }: Subscription<Topic>): void {
    const own = this.#subscriptions.get(subscriber)
    const last = own?.pop()
    if (own === undefined || last === undefined) return
    if (place < own.length) {
      own[place] = last
      last.place = place
    }
    if (own.length === 0) this.#subscriptions.delete(subscriber)
  }

  #remove(topic: Topic, subscriber: Subscriber): void {
    topic.subscribers.delete(subscriber)
    if (topic.subscribers.size > 0) return
    this.table.delete(topic)
    if (!this.isFollowed(topic.name)) this.#unfollow(topic.name)
    if (this.table.size === 0) this.publications.drop()
  }
}
