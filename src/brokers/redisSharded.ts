// The broker over sharded publish and subscribe of a Redis cluster: each topic lies on one shard, and only that shard carries
// it, while `redisBroker` would have every server of the cluster carry everything.
import { checkOptions } from '../checks/check.js'
import { redisQuantities } from '../checks/quantities.js'
import { everywhere, redisShardedOptions } from '../checks/tables.js'
import type { Interrupted, Receive } from '../topics/broker.js'
import { ChannelLedger } from './channelLedger.js'
import { ChannelNode, shardChannels } from './channelNode.js'
import type { RedisBroker, RedisBrokerOptions, RedisBrokerStatistics } from './redisBroker.js'
import { checkUrl } from './redisConnection.js'
import { askSlots, type Slots } from './slots.js'
import { warn } from './warning.js'

const { maxBuffered: MAX_BUFFERED, timeout: TIMEOUT } = redisQuantities
/** Milliseconds between two looks at who has which slots, while something is wrong. */
const PAUSE = 200

/**
 * Makes a broker that connects all processes that use the same Redis cluster and the same `prefix`, by sharded publish and
 * subscribe (Redis 7 or later, or Valkey). `url` is the address of one server of the cluster, from which the others are
 * learned, or several with commas between; a single server without a cluster is one shard. The form of each is that of
 * `redisBroker`, and user, password and TLS of the first are used for all. Options and errors are those of `redisBroker`,
 * too. It waits for no server: the broker tries to reach them until it is closed.
 * @example
 * ```js
 * import { createServer } from 'millrace'
 * import { redisShardedBroker } from 'millrace/redis'
 *
 * const broker = redisShardedBroker('redis://10.0.0.1:6379,redis://10.0.0.2:6379')
 * const server = createServer({ broker })
 * ```
 */
export function redisShardedBroker(url: string, options: RedisBrokerOptions = {}): RedisBroker {
  const urls = `${url}`.split(',')
  for (const one of urls) checkUrl(one)
  checkOptions(options, redisShardedOptions, everywhere)
  return new RedisSharded(urls, options)
}

class RedisSharded implements RedisBroker {
  /** Addresses, `host:port`, that are tried when no server can be asked. */
  readonly #seeds: readonly string[]
  readonly #urlOf: (address: string) => string
  readonly #timeout: number
  readonly #ledger: ChannelLedger
  readonly #error: (error: Error) => void
  readonly #nodes = new Map<string, ChannelNode>()
  /** Who has which slots, once somebody has said so. */
  #slots: Slots | undefined
  /** The channels that are subscribed, and on which server. */
  readonly #channels = new Map<string, string | undefined>()
  /** Those that have lost their server, and are not subscribed on another one yet. */
  readonly #moving = new Set<string>()
  /** A look at the slots is due. */
  #due: NodeJS.Timeout | undefined
  #reported = false
  #closing: Promise<void> | undefined

  constructor(urls: readonly string[], options: RedisBrokerOptions) {
    const { prefix = 'millrace:', error = warn } = options
    const { maxBuffered = MAX_BUFFERED.byDefault, timeout = TIMEOUT.byDefault } = options
    const [first = ''] = urls
    this.#seeds = urls.map((url) => addressOf(new URL(url)))
    this.#urlOf = (address) => first.replace(/^(rediss?:\/\/(?:[^@/]*@)?)[^/]*/, `$1${address}`)
    this.#timeout = timeout
    this.#error = error
    this.#ledger = new ChannelLedger(prefix, maxBuffered)
  }

  get statistics(): RedisBrokerStatistics {
    return this.#ledger.statistics(this.#isConnected)
  }

