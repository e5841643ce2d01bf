// The broker between machines that loses nothing while Redis is away: a Redis stream, which every process reads from where
// it has stopped. At least once on the way, and once for each receiver: doubles are known by publisher and number.
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { streamQuantities } from '../checks/quantities.js'
import { everywhere, redisStreamOptions } from '../checks/tables.js'
import { inTime } from '../time/inTime.js'
import { Soon } from '../time/soon.js'
import type { Broker, BrokerStatistics, Interrupted, Receive } from '../topics/broker.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { Ledger, lengthOf } from './ledger.js'
import { publicationsIn } from './publication.js'
import { checkUrl, RedisConnection } from './redisConnection.js'
import { StreamReader } from './streamReader.js'
import { StreamWriter } from './streamWriter.js'
import { warn } from './warning.js'

/** Options of `redisStreamsBroker`. */
export interface RedisStreamsBrokerOptions {
  /** The name of the Redis stream. Processes that use the same stream share topics. Default: `'millrace:stream'`. */
  readonly stream?: string
  /**
   * About how many entries the stream keeps. An entry holds what one process publishes until Redis has confirmed its
   * entry before: one publication, or up to 256 KiB of them. A process that is away for longer than that misses
   * publications, and is told. At least 1. Default: 10,000.
   */
  readonly maxLength?: number
  /**
   * How many bytes may wait for a confirmation from Redis, also while Redis is away. While there are more, publications
   * are dropped. At least 1. Default: 8 MiB.
   */
  readonly maxBuffered?: number
  /**
   * How long Redis may take to accept a connection or to answer a ping, in milliseconds. After that, Redis counts as
   * away. At least 1. Default: 10,000.
   */
  readonly timeout?: number
  /**
   * Called when Redis goes away, when Redis refuses a command, and when the stream was trimmed before this process had
   * read it. It is called once for each outage, and not for each attempt to reconnect. Default: a process warning with
   * the name MillraceWarning.
   */
  readonly error?: (error: Error) => void
}

/** What a broker of Redis Streams has carried since it was made. */
export interface RedisStreamsBrokerStatistics extends BrokerStatistics {
  /** How many publications of this process wait for a confirmation from Redis now. */
  readonly queued: number
  /**
   * How many publications of this process Redis has confirmed late: they waited for Redis to come back, or were sent
   * more than once.
   */
  readonly late: number
  /**
   * How many publications were sent, but not confirmed before the broker was closed. They may have arrived or not.
   */
  readonly unconfirmed: number
  /** How many entries came more than once, because a process had sent them again. They were delivered once. */
  readonly doubles: number
  /** How many entries of the stream were dropped because they did not consist of publications. */
  readonly invalid: number
  /**
   * How often the stream no longer held what this process had read last, so that publications may have been lost
   * before this process had read them. How many is counted by `missed`, when the next ones arrive.
   */
  readonly trimmed: number
}

/** A broker that carries publications over a Redis stream. */
export interface RedisStreamsBroker extends Broker {
  /** What this broker has carried so far. */
  readonly statistics: RedisStreamsBrokerStatistics
  /**
   * Resolves when Redis has confirmed everything that this process has published before. Rejects with an Error with the
   * code `ERR_NOT_CONFIRMED` if a publication of this turn of the event loop was dropped, because too much was waiting
   * or the broker was closed, and if the broker is closed before the confirmation. While Redis is away, it waits.
   */
  confirmed(): Promise<void>
}

const { maxLength: MAX_LENGTH, maxBuffered: MAX_BUFFERED, timeout: TIMEOUT } = streamQuantities

/**
 * Makes a broker that connects all processes that use the same stream of the same Redis server (version 6.2 or later, or
 * Valkey). What is published while Redis is away is sent when Redis is back, and what others have published meanwhile
 * is read then. The form of `url` is `redis://[[user]:password@]host[:port]`, or `rediss://` for TLS. Throws a TypeError
 * for a wrong URL, for names that are not options, and for values of the wrong kind; a RangeError for numbers that are
 * out of bounds; and an Error with the code `ERR_PACKAGE_MISSING` if the package `@redis/client` is not installed. It
 * does not wait for the Redis server: the broker tries to reach it until it is closed.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 * import { redisStreamsBroker } from 'millrace/redis'
 *
 * const broker = redisStreamsBroker('redis://127.0.0.1:6379', { error: (error) => console.error(error.message) })
 * const server = createServer({ broker })
 * ```
 */
export function redisStreamsBroker(url: string, options: RedisStreamsBrokerOptions = {}): RedisStreamsBroker {
  checkUrl(url)
  checkOptions(options, redisStreamOptions, everywhere)
  return new RedisStreams(url, options)
}

