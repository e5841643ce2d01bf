// A client that subscribes to topics of a server by the envelope protocol. When its connection ends, another one takes its place,
// and the topics are subscribed again and resumed: each publication is handed over once, in order, or what is missing is told.
import { checkOptions } from '../checks/check.js'
import { topicClientOptions } from '../checks/clientTables.js'
import { callerError } from '../checks/errors.js'
import { everywhere } from '../checks/tables.js'
import { subscribeOptions } from '../checks/topicTables.js'
import type { Connection } from '../connection/connection.js'
import type { Message } from '../connection/message.js'
import type { SubscribeOptions } from '../connection/resumption.js'
import { headerAlone, readEnvelope } from '../topics/envelope.js'
import { connect } from './connect.js'
import type { ClientOptions, KeptMessages } from './options.js'
import { type TopicAnswer, type TopicGap, TopicState } from './topicState.js'

/** A publication as a client gets it. */
export interface ReceivedPublication {
  /** The topic on which it was published. */
  readonly topic: string
  /** Where it stands, for `subscribe(topic, { after })`; undefined for a topic without a history. */
  readonly position: string | undefined
  /** What was published: text, or bytes, which are the handler's own. */
  readonly data: string | Uint8Array
}

/** What `connectTopics` can be told: what `connect` can be told, and what becomes of publications. */
export interface TopicClientOptions<Data = undefined> extends ClientOptions<Data> {
  /** Called for each publication on a topic that is subscribed, once and in order. */
  publication(publication: ReceivedPublication): unknown
  /**
   * Called when publications on a topic are missing that the server can't send, and those that follow come; or when the
   * server refuses a topic, with the reason `'refused'`.
   */
  gap?(gap: TopicGap): unknown
}

/** Topics of a server, as a client has them. `connectTopics` makes it. */
export class TopicClient<Data = undefined> {
  readonly #options: TopicClientOptions<Data>
  readonly #topics = new Map<string, TopicState>()
  /** How many ends of subscriptions to a topic the server has not confirmed: until then, what comes on it is of those. */
  readonly #leaving = new Map<string, number>()
  #connection: Connection<Data> | undefined
  #isOver = false

  /** Made by `connectTopics`. @internal */
  constructor(options: TopicClientOptions<Data>) {
    this.#options = options
  }