  get #isConnected(): boolean {
    if (this.#slots === undefined || this.#closing !== undefined) return false
    return [...this.#nodes.values()].every((node) => node.isConnected)
  }

  attach(receive: Receive, interrupted?: Interrupted): void {
    this.#ledger.attach(receive, interrupted)
    for (const address of this.#seeds) this.#open(address)
  }

  subscribe(topic: string): void {
    const channel = this.#ledger.subscribe(topic)
    this.#channels.set(channel, undefined)
    this.#place(channel)
  }

  unsubscribe(topic: string): void {
    const channel = this.#ledger.unsubscribe(topic)
    this.#nodeOf(this.#channels.get(channel))?.unsubscribe(channel)
    this.#channels.delete(channel)
    this.#moving.delete(channel)
  }

  publish(topic: string, payload: Uint8Array, isText: boolean): void {
    const channel = this.#ledger.channel(topic)
    const node = this.#nodeOf(this.#slots?.ownerOf(channel))
    const isAway = node?.client === undefined || this.#closing !== undefined
    const record = this.#ledger.record(topic, payload, isText, isAway)
    if (record !== undefined) node?.publish(channel, record)
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #nodeOf(address: string | undefined): ChannelNode | undefined {
    return address === undefined ? undefined : this.#nodes.get(address)
  }

  #open(address: string): void {
    if (this.#nodes.has(address)) return
    const node = new ChannelNode(this.#urlOf(address), this.#timeout, shardChannels, {
      take: this.#ledger.take,
      settled: (...publications) => this.#ledger.settled(...publications),
      up: () => this.#look(0),
      down: (error) => {
        this.#report(error)
        this.#look()
      },
      refused: (error) => this.#report(error),
      interrupted: () => this.#ledger.interrupted(),
      subscribed: (channels) => this.#arrived(channels),
      moved: () => {
        this.#ledger.interrupted()
        this.#look()
      },
    })
    this.#nodes.set(address, node)
    node.connect()
  }

  /** Looks soon who has which slots. */
  #look(delay = PAUSE): void {
    if (this.#closing !== undefined) return
    if (this.#due !== undefined && delay > 0) return
    clearTimeout(this.#due)
    this.#due = setTimeout(() => {
      this.#due = undefined
      void this.#ask()
    }, delay).unref()
  }

  /** Asks the servers that can be asked, until one has answered; where none can be, those of the beginning are tried again. */
  async #ask(): Promise<void> {
    for (const [address, { client }] of this.#nodes) {
      if (client === undefined) continue
      try {
        const slots = await askSlots(client, address)
        if (this.#closing === undefined) this.#learn(slots)
        return
      } catch {
        // The next one may know; a lost connection is told by `down`.
      }
    }
    if (this.#closing === undefined) for (const address of this.#seeds) this.#open(address)
  }

  #learn(slots: Slots): void {
    const { addresses } = slots
    if (addresses.size === 0) return this.#look() // the cluster is being made
    this.#slots = slots
    for (const address of addresses) this.#open(address)
    for (const channel of this.#channels.keys()) this.#place(channel)
    for (const [address, node] of this.#nodes) {
      if (addresses.has(address)) {
        node.retry()
        continue
      }
      node.flush()
      node.close()
      this.#nodes.delete(address)
      this.#giveUp(address)
    }
    if (this.#isConnected) this.#reported = false
    else this.#look()
  }

  /** Subscribes a channel where it belongs now. */
  #place(channel: string): void {
    const [before, now] = [this.#channels.get(channel), this.#slots?.ownerOf(channel)]
    if (now === undefined || now === before) return
    if (before !== undefined) this.#moving.add(channel)
    this.#nodeOf(before)?.unsubscribe(channel)
    this.#channels.set(channel, now)
    this.#nodeOf(now)?.subscribe(channel)
  }

  /** A server has left the cluster: even if it comes back under its address, nothing is subscribed there. */
  #giveUp(address: string): void {
    for (const [channel, owner] of this.#channels) {
      if (owner !== address) continue
      this.#moving.add(channel)
      this.#channels.set(channel, undefined)
    }
  }

  /** What was published until now on channels that have moved is missing, also after the positions that were told meanwhile. */
  #arrived(channels: readonly string[]): void {
    if (channels.filter((channel) => this.#moving.delete(channel)).length > 0) this.#ledger.interrupted()
  }

  #report(error: Error): void {
    if (this.#reported || this.#closing !== undefined) return
    this.#reported = true
    this.#error(error)
  }

  async #end(): Promise<void> {
    clearTimeout(this.#due)
    for (const node of this.#nodes.values()) node.flush()
    await this.#ledger.emptied()
    for (const node of this.#nodes.values()) node.close()
    this.#nodes.clear()
    // By now, publications without a confirmation have been counted.
    await new Promise(setImmediate)
  }
}

/** Host and port; 6379 where the address names no port. */
function addressOf({ hostname, port }: URL): string {
  return `${hostname}:${port === '' ? 6379 : port}`
}
