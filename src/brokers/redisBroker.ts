// The broker between machines: Redis (or Valkey) publish and subscribe. It is an entry of its own, `millrace/redis`, and
// with redisConnection.ts the only code that needs the package @redis/client.
import { checkOptions } from '../checks/check.js'
import { redisQuantities } from '../checks/quantities.js'
import { everywhere, redisOptions } from '../checks/tables.js'
import { Soon } from '../time/soon.js'
import type { Broker, BrokerStatistics, Interrupted, Receive } from '../topics/broker.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { Interest } from './interest.js'
import { Ledger, lengthOf } from './ledger.js'
import { BATCH_BYTES, eachPublication } from './publication.js'
import { checkUrl, isRefusal, type RedisClient, RedisConnection } from './redisConnection.js'
import { warn } from './warning.js'

export type { Broker, BrokerStatistics, Interrupted, Receive }

/** Options of `redisBroker`. */
export interface RedisBrokerOptions {
  /** The beginning of each Redis channel's name; the topic follows. Default: `'millrace:'`. */
  readonly prefix?: string
  /**
   * How many bytes may wait for a confirmation from Redis. While there are more, publications are dropped. At least 1.
   * Default: 8 MiB.
   */
  readonly maxBuffered?: number
  /**
   * How long Redis may take to accept a connection or to answer a ping, in milliseconds. After that, Redis counts as
   * away. At least 1. Default: 10,000.
   */
  readonly timeout?: number
  /**
   * Called when Redis goes away, and when Redis refuses a command. It is called once for each outage, and not for each
   * attempt to reconnect. Default: a process warning with the name MillraceWarning.
   */
  readonly error?: (error: Error) => void
}

/** What a Redis broker has carried since it was made. */
export interface RedisBrokerStatistics extends BrokerStatistics {
  /**
   * How many publications were sent, but not confirmed before the connection to Redis was lost. They may have arrived
   * or not.
   */
  readonly unconfirmed: number
  /**
   * How many messages came on a channel and were dropped, because they were not publications on the topic of that
   * channel, or because their length was not what they said.
   */
  readonly invalid: number
}

/** A broker that carries publications over Redis. */
export interface RedisBroker extends Broker {
  /** What this broker has carried so far. */
  readonly statistics: RedisBrokerStatistics
}

/** Publications on one topic in one turn. They leave as one message. */
interface RecordBatch {
  readonly records: Buffer[]
  bytes: number
}

const { maxBuffered: MAX_BUFFERED, timeout: TIMEOUT } = redisQuantities
/** Channels in one command. */
const MAX_CHANNELS = 1000

/**
 * Makes a broker that connects all processes that use the same Redis server (version 6 or later, or Valkey) and the
 * same `prefix`. The form of `url` is `redis://[[user]:password@]host[:port]`, or `rediss://` for TLS. Throws a
 * TypeError for a wrong URL, for names that are not options, and for values of the wrong kind; a RangeError for numbers
 * that are out of bounds; and an Error with the code `ERR_PACKAGE_MISSING` if the package `@redis/client` is not
 * installed. It does not wait for the Redis server: the broker tries to reach it until it is closed.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 * import { redisBroker } from 'millrace/redis'
 *
 * const broker = redisBroker('redis://127.0.0.1:6379', { error: (error) => console.error(error.message) })
 * const server = createServer({ broker })
 * ```
 */
export function redisBroker(url: string, options: RedisBrokerOptions = {}): RedisBroker {
  checkUrl(url)
  checkOptions(options, redisOptions, everywhere)
  return new RedisPubSub(url, options)
}