class RedisStreams implements RedisStreamsBroker {
  readonly #ledger = new Ledger()
  readonly #writer: StreamWriter
  readonly #reader: StreamReader
  readonly #writing: RedisConnection
  readonly #reading: RedisConnection
  readonly #error: (error: Error) => void
  /** The outage has been reported. */
  #reported = false
  /** A publication of this turn was dropped. */
  #hasDropped = false
  readonly #turnEnds = new Soon(() => {
    this.#hasDropped = false
  })
  #unconfirmed = 0
  #interrupted: Interrupted = () => undefined
  #closing: Promise<void> | undefined

  constructor(url: string, options: RedisStreamsBrokerOptions) {
    const { stream: key = 'millrace:stream', maxLength = MAX_LENGTH.byDefault, error = warn } = options
    const { maxBuffered = MAX_BUFFERED.byDefault, timeout = TIMEOUT.byDefault } = options
    const { publisher } = this.#ledger
    const report = (problem: Error): void => this.#report(problem)
    // A ping that comes behind a command that waits must be answered in time.
    const block = Math.max(1, Math.floor(timeout / 2))
    this.#error = error
    this.#writer = new StreamWriter({ key, publisher, maxLength, maxBuffered, refused: report })
    const take = (records: Buffer): boolean => this.#take(records)
    const failed = (problem: Error): void => this.#fail(problem)
    this.#reader = new StreamReader({ key, block, publisher, take, failed, lost: () => this.#interrupted() })
    this.#writing = this.#connection(url, timeout, this.#writer)
    this.#reading = this.#connection(url, timeout, this.#reader)
  }

  get statistics(): RedisStreamsBrokerStatistics {
    const { queued, late } = this.#writer
    const { doubles, invalid, trimmed } = this.#reader
    const counts = { queued: this.#closing === undefined ? queued : 0, late, doubles, invalid, trimmed }
    return { ...this.#ledger.statistics(this.#connected), ...counts, unconfirmed: this.#unconfirmed }
  }

  get #connected(): boolean {
    return this.#writing.client !== undefined && this.#reader.isReading
  }

  attach(receive: Receive, interrupted: Interrupted = this.#interrupted): void {
    this.#ledger.attach(receive)
    this.#interrupted = interrupted
    this.#writing.connect()
    this.#reading.connect()
  }

  /** Every process reads the whole stream: Redis need not be told. */
  subscribe(topic: string): void {
    this.#ledger.subscribe(topic)
  }

  unsubscribe(topic: string): void {
    this.#ledger.unsubscribe(topic)
  }

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    const numbered = this.#ledger.next(topic, payload)
    if (numbered === undefined) return this.#dropped()
    if (this.#closing !== undefined || this.#writer.isFull) {
      this.#ledger.dropped++
      return this.#dropped()
    }
    const record = Buffer.allocUnsafeSlow(lengthOf(numbered, payload))
    this.#ledger.write(record, numbered, payload, isText)
    this.#writer.add(record)
  }

  confirmed(): Promise<void> {
    if (!this.#hasDropped) return this.#writer.confirmed()
    return Promise.reject(callerError('ERR_NOT_CONFIRMED', 'the publication was dropped: see statistics.dropped'))
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #connection(url: string, timeout: number, user: StreamWriter | StreamReader): RedisConnection {
    return new RedisConnection(url, timeout, {
      up: (client) => {
        user.up(client)
        if (this.#writing.client !== undefined && this.#reading.client !== undefined) this.#reported = false
      },
      down: (error) => {
        user.down()
        this.#report(error)
      },
    })
  }

  #take(message: Buffer): boolean {
    const records = publicationsIn(message)
    if (records === undefined) return false
    for (const record of records) this.#ledger.deliver(record)
    return true
  }

  #dropped(): void {
    this.#hasDropped = true
    this.#turnEnds.ask()
  }

  /** What the stream has lost is told also during an outage that has been reported. */
  #fail(error: Error): void {
    if (this.#closing === undefined) this.#error(error)
  }

  #report(error: Error): void {
    if (this.#reported || this.#closing !== undefined) return
    this.#reported = true
    this.#error(error)
  }

  async #end(): Promise<void> {
    const confirmed = this.#writer.confirmed().catch(() => undefined)
    await inTime(confirmed, this.#writing.client === undefined ? 0 : CLOSE_TIMEOUT)
    this.#unconfirmed = this.#writer.unconfirmed
    this.#ledger.dropped += this.#writer.queued - this.#unconfirmed
    this.#writer.end()
    this.#reader.down()
    this.#writing.close()
    this.#reading.close()
    // What was on its way to somebody who waits has come by now.
    await new Promise(setImmediate)
  }
}
