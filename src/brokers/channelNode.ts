// One Redis server by whose channels publications go: a connection that publishes, and one that subscribes. What is published
// on a channel in one turn is one command, and each publication is confirmed, dropped or unconfirmed in the end.
import { Soon } from '../time/soon.js'
import { Interest } from './interest.js'
import { BATCH_BYTES } from './publication.js'
import { isRefusal, type RedisClient, RedisConnection } from './redisConnection.js'

export type TakeMessage = (message: Buffer, channel: Buffer) => void

/** The commands: those of all channels, or those of channels that belong to a shard. */
export interface ChannelCommands {
  /** Channels in one command. */
  readonly most: number
  publish(client: RedisClient, channel: string, message: Buffer): Promise<unknown>
  subscribe(client: RedisClient, channels: string[], take: TakeMessage): Promise<unknown>
  unsubscribe(client: RedisClient, channels: string[], take: TakeMessage): Promise<unknown>
}

export const plainChannels: ChannelCommands = {
  most: 1000,
  publish: (client, channel, message) => client.publish(channel, message),
  subscribe: (client, channels, take) => client.subscribe(channels, take, true),
  unsubscribe: (client, channels, take) => client.unsubscribe(channels, take, true),
}

/** Channels of one command would have to lie in one slot. */
export const shardChannels: ChannelCommands = {
  most: 1,
  publish: (client, channel, message) => client.sPublish(channel, message),
  subscribe: (client, channels, take) => client.sSubscribe(channels, take, true),
  unsubscribe: (client, channels, take) => client.sUnsubscribe(channels, take, true),
}

/** What became of publications. */
export type Outcome = 'confirmed' | 'dropped' | 'unconfirmed'

/** The broker that a node belongs to. */
export interface NodeUser {
  readonly take: TakeMessage
  settled(publications: number, bytes: number, outcome: Outcome): void
  /** One of the two connections can be used. */
  up(): void
  /** One of them is lost, or could not be made. */
  down(error: Error): void
  refused(error: Error): void
  /** Others' publications may be missing. */
  interrupted(): void
  /** Redis has confirmed subscriptions. */
  subscribed?(channels: readonly string[]): void
  /** A channel belongs to another server now. */
  moved?(channel: string): void
}

/** Publications on one channel in one turn. They leave as one message. */
interface RecordBatch {
  readonly records: Buffer[]
  bytes: number
}

export class ChannelNode {
  readonly #commands: ChannelCommands
  readonly #user: NodeUser
  readonly #publisher: RedisConnection
  readonly #subscriber: RedisConnection
  readonly #interest = new Interest()
  /** What was published in this turn. */
  #batches = new Map<string, RecordBatch>()
  #batched = 0
  readonly #soon = new Soon(() => {
    void this.#announce()
    this.flush()
  })
  /** Whether others are heard: what they publish while they are not is lost, and nobody can count it. */
  #hears = false

  constructor(url: string, timeout: number, commands: ChannelCommands, user: NodeUser) {
    this.#commands = commands
    this.#user = user
    this.#publisher = new RedisConnection(url, timeout, { up: () => user.up(), down: (error) => user.down(error) })
    this.#subscriber = new RedisConnection(url, timeout, {
      up: (client) => this.#resubscribe(client),
      down: (error) => {
        if (this.#hears) user.interrupted()
        this.#hears = false
        user.down(error)
      },
    })
  }

  /** The connection that publishes, while it can be used. */
  get client(): RedisClient | undefined {
    return this.#publisher.client
  }

  get isConnected(): boolean {
    return this.#publisher.client !== undefined && this.#subscriber.client !== undefined
  }

  connect(): void {
    this.#publisher.connect()
    this.#subscriber.connect()
  }

  subscribe(channel: string): void {
    this.#interest.add(channel)
    this.#soon.ask()
  }

  unsubscribe(channel: string): void {
    this.#interest.remove(channel)
    this.#soon.ask()
  }

  /** Tells Redis once more what it has given up or refused. */
  retry(): void {
    this.#soon.ask()
  }

  /** Takes a publication, which leaves at the end of the turn. */
  publish(channel: string, record: Buffer): void {
    let batch = this.#batches.get(channel)
    if (batch === undefined) {
      batch = { records: [], bytes: 0 }
      this.#batches.set(channel, batch)
    }
    batch.records.push(record)
    batch.bytes += record.length
    this.#batched += record.length
    if (this.#batched >= BATCH_BYTES) this.flush()
    else this.#soon.ask()
  }

  /** Sends what was published in this turn: one command for each channel, one promise for each command. */
  flush(): void {
    const batches = this.#batches
    const client = this.#publisher.client
    this.#batches = new Map()
    this.#batched = 0
    for (const [channel, batch] of batches) {
      if (client === undefined) this.#settle(batch, 'dropped')
      else this.#send(client, channel, batch)
    }
  }

  close(): void {
    this.#publisher.close()
    this.#subscriber.close()
  }

  #send(client: RedisClient, channel: string, batch: RecordBatch): void {
    const [first, ...others] = batch.records
    const message = first !== undefined && others.length === 0 ? first : Buffer.concat(batch.records, batch.bytes)
    this.#commands.publish(client, channel, message).then(
      () => this.#settle(batch, 'confirmed'),
      (error: Error) => {
        this.#settle(batch, isRefusal(error) ? 'dropped' : 'unconfirmed')
        if (isRefusal(error)) this.#refused(error, [channel])
      },
    )
  }

  #settle({ records, bytes }: RecordBatch, outcome: Outcome): void {
    this.#user.settled(records.length, bytes, outcome)
  }

  #resubscribe(client: RedisClient): void {
    client.on('sharded-channel-moved', (channel: unknown) => this.#leave(`${channel}`))
    this.#user.up()
    this.#interest.reset()
    this.#hears = true
    this.#announce().then(() => this.#user.interrupted())
  }

  /** Tells Redis what is subscribed; resolves when it has answered. While Redis is away, the changes gather. */
  async #announce(): Promise<void> {
    const { client } = this.#subscriber
    if (client === undefined || !this.#interest.changed) return
    const { added, removed } = this.#interest.take()
    const { take } = this.#user
    const answered = (channels: string[]) => (error: Error) => {
      if (isRefusal(error)) this.#refused(error, channels)
    }
    for (const channels of this.#parts(removed))
      this.#commands.unsubscribe(client, channels, take).catch(answered(channels))
    const done = [...this.#parts(added)].map((channels) =>
      this.#commands
        .subscribe(client, channels, take)
        .then(() => this.#user.subscribed?.(channels), answered(channels)),
    )
    await Promise.all(done)
  }

  *#parts(channels: readonly string[]): Generator<string[]> {
    const { most } = this.#commands
    for (let at = 0; at < channels.length; at += most) yield channels.slice(at, at + most)
  }

  /** Redis has said no; if it has named another server, that is the broker's to know. */
  #refused(error: Error, channels: readonly string[]): void {
    if (!error.message.startsWith('MOVED ')) this.#user.refused(error)
    else for (const channel of channels) this.#leave(channel)
  }

  #leave(channel: string): void {
    this.#interest.forget(channel)
    this.#user.moved?.(channel)
  }
}
