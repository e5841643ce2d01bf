// The broker between machines over NATS core: each topic is a subject. At most once, as everything in NATS core. It is an
// entry of its own, `millrace/nats`, and with natsConnection.ts the only code that needs @nats-io/transport-node.
import { checkOptions } from '../checks/check.js'
import { callerError } from '../checks/errors.js'
import { redisQuantities } from '../checks/quantities.js'
import { everywhere, natsOptions } from '../checks/tables.js'
import { inTime } from '../time/inTime.js'
import { Soon } from '../time/soon.js'
import type { Broker, BrokerStatistics, Interrupted, Receive } from '../topics/broker.js'
import { CLOSE_TIMEOUT } from './closing.js'
import { Interest } from './interest.js'
import { Ledger, lengthOf } from './ledger.js'
import { type NatsAddress, type NatsClient, NatsConnection, natsAddress } from './natsConnection.js'
import { publicationsIn, topicOf } from './publication.js'
import { warn } from './warning.js'

/** Options of `natsBroker`. */
export interface NatsBrokerOptions {
  /** The beginning of each subject; the topic follows, percent-encoded. Default: `'millrace.'`. */
  readonly prefix?: string
  /**
   * How many bytes may wait until NATS has answered that it has read them. While there are more, publications are
   * dropped. At least 1. Default: 8 MiB.
   */
  readonly maxBuffered?: number
  /**
   * How long NATS may take to accept a connection or to answer a ping, in milliseconds. After that, NATS counts as away.
   * At least 1. Default: 10,000.
   */
  readonly timeout?: number
  /**
   * Called when NATS goes away, and when NATS refuses something. It is called once for each outage, and not for each
   * attempt to reconnect. Default: a process warning with the name MillraceWarning.
   */
  readonly error?: (error: Error) => void
}

/** What a NATS broker has carried since it was made. */
export interface NatsBrokerStatistics extends BrokerStatistics {
  /**
   * How many publications were sent, but not confirmed before the connection to NATS was lost. They may have arrived or
   * not.
   */
  readonly unconfirmed: number
  /** How many messages came on a subject and were dropped, because they were not publications on its topic. */
  readonly invalid: number
}

/** A broker that carries publications over NATS. */
export interface NatsBroker extends Broker {
  /** What this broker has carried so far. */
  readonly statistics: NatsBrokerStatistics
}

const { maxBuffered: MAX_BUFFERED, timeout: TIMEOUT } = redisQuantities

/**
 * Makes a broker that connects all processes that use the same NATS server or cluster and the same `prefix`. The form of
 * `url` is `nats://[user:password@]host[:port]`, or `tls://`; a name without a password is a token; several servers of a
 * cluster stand with commas between them. Throws a TypeError for a wrong URL, for names that are not options, and for
 * values of the wrong kind; a RangeError for numbers that are out of bounds; and an Error with the code
 * `ERR_PACKAGE_MISSING` if the package `@nats-io/transport-node` is not installed. It does not wait for the NATS server:
 * the broker tries to reach it until it is closed. While it is connected, it keeps the process running.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 * import { natsBroker } from 'millrace/nats'
 *
 * const broker = natsBroker('nats://127.0.0.1:4222', { error: (error) => console.error(error.message) })
 * const server = createServer({ broker })
 * ```
 */
export function natsBroker(url: string, options: NatsBrokerOptions = {}): NatsBroker {
  const address = natsAddress(url)
  checkOptions(options, natsOptions, everywhere)
  const { prefix = 'millrace.' } = options
  if (!/^[^\s*>.]+(\.[^\s*>.]+)*\.?$/.test(prefix))
    throw callerError('ERR_NATS_PREFIX', "prefix must be the beginning of a NATS subject: 'app.topics.' for instance")
  return new NatsCore(address, prefix, options)
}

