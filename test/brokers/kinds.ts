// The brokers that carry publications at most once, each with the servers that it is tried with: the same tests are run with
// all of them.
import type { TestContext } from 'node:test'
import { natsBroker } from '../../src/brokers/natsBroker.js'
import { redisBroker } from '../../src/brokers/redisBroker.js'
import { redisShardedBroker } from '../../src/brokers/redisSharded.js'
import type { Broker, BrokerStatistics } from '../../src/topics/broker.js'
import { onlyInFull } from '../support/effort.js'
import { NatsServer, natsMissing } from '../support/nats.js'
import { REDIS_LIKE, RedisServer } from '../support/redis.js'
import { RedisCluster } from '../support/redisCluster.js'
import { eventually } from '../support/socketClient.js'
import { Receiver } from './receiver.js'

/** Servers that carry: one process, or several that are one. */
export interface Engine {
  readonly url: string
  kill(): Promise<void>
  start(): Promise<void>
  freeze(): void
  thaw(): void
  /** Ends it for good, where that is more than killing it. */
  end?(): Promise<void>
}

export interface Options {
  readonly maxBuffered?: number
  readonly timeout?: number
  readonly prefix?: string
  readonly error?: (error: Error) => void
}

type CountingBroker = Broker & { readonly statistics: BrokerStatistics & { readonly unconfirmed: number } }

export interface Kind {
  readonly name: string
  readonly skip: string | false
  engine(): Promise<Engine>
  make(url: string, options?: Options): CountingBroker
}

export const KINDS: readonly Kind[] = [
  ...REDIS_LIKE.map(
    ({ command, skip }, at): Kind => ({
      name: `redisBroker with ${command}`,
      // The quick suite has redis.test.ts and redisOutage.test.ts for this pair.
      skip: skip || (at === 0 && onlyInFull),
      engine: () => RedisServer.start([], command),
      make: redisBroker,
    }),
  ),
  ...REDIS_LIKE.map(
    ({ command, skip }): Kind => ({
      name: `redisShardedBroker with a cluster of three ${command}`,
      skip,
      engine: () => RedisCluster.start(3, command),
      make: redisShardedBroker,
    }),
  ),
  { name: 'natsBroker', skip: natsMissing(), engine: () => NatsServer.start(), make: natsBroker },
]

/** One of several machines that publish over the same engine. */
export class KindMachine extends Receiver {
  readonly broker: CountingBroker
  readonly errors: Error[] = []

  constructor(t: TestContext, kind: Kind, url: string, options?: Options) {
    const errors: Error[] = []
    const broker = kind.make(url, { error: (error) => errors.push(error), ...options })
    super(broker)
    this.broker = broker
    this.errors = errors
    t.after(() => broker.close())
  }

  static async connected(t: TestContext, kind: Kind, url: string, options?: Options): Promise<KindMachine> {
    const machine = new KindMachine(t, kind, url, options)
    await eventually(() => machine.broker.statistics.connected, 'it is connected', 20_000)
    return machine
  }

  publish(topic: string, text: string): void {
    this.broker.publish(topic, Buffer.from(text), true)
  }

  /** Publishes on `topic` until `reader` gets it, and everything that was published before. */
  async reach(reader: KindMachine, topic: string, attempts = 400): Promise<void> {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const text = `reach ${attempt}`
      this.publish(topic, text)
      try {
        await eventually(() => reader.texts(topic).at(-1) === text, 'it arrives', 100)
        return
      } catch {
        // It was lost; the next one may not be.
      }
    }
    throw new Error(
      `nothing arrives on ${topic}: ${JSON.stringify([this.broker.statistics, reader.broker.statistics])}`,
    )
  }
}

/** An engine for one test; machines that are made after it end before it. */
export async function engineFor(t: TestContext, kind: Kind): Promise<Engine> {
  const engine = await kind.engine()
  t.after(async () => {
    engine.thaw()
    await (engine.end === undefined ? engine.kill() : engine.end())
  })
  return engine
}
