// The broker between machines: Redis (or Valkey) publish and subscribe. It is an entry of its own, `millrace/redis`, and
// with redisConnection.ts the only code that needs the package @redis/client.
import { checkOptions } from '../checks/check.js'
import { redisQuantities } from '../checks/quantities.js'
import { everywhere, redisOptions } from '../checks/tables.js'
import type { Broker, BrokerStatistics, Interrupted, Receive } from '../topics/broker.js'
import { ChannelLedger } from './channelLedger.js'
import { ChannelNode, plainChannels } from './channelNode.js'
import { checkUrl } from './redisConnection.js'
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

const { maxBuffered: MAX_BUFFERED, timeout: TIMEOUT } = redisQuantities

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
  readonly #ledger: ChannelLedger
  readonly #node: ChannelNode
  readonly #error: (error: Error) => void
  /** The outage has been reported. */
  #reported = false
  #closing: Promise<void> | undefined

  constructor(url: string, options: RedisBrokerOptions) {
    const { prefix = 'millrace:', error = warn } = options
    const { maxBuffered = MAX_BUFFERED.byDefault, timeout = TIMEOUT.byDefault } = options
    this.#error = error
    const ledger = new ChannelLedger(prefix, maxBuffered)
    const report = (reason: Error): void => this.#report(reason)
    this.#ledger = ledger
    this.#node = new ChannelNode(url, timeout, plainChannels, {
      take: ledger.take,
      settled: (...publications) => ledger.settled(...publications),
      up: () => {
        if (this.#node.isConnected) this.#reported = false
      },
      down: report,
      refused: report,
      interrupted: () => ledger.interrupted(),
    })
  }

  get statistics(): RedisBrokerStatistics {
    return this.#ledger.statistics(this.#node.isConnected)
  }

  attach(receive: Receive, interrupted?: Interrupted): void {
    this.#ledger.attach(receive, interrupted)
    this.#node.connect()
  }

  subscribe(topic: string): void {
    this.#node.subscribe(this.#ledger.subscribe(topic))
  }

  unsubscribe(topic: string): void {
    this.#node.unsubscribe(this.#ledger.unsubscribe(topic))
  }

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    const isAway = this.#node.client === undefined || this.#closing !== undefined
    const record = this.#ledger.record(topic, payload, isText, isAway)
    if (record !== undefined) this.#node.publish(this.#ledger.channel(topic), record)
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #report(error: Error): void {
    if (this.#reported || this.#closing !== undefined) return
    this.#reported = true
    this.#error(error)
  }

  async #end(): Promise<void> {
    this.#node.flush()
    await this.#ledger.emptied()
    this.#node.close()
    // By now, publications without a confirmation have been counted.
    await new Promise(setImmediate)
  }
}