class NatsCore implements NatsBroker {
  readonly #prefix: string
  readonly #maxBuffered: number
  readonly #error: (error: Error) => void
  readonly #connection: NatsConnection
  readonly #ledger = new Ledger()
  readonly #interest = new Interest()
  /** How each subscription of the connection ends. */
  readonly #subscriptions = new Map<string, () => void>()
  /** Publications, and their bytes, of which NATS has not said that it has read them. */
  #waiting = 0
  #buffered = 0
  /** The connection that has been asked whether it has read them. */
  #asked: NatsClient | undefined
  #unconfirmed = 0
  #invalid = 0
  readonly #soon = new Soon(() => {
    this.#announce()
    this.#confirm()
  })
  /** NATS knows the topics that are subscribed: what others publish on them arrives. */
  #hears = false
  #interrupted: Interrupted = () => undefined
  /** The outage has been reported. */
  #reported = false
  #closing: Promise<void> | undefined

  constructor(address: NatsAddress, prefix: string, options: NatsBrokerOptions) {
    const { maxBuffered = MAX_BUFFERED.byDefault, timeout = TIMEOUT.byDefault, error = warn } = options
    this.#prefix = prefix
    this.#maxBuffered = maxBuffered
    this.#error = error
    const down = (reason: Error): void => {
      this.#abandon()
      if (this.#hears) this.#interrupted()
      this.#hears = false
      this.#report(reason)
    }
    const refused = (reason: Error): void => this.#report(reason)
    this.#connection = new NatsConnection(address, timeout, { up: () => this.#resubscribe(), down, refused })
  }

  get statistics(): NatsBrokerStatistics {
    const connected = this.#connection.client !== undefined
    return { ...this.#ledger.statistics(connected), unconfirmed: this.#unconfirmed, invalid: this.#invalid }
  }

  attach(receive: Receive, interrupted: Interrupted = this.#interrupted): void {
    this.#ledger.attach(receive)
    this.#interrupted = interrupted
    this.#connection.connect()
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
    const length = lengthOf(numbered, payload)
    const { client } = this.#connection
    const isAway = client === undefined || client.isClosed() || this.#closing !== undefined
    if (isAway || this.#buffered >= this.#maxBuffered || length > (client.info?.max_payload ?? 0)) {
      this.#ledger.dropped++
      return
    }
    const record = Buffer.allocUnsafe(length)
    this.#ledger.write(record, numbered, payload, isText)
    client.publish(this.#subject(topic), record)
    this.#waiting++
    this.#buffered += length
    this.#soon.ask()
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** No character of a topic has a meaning of its own in the subject. */
  #subject(topic: string): string {
    const encoded = encodeURIComponent(Buffer.from(topic).toString())
    return this.#prefix + encoded.replaceAll('.', '%2E').replaceAll('*', '%2A')
  }

  /** Asks NATS whether it has read everything; once at a time, so that what is published meanwhile waits for the next. */
  #confirm(): void {
    const { client } = this.#connection
    if (client === undefined || client === this.#asked || this.#waiting === 0) return
    const [count, bytes] = [this.#waiting, this.#buffered]
    this.#asked = client
    client.flush().then(
      () => {
        if (client !== this.#asked) return
        this.#asked = undefined
        this.#waiting -= count
        this.#buffered -= bytes
        this.#confirm()
      },
      () => undefined, // the connection is lost: `down` tells why
    )
  }

  /** What NATS has not confirmed is given up. */
  #abandon(): void {
    this.#unconfirmed += this.#waiting
    this.#waiting = this.#buffered = 0
    this.#asked = undefined
  }

  #resubscribe(): void {
    this.#reported = false
    this.#subscriptions.clear()
    this.#interest.reset()
    this.#announce()
    const { client } = this.#connection
    const heard = (): void => {
      if (client !== this.#connection.client || this.#closing !== undefined) return
      this.#hears = true
      this.#interrupted()
    }
    client?.flush().then(heard, () => undefined)
  }

  /** Tells NATS which topics are subscribed. While NATS is away, the changes gather. */
  #announce(): void {
    const { client } = this.#connection
    if (client === undefined || client.isClosed() || !this.#interest.changed) return
    const { added, removed } = this.#interest.take()
    for (const topic of removed) {
      this.#subscriptions.get(topic)?.()
      this.#subscriptions.delete(topic)
    }
    for (const topic of added) {
      const callback = (error: Error | null, { data }: { readonly data: Uint8Array }): void => {
        if (error === null) this.#take(topic, Buffer.from(data.buffer, data.byteOffset, data.length))
        else this.#report(error)
      }
      const subscription = client.subscribe(this.#subject(topic), { callback })
      this.#subscriptions.set(topic, () => subscription.unsubscribe())
    }
  }

  /** Who may publish on one subject must not reach the topics of other subjects. */
  #take(topic: string, message: Buffer): void {
    const records = publicationsIn(message)
    if (records?.every((record) => topicOf(record) === topic) !== true) this.#invalid++
    else for (const record of records) this.#ledger.deliver(record)
  }

  #report(error: Error): void {
    if (this.#reported || this.#closing !== undefined) return
    this.#reported = true
    this.#error(error)
  }

  async #end(): Promise<void> {
    const { client } = this.#connection
    if (client !== undefined && this.#waiting > 0) {
      const read = client.flush().then(
        () => {
          this.#asked = undefined // what was asked before has been answered with it
          this.#waiting = this.#buffered = 0
        },
        () => undefined,
      )
      await inTime(read, CLOSE_TIMEOUT)
    }
    await this.#connection.close(CLOSE_TIMEOUT)
    this.#abandon()
  }
}