class RedisPubSub implements RedisBroker {
  readonly #prefix: string
  readonly #prefixBytes: number
  readonly #maxBuffered: number
  readonly #error: (error: Error) => void
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #ledger = new Ledger()
  readonly #interest = new Interest()
  /** What was published in this turn. */
  #batches = new Map<string, RecordBatch>()
  #batched = 0
  /** Bytes that Redis has not confirmed, batched ones included. */
  #buffered = 0
  #unconfirmed = 0
  #invalid = 0
  readonly #soon = new Soon(() => {
    this.#announce()
    this.#flush()
  })
  /** The outage has been reported. */
  #reported = false
  /** Whether others are heard: what they publish while they are not is lost, and nobody can count it. */
  #hears = false
  #interrupted: Interrupted = () => undefined
  #closing: Promise<void> | undefined
  #whenEmpty: (() => void) | undefined

  constructor(url: string, options: RedisBrokerOptions) {
    const { prefix = 'millrace:', error = warn } = options
    const { maxBuffered = MAX_BUFFERED.byDefault, timeout = TIMEOUT.byDefault } = options
    this.#prefix = prefix
    this.#prefixBytes = Buffer.byteLength(prefix)
    this.#maxBuffered = maxBuffered
    this.#error = error
    const down = (reason: Error): void => this.#report(reason)
    this.#publisher = new RedisConnection(url, timeout, { up: () => this.#recovered(), down })
    this.#subscriber = new RedisConnection(url, timeout, {
      up: () => this.#resubscribe(),
      down: (reason) => {
        if (this.#hears) this.#interrupted()
        this.#hears = false
        down(reason)
      },
    })
  }

  get statistics(): RedisBrokerStatistics {
    return { ...this.#ledger.statistics(this.#connected), unconfirmed: this.#unconfirmed, invalid: this.#invalid }
  }

  get #connected(): boolean {
    return this.#publisher.client !== undefined && this.#subscriber.client !== undefined
  }

  attach(receive: Receive, interrupted: Interrupted = this.#interrupted): void {
    this.#ledger.attach(receive)
    this.#interrupted = interrupted
    this.#publisher.connect()
    this.#subscriber.connect()
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
    const isAway = this.#publisher.client === undefined || this.#closing !== undefined
    if (isAway || this.#buffered >= this.#maxBuffered) {
      this.#ledger.dropped++
      return
    }
    const record = Buffer.allocUnsafe(lengthOf(numbered, payload))
    this.#ledger.write(record, numbered, payload, isText)
    this.#batch(topic, record)
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #batch(topic: string, record: Buffer): void {
    let batch = this.#batches.get(topic)
    if (batch === undefined) {
      batch = { records: [], bytes: 0 }
      this.#batches.set(topic, batch)
    }
    batch.records.push(record)
    batch.bytes += record.length
    this.#batched += record.length
    this.#buffered += record.length
    if (this.#batched >= BATCH_BYTES) this.#flush()
    else this.#soon.ask()
  }

  /** Sends what was published in this turn: one command for each topic, one promise for each command. */
  #flush(): void {
    const batches = this.#batches
    const client = this.#publisher.client
    this.#batches = new Map()
    this.#batched = 0
    for (const [topic, batch] of batches) {
      if (client === undefined) this.#settle(batch, 'dropped')
      else this.#send(client, topic, batch)
    }
  }

  #send(client: RedisClient, topic: string, batch: RecordBatch): void {
    const [first, ...others] = batch.records
    const message = first !== undefined && others.length === 0 ? first : Buffer.concat(batch.records, batch.bytes)
    client.publish(this.#prefix + topic, message).then(
      () => this.#settle(batch, 'confirmed'),
      (error: Error) => {
        this.#settle(batch, isRefusal(error) ? 'dropped' : 'unconfirmed')
        if (isRefusal(error)) this.#report(error)
      },
    )
  }

  #settle({ records, bytes }: RecordBatch, result: 'confirmed' | 'dropped' | 'unconfirmed'): void {
    this.#buffered -= bytes
    if (result === 'dropped') this.#ledger.dropped += records.length
    if (result === 'unconfirmed') this.#unconfirmed += records.length
    if (this.#buffered === 0) this.#whenEmpty?.()
  }

  /** A client that may publish on one channel must not reach the topics of other channels. */
  readonly #take = (message: Buffer, channel: Buffer): void => {
    const deliver = (record: Buffer): unknown => this.#ledger.deliver(record)
    if (!eachPublication(message, channel, this.#prefixBytes, deliver)) this.#invalid++
  }

  #resubscribe(): void {
    this.#recovered()
    this.#interest.reset()
    this.#hears = true
    this.#announce().then(() => this.#interrupted())
  }

  /** Tells Redis which topics are subscribed; resolves when it has answered. While Redis is away, the changes gather. */
  async #announce(): Promise<void> {
    const { client } = this.#subscriber
    if (client === undefined || !this.#interest.changed) return
    const { added, removed } = this.#interest.take()
    const refused = (error: Error): void => {
      if (isRefusal(error)) this.#report(error)
    }
    for (const channels of this.#channels(removed)) client.unsubscribe(channels, this.#take, true).catch(refused)
    const done = [...this.#channels(added)].map((channels) =>
      client.subscribe(channels, this.#take, true).catch(refused),
    )
    await Promise.all(done)
  }

  *#channels(topics: readonly string[]): Generator<string[]> {
    for (let at = 0; at < topics.length; at += MAX_CHANNELS) {
      yield topics.slice(at, at + MAX_CHANNELS).map((topic) => this.#prefix + topic)
    }
  }

  #recovered(): void {
    if (this.#connected) this.#reported = false
  }

  #report(error: Error): void {
    if (this.#reported || this.#closing !== undefined) return
    this.#reported = true
    this.#error(error)
  }

  async #end(): Promise<void> {
    this.#flush()
    if (this.#buffered > 0) {
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, CLOSE_TIMEOUT)
        this.#whenEmpty = () => {
          clearTimeout(late)
          resolve()
        }
      })
    }
    this.#publisher.close()
    this.#subscriber.close()
    // By now, publications without a confirmation have been counted.
    await new Promise(setImmediate)
  }
}
