// What a server does for topics with a history or an envelope: it keeps what is published, sends those who come back what they
// have missed, and, where a broker numbers for all processes, publishes in that order.
import { OutOfMemory } from '../codec/codec.js'
import type { Sendable } from '../connection/connection.js'
import type { Resumption, Returning } from '../connection/resumption.js'
import { isText, mostBytes, payloadOf } from '../connection/sending/sendable.js'
import type { Subscriber } from '../connection/subscriber.js'
import type { Turn } from '../connection/turn.js'
import { report, tell } from '../internals/report.js'
import type { Topic } from './batch.js'
import type { Broker } from './broker.js'
import { enveloped } from './envelope.js'
import { Excepts } from './excepts.js'
import { Histories, type HistoryWatcher } from './history.js'
import { atOnce, type HistoryLimits, type TopicsOptions } from './options.js'
import { isOrdering, type Order, type OrderingBroker, type Recalled, type Standing } from './ordering.js'
import { positionText } from './position.js'
import type { Publications } from './publications.js'
import { Recalls, type Upstream } from './recalls.js'
import { type Live, Resumes } from './resumes.js'
import type { Keep, Kept, TopicHistory } from './topicHistory.js'

/** Who published what a broker brings: this process, which learns its number by it, or others. */
export type Origin = 'own' | 'broker'

/** What this needs of the topics. */
export interface Place extends Live {
  readonly turn: Turn
  readonly publications: Publications
  find(name: string): Topic | undefined
  /** Whether somebody here subscribes to a topic, or listens. */
  isFollowed(name: string): boolean
  /** Ends the subscriptions to a topic, after what was published before; returns whose they were. */
  part(name: string): readonly Subscriber[]
  /** Attaches the broker. */
  connect(): void
  /** Publishes here what the broker has brought; so many publications of others are missing before it. */
  arrive(origin: Origin, name: string, payload: Uint8Array, isText: boolean, except?: Subscriber, missed?: number): void
}

/** A publication of the past, as it is sent. */
interface Ready extends Recalled {
  readonly sent: Sendable
}

export class Keeping implements Order, Upstream, HistoryWatcher {
  readonly #place: Place
  readonly #envelope: NonNullable<TopicsOptions['envelope']>
  readonly histories: Histories | undefined
  readonly resumes: Resumes | undefined
  #broker: Broker | undefined
  /** The broker, while it numbers. */
  #ordering: OrderingBroker | undefined
  #recalls: Recalls | undefined
  readonly #excepts = new Excepts()

  constructor(options: TopicsOptions, place: Place) {
    this.#place = place
    this.#envelope = options.envelope ?? false
    this.histories = Histories.of(options, this)
    if (this.histories !== undefined) this.resumes = new Resumes(this.histories, place.turn, place, this)
  }

