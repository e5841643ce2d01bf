// One of several machines that publish over the same Redis, for tests.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type RedisBroker, type RedisBrokerOptions, redisBroker } from '../../src/brokers/redisBroker.js'
import { RedisServer } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'
import { Receiver } from './receiver.js'

const machines = new Set<Machine>()

export class Machine extends Receiver {
  readonly broker: RedisBroker

  constructor(url: string, options?: RedisBrokerOptions) {
    const broker = redisBroker(url, options)
    super(broker)
    this.broker = broker
    machines.add(this)
  }

  static async connected(url: string, options?: RedisBrokerOptions): Promise<Machine> {
    const machine = new Machine(url, options)
    await eventually(() => machine.broker.statistics.connected, 'it is connected', 20_000)
    return machine
  }

  publish(topic: string, text: string): void {
    this.broker.publish(topic, Buffer.from(text), true)
  }
}

/** A server for one test, which ends with its machines when the test does. */
export async function redis(t: TestContext, more?: readonly string[], command?: string): Promise<RedisServer> {
  const server = await RedisServer.start(more, command)
  t.after(async () => {
    await closeMachines()
    await server.kill()
  })
  return server
}

export async function closeMachines(): Promise<void> {
  await Promise.all([...machines].map(({ broker }) => broker.close()))
  machines.clear()
}

/** Publishes on a topic that `reader` subscribes, until something arrives: then Redis knows. */
export async function reach(writer: Machine, reader: Machine, topic: string): Promise<void> {
  reader.broker.subscribe(topic)
  const before = reader.texts(topic).length
  for (const end = performance.now() + 20_000; reader.texts(topic).length === before; await delay(10)) {
    assert.ok(performance.now() < end, `${topic} is not subscribed`)
    writer.publish(topic, 'hello')
  }
  await settled(reader)
  reader.received.length = 0
}

/** Until nothing more comes. */
export async function settled({ broker }: Machine): Promise<void> {
  for (let before = -1; before !== broker.statistics.received; await delay(100)) before = broker.statistics.received
}
