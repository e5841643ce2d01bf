// One of several machines that publish over the same Redis stream, for tests; and somebody else who counts what is in it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { createClient, RESP_TYPES } from '@redis/client'
import { publicationsIn, readRecord } from '../../src/brokers/publication.js'
import {
  type RedisStreamsBroker,
  type RedisStreamsBrokerOptions,
  redisStreamsBroker,
} from '../../src/brokers/redisStreams.js'
import { RedisServer } from '../support/redis.js'
import { delay, eventually } from '../support/socketClient.js'
import { Receiver } from './receiver.js'

const machines = new Set<StreamMachine>()

export class StreamMachine extends Receiver {
  readonly broker: RedisStreamsBroker
  readonly errors: Error[] = []

  constructor(url: string, options: RedisStreamsBrokerOptions = {}) {
    const broker = redisStreamsBroker(url, { error: (error) => this.errors.push(error), ...options })
    super(broker)
    this.broker = broker
    machines.add(this)
  }

  static async connected(url: string, options?: RedisStreamsBrokerOptions): Promise<StreamMachine> {
    const machine = new StreamMachine(url, options)
    await eventually(() => machine.broker.statistics.connected, 'it is connected', 20_000)
    return machine
  }

  publish(topic: string, text: string): void {
    this.broker.publish(topic, Buffer.from(text), true)
  }
}

/** A server for one test, which ends with its machines when the test does. */
export async function streamServer(
  t: TestContext,
  command?: string,
  more: readonly string[] = [],
): Promise<RedisServer> {
  const server = await RedisServer.start(more, command)
  t.after(async () => {
    server.thaw()
    await Promise.all([...machines].map(({ broker }) => broker.close()))
    machines.clear()
    await server.kill()
  })
  return server
}

/** What somebody else finds in the stream: the texts of its publications, doubles included. */
export async function textsIn(url: string, key = 'millrace:stream'): Promise<string[]> {
  const client = await createClient({ url, RESP: 3 }).connect()
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const texts: string[] = []
  for (const entry of (await bytes.xRange(key, '-', '+')) ?? []) {
    const records = entry?.message['records']
    assert.ok(Buffer.isBuffer(records))
    for (const record of publicationsIn(records) ?? []) texts.push(`${readRecord(record)?.payload}`)
  }
  client.destroy()
  return texts
}

/** Says one command to the server as somebody else. */
export async function command(url: string, ...words: string[]): Promise<void> {
  const client = await createClient({ url, RESP: 3 }).connect()
  await client.sendCommand(words)
  client.destroy()
}

/** The numbers from 0, as texts. */
export function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${at}`)
}

/** Until a receiver has stopped growing. */
export async function still(machine: StreamMachine): Promise<void> {
  for (let before = -1; before !== machine.count; await delay(100)) before = machine.count
}