  /** There is a broker from now on. */
  use(broker: Broker): void {
    this.#broker = broker
    const { histories } = this
    if (histories === undefined || !isOrdering(broker)) return
    this.#ordering = broker
    this.#recalls = new Recalls(histories, broker, {
      insert: (history, publications) => this.#insert(history, publications),
      skip: (history, number) => this.#skip(history, number, history.isKnown),
    })
    broker.order(this)
    histories.follow()
    for (const { idle, limits } of histories.all) broker.keep(idle.name, limits)
  }

  /** Whether the broker goes on to be asked for a topic while nobody subscribes to it. */
  holds(topic: string): boolean {
    return this.histories?.has(topic) === true
  }

  /** What others publish on a topic with a history must be known here, even while nobody subscribes (HistoryWatcher). */
  historyBegins(topic: string, limits: HistoryLimits): void {
    if (this.#ordering !== undefined) {
      this.#place.connect()
      this.#ordering.keep(topic, limits)
    } else if (!this.#place.isFollowed(topic)) {
      this.#place.connect()
      this.#broker?.subscribe(topic)
    }
  }

  historyEnds(topic: string): void {
    if (!this.#place.isFollowed(topic)) this.#broker?.unsubscribe(topic)
  }

  /** Where a topic stands, if that is known. */
  positionOf({ isKnown, last }: TopicHistory): string | undefined {
    return isKnown ? positionText({ epoch: this.histories?.epoch ?? 0, number: last }) : undefined
  }

  /** Sends what was missed; undefined for a topic that keeps nothing. */
  resume(subscriber: Subscriber, name: string, returning: Returning): Promise<Resumption> | undefined {
    const history = this.histories?.of(name)
    return history && this.resumes?.start(subscriber, history, returning)
  }

  /**
   * Publishes to all who subscribe here, in the envelope where the topic has one, and keeps it where the topic has a history.
   * Returns how many these are. Throws OutOfMemory, and what the application's functions throw.
   */
  publish(name: string, data: Sendable, except?: Subscriber): number {
    let history = this.histories?.of(name)
    let topic = this.#place.find(name) ?? history?.idle
    const most = mostBytes(data) // throws for what can't be sent, also where nobody listens
    if (topic === undefined) return 0
    const isEnveloped = this.#isEnveloped(name)
    if (typeof this.#envelope === 'function') {
      // Only now is it certain what follows what: the function may have published and subscribed itself. Where nothing was kept,
      // the function `history` is not asked again.
      history = history === undefined ? this.histories?.find(name) : this.histories?.of(name)
      topic = this.#place.find(name) ?? history?.idle ?? topic
    }
    const sent = isEnveloped ? this.#wrapped(name, data, history && history.last + 1) : data
    this.#publish(topic, sent, sent === data ? most : mostBytes(sent), except, history)
    return topic.subscribers.size - (except !== undefined && topic.subscribers.has(except) ? 1 : 0)
  }

  #publish(topic: Topic, sent: Sendable, most: number, except?: Subscriber, history?: TopicHistory): void {
    const number = (history?.last ?? 0) + 1
    const keep = history && this.histories?.keeperOf(history)
    const { turn, publications } = this.#place
    turn.undisturbed(() => publications.publish(topic, sent, most, except, keep))
    if (except !== undefined) this.resumes?.exclude(except, topic.name, number)
  }

  /**
   * Publishes where a broker numbers: all who subscribe are sent it when it comes back, in the order of all processes. Returns
   * how many these are here; undefined where this process numbers, or nobody does.
   */
  publishOrdered(name: string, data: Sendable, except?: Subscriber): number | undefined {
    if (this.#ordering === undefined || this.histories?.of(name) === undefined) return undefined
    mostBytes(data) // throws for what can't be sent, as if it were sent now
    const ticket = this.#ordering.publishOrdered(name, payloadOf(data), isText(data))
    if (ticket === undefined) return 0
    const { subscribers } = this.#place.find(name) ?? {}
    const isSubscribed = except !== undefined && subscribers?.has(except) === true
    if (except !== undefined) this.#excepts.add(name, ticket, except)
    return (subscribers?.size ?? 0) - (isSubscribed ? 1 : 0)
  }

  /**
   * A publication comes in the order of all processes (Order). What the application's functions throw of its topic is
   * printed: whoever reads from the broker can't have it.
   */
  ordered(name: string, payload: Uint8Array, text: boolean, number: number, ticket: number | undefined): void {
    tell(() => this.#ordered(name, payload, text, number, ticket))
  }

  #ordered(name: string, payload: Uint8Array, text: boolean, number: number, ticket: number | undefined): void {
    const { histories } = this
    const history = histories?.of(name)
    const missed = history?.isKnown === true ? number - history.last - 1 : 0
    if (missed < 0) return
    if (history !== undefined && (missed > 0 || !history.isKnown)) this.#skip(history, number - 1, missed > 0)
    const except = ticket === undefined ? undefined : this.#excepts.take(name, ticket)
    // What was dropped on its way back may be recalled.
    if (ticket !== undefined && this.#recalls?.asks(name) !== true) this.#excepts.forget(name, ticket)
    this.#place.arrive(ticket === undefined ? 'broker' : 'own', name, payload, text, except, missed)
  }

  /**
   * The latest publication has this number, which is later than expected where there is a hole: those who have had all before it
   * are sent late what is missing, as far as it can be recalled.
   */
  #skip(history: TopicHistory, number: number, isHole: boolean): void {
    const { last } = history
    // A handler that is due must not come between: it would find that its connection does not subscribe.
    this.#place.turn.undisturbed(() => {
      const subscribers = isHole ? this.#place.part(history.idle.name) : []
      this.histories?.place(history, number)
      this.resumes?.repair(subscribers, history, last)
    })
    if (isHole) this.ask(history, last, () => this.#ordering?.missing(Math.max(0, history.first - 1 - last)))
  }

  recalled(name: string, standing: Standing, publications: readonly Recalled[]): void {
    this.#recalls?.answered(name, standing, publications)
  }

  /** This process numbers for itself from now on (Order). */
  lost(): void {
    this.#ordering = undefined
    this.histories?.restart()
    this.#recalls?.end()
    this.#excepts.clear()
  }

  ask(history: TopicHistory, after: number, told: (isTold: boolean) => void): void {
    if (this.#ordering === undefined || this.#recalls === undefined) queueMicrotask(() => told(false))
    else this.#recalls.ask(history, after, told)
  }

  /** The broker has lost something, and nobody knows how much. */
  interrupted(): void {
    this.histories?.sever()
  }

  /** So many publications of others are missing on a topic. */
  missed(topic: string, count: number): void {
    const history = count > 0 ? this.histories?.of(topic) : undefined
    if (history !== undefined) this.histories?.interrupt(history, count)
  }

  /** Whether a topic has an envelope. */
  #isEnveloped(name: string): boolean {
    const option = this.#envelope
    return typeof option === 'function' ? Boolean(atOnce('topics.envelope', option(name))) : option
  }

  #wrapped(name: string, data: Sendable, number: number | undefined): Sendable {
    const position = number === undefined ? undefined : positionText({ epoch: this.histories?.epoch ?? 0, number })
    return enveloped(name, position, data)
  }

  /** Keeps publications of the past: they are encoded as if nobody subscribed. */
  #insert(history: TopicHistory, recalled: readonly Recalled[]): void {
    try {
      const ready = recalled.map((publication) => ({ ...publication, sent: this.#wrappedAgain(history, publication) }))
      // The function `envelope` may have had the topic forgotten, or the oldest publication, which these come right before.
      const isNext = recalled.at(-1)?.number === history.first - 1
      if (isNext && this.histories?.knows(history) === true) this.#hold(this.histories, history, ready)
    } catch (error) {
      if (!(error instanceof OutOfMemory)) report(error) // of the function `envelope`
    }
  }

  #wrappedAgain({ idle }: TopicHistory, { number, payload, isText: text }: Recalled): Sendable {
    const data = text ? Buffer.from(payload).toString() : payload
    return this.#isEnveloped(idle.name) ? this.#wrapped(idle.name, data, number) : data
  }

  /** Nothing of the application runs here: what is held and is in no history yet would be in the way of what is kept meanwhile. */
  #hold(histories: Histories, history: TopicHistory, ready: readonly Ready[]): void {
    const held: Kept[] = []
    const { turn, publications } = this.#place
    try {
      for (const { number, age, ticket, sent } of ready) {
        const publisher = ticket === undefined ? undefined : this.#excepts.take(history.idle.name, ticket)
        if (publisher !== undefined) this.resumes?.exclude(publisher, history.idle.name, number)
        const hold: Keep = (memory, size, pointer, length) =>
          held.push(histories.hold(history, memory, size, pointer, length, age))
        turn.undisturbed(() => publications.publish(history.idle, sent, mostBytes(sent), undefined, hold))
      }
    } catch (error) {
      histories.leave(held)
      throw error
    }
    histories.prepend(history, held)
  }
}