  /** The connection, which lasts: for messages of your own, and to be closed. */
  get connection(): Connection<Data> {
    if (this.#connection === undefined) throw callerError('ERR_CONNECTION_ENDED', 'the connection is not open yet')
    return this.#connection
  }

  /** The topics that are subscribed, or will be when the server has answered. */
  get topics(): readonly string[] {
    return [...this.#topics.keys()]
  }

  /** Where a topic stands: the last publication that was handed over. Undefined without a history. */
  position(topic: string): string | undefined {
    return this.#topics.get(topic)?.position
  }

  /**
   * Subscribes to a topic, after a position that an earlier connection or program has reached, if you give one. The promise
   * resolves with the server's answer, also when that comes by a later connection, or the connection ends for good. It never
   * rejects. Throws a TypeError for names that are not options.
   */
  subscribe(topic: string, options: SubscribeOptions = {}): Promise<TopicAnswer> {
    checkOptions(options, subscribeOptions, everywhere)
    const known = this.#topics.get(topic)
    if (this.#isOver) return Promise.resolve(notSubscribed('closed', known?.position))
    if (known?.isSubscribed === true) return Promise.resolve(notSubscribed('subscribed', known.position))
    const state = known ?? new TopicState(options.after)
    this.#topics.set(topic, state)
    if (known === undefined) this.#ask(topic, state)
    return state.answered()
  }

  /** Ends a subscription. */
  unsubscribe(topic: string): void {
    const state = this.#topics.get(topic)
    if (state === undefined) return
    this.#topics.delete(topic)
    state.end(notSubscribed('closed', undefined))
    if (!this.#connection?.isOpen) return
    this.#connection.send(headerAlone({ unsubscribe: topic }))
    this.#leaving.set(topic, (this.#leaving.get(topic) ?? 0) + 1)
  }

  /** Closes the connection. */
  close(code?: number, reason?: string): void {
    this.connection.close(code, reason)
  }

  /** There is a connection, and none before it. @internal */
  opened(connection: Connection<Data>): void {
    this.#connection = connection
  }

  /** There is another connection: all topics are subscribed again. @internal */
  reconnected(): void {
    this.#leaving.clear()
    for (const [topic, state] of this.#topics) this.#ask(topic, state)
  }

  /** The connection has ended for good. @internal */
  ended(): void {
    this.#isOver = true
    for (const state of this.#topics.values()) state.end(notSubscribed('closed', state.position))
  }

  /** A message has come; false if it is no publication and no answer. @internal */
  take(message: Message): boolean {
    const { header, payload } = readEnvelope(message) ?? {}
    if (header === undefined || payload === undefined) return false
    const { topic, position, subscribed, unsubscribed, refused } = header
    if (typeof topic === 'string') this.#published(topic, position, payload)
    else if (typeof subscribed === 'string') this.#answered(subscribed, header)
    else if (typeof refused === 'string') this.#refused(refused)
    else if (typeof unsubscribed === 'string') this.#left(unsubscribed)
    else return false
    return true
  }

  /** The topic, unless what comes on it is of a subscription that was ended. */
  #subscribed(topic: string): TopicState | undefined {
    return this.#leaving.has(topic) ? undefined : this.#topics.get(topic)
  }

  #left(topic: string): void {
    const more = (this.#leaving.get(topic) ?? 1) - 1
    if (more > 0) this.#leaving.set(topic, more)
    else this.#leaving.delete(topic)
  }

  /** What is asked while there is no connection is asked when there is one again. */
  #ask(topic: string, state: TopicState): void {
    if (this.#connection?.isOpen) this.#connection.send(headerAlone(state.request(topic)))
  }

  #published(topic: string, position: unknown, data: string | Uint8Array): void {
    if (this.#subscribed(topic)?.take(position) !== true) return
    this.#options.publication({ topic, position: typeof position === 'string' ? position : undefined, data })
  }

  #answered(topic: string, header: Readonly<Record<string, unknown>>): void {
    const gap = this.#subscribed(topic)?.answer(header)
    if (gap !== undefined && gap.reason !== 'subscribed') this.#options.gap?.({ topic, ...gap })
  }

  #refused(topic: string): void {
    const state = this.#subscribed(topic)
    if (state === undefined) return
    this.#topics.delete(topic)
    const gap: TopicGap = { topic, reason: 'refused', missed: undefined }
    state.end({ resumed: false, gap, position: undefined })
    this.#options.gap?.(gap)
  }
}

function notSubscribed(reason: 'closed' | 'subscribed', position: string | undefined): TopicAnswer {
  return { resumed: false, gap: { reason, missed: undefined }, position }
}

/**
 * Opens a connection to a server whose application calls `serveTopics`, and subscribes to topics over it. Unless `reconnect` is
 * false, the connection is opened again whenever it ends, and all topics are subscribed again where they stood: publications
 * that were missed come first, each is handed over once, and what can't be sent any more is told to `gap`. Messages that are
 * no publications go to `message`. Otherwise as `connect`.
 * @example
 * ```js
 * import { connectTopics } from 'millrace/client'
 *
 * const client = await connectTopics('ws://127.0.0.1:9001', {
 *   publication: ({ topic, data }) => console.log(topic, data),
 *   gap: ({ topic, reason }) => console.log('something is missing on', topic, reason),
 * })
 * await client.subscribe('public/chat')
 * ```
 */
export async function connectTopics<Data = undefined>(
  url: string | URL,
  options: TopicClientOptions<Data>,
): Promise<TopicClient<Data>> {
  checkOptions(options, topicClientOptions, everywhere)
  if (typeof options?.publication !== 'function')
    throw callerError('ERR_OPTION_MISSING', 'connectTopics needs the handler publication')
  const client = new TopicClient(options)
  client.opened(await connect(url, connectionOptions(client, options)))
  return client
}

/** The options of the connection: the application's, called on its object, and what the topics hear. */
function connectionOptions<Data>(client: TopicClient<Data>, options: TopicClientOptions<Data>): ClientOptions<Data> {
  const { publication: _, gap: __, ...given } = options
  const bound = Object.entries(given).map(([name, value]) => [
    name,
    typeof value === 'function' ? value.bind(options) : value,
  ])
  return {
    reconnect: true,
    ...(Object.fromEntries(bound) as ClientOptions<Data>),
    message: (connection: Connection<Data>, message: Message) =>
      client.take(message) ? undefined : options.message?.(connection, message),
    reconnected(connection: Connection<Data>, kept: KeptMessages) {
      client.reconnected()
      return options.reconnected?.(connection, kept)
    },
    close(connection: Connection<Data>, code: number, reason: string) {
      client.ended()
      return options.close?.(connection, code, reason)
    },
  }
}
