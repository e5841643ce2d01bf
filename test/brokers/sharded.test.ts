// Sharded publish and subscribe: each topic lies on one server of a Redis cluster, follows its slot to another one, and does
// not suffer from the others.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { slotOf } from '../../src/brokers/slots.js'
import { Random, seed } from '../support/random.js'
import { REDIS_LIKE, RedisServer } from '../support/redis.js'
import { RedisCluster, say } from '../support/redisCluster.js'
import { delay, eventually } from '../support/socketClient.js'
import { KINDS, type Kind, KindMachine } from './kinds.js'

function kindOf(command: string): Kind {
  const kind = KINDS.find(({ name }) => name === `redisShardedBroker with a cluster of three ${command}`)
  assert.ok(kind !== undefined)
  return kind
}

async function pair(t: TestContext, kind: Kind, url: string, topics: readonly string[]) {
  const [a, b] = [await KindMachine.connected(t, kind, url), await KindMachine.connected(t, kind, url)]
  for (const topic of topics) b.broker.subscribe(topic)
  for (const topic of topics) await a.reach(b, topic)
  b.received.length = 0
  return { a, b }
}

/** A topic in each third of the slots, in their order. */
const THIRDS = ['0', '1', '2'].map((third) => {
  for (let n = 0; ; n++) if (Math.floor(slotOf(`millrace:${n}`) / 5462) === Number(third)) return `${n}`
})

for (const { command, skip } of REDIS_LIKE) {
  describe(`sharded channels of ${command}`, { timeout: 60_000, skip }, () => {
    const kind = skip === false ? kindOf(command) : undefined

    test('have the slots that Redis gives them', async (t) => {
      const cluster = await RedisCluster.start(1, command)
      t.after(() => cluster.end())
      const random = new Random(seed)
      const names = ['123456789', '{user}.a', '{}x', 'a{b}{c}', 'a{', 'é{ü}', '{{x}}']
      for (let n = 0; n < 50; n++) names.push(`${random.below(1e9)}`)
      for (const name of names) assert.equal(await say(cluster.url, 'CLUSTER', 'KEYSLOT', name), slotOf(name), name)
    })

    test('are carried by one server, with a cluster and without', async (t) => {
      assert.ok(kind !== undefined)
      const cluster = await RedisCluster.start(1, command)
      t.after(() => cluster.end())
      const single = await RedisServer.start([], command)
      t.after(() => single.kill())
      for (const { url } of [cluster, single]) {
        const { a, b } = await pair(t, kind, url, ['x', 'y'])
        a.publish('x', 'hello')
        await eventually(() => b.count === 1, 'it arrives')
        await Promise.all([a.broker.close(), b.broker.close()])
      }
    })

    test('of other servers go on while one is dead, and its own come back with it', async (t) => {
      assert.ok(kind !== undefined)
      const cluster = await RedisCluster.start(3, command)
      t.after(() => cluster.end())
      const { a, b } = await pair(t, kind, cluster.url, THIRDS)
      await cluster.servers[1]?.kill()
      await eventually(() => !a.broker.statistics.connected, 'it is noticed')
      const { dropped } = a.broker.statistics
      for (const topic of THIRDS) a.publish(topic, 'meanwhile')
      await eventually(() => b.count === 2, 'two arrive')
      assert.equal(a.broker.statistics.dropped, dropped + 1)
      assert.deepEqual([b.texts(THIRDS[0]), b.texts(THIRDS[1]), b.texts(THIRDS[2])], [['meanwhile'], [], ['meanwhile']])
      await cluster.servers[1]?.start()
      for (const topic of THIRDS) await a.reach(b, topic)
      assert.ok(b.broker.statistics.missed >= 1, 'what was dropped is missed')
      await eventually(() => a.broker.statistics.connected, 'all are back')
    })

    test('follow their slot to another server, and what is lost on the way is counted', async (t) => {
      assert.ok(kind !== undefined)
      const cluster = await RedisCluster.start(3, command)
      t.after(() => cluster.end())
      const [topic = ''] = THIRDS
      const { a, b } = await pair(t, kind, cluster.url, [topic])
      const base = a.broker.statistics.published - b.broker.statistics.received
      const [from, , to] = cluster.servers
      assert.ok(from !== undefined && to !== undefined)
      b.interruptions.length = 0
      const timer = setInterval(() => a.publish(topic, 'load'), 2)
      t.after(() => clearInterval(timer))
      await delay(100)
      await cluster.moveSlot(slotOf(`millrace:${topic}`), from, to)
      const { received } = b.broker.statistics
      await eventually(() => b.broker.statistics.received > received + 50, 'it goes on by itself', 20_000)
      clearInterval(timer)
      assert.ok(b.interruptions.length >= 2, `told as the slot leaves, and when it is heard again: ${b.interruptions}`)
      await a.reach(b, topic)
      assert.equal(b.broker.statistics.received + b.broker.statistics.missed, a.broker.statistics.published - base)
      const shards = `${JSON.stringify(await say(to.url, 'PUBSUB', 'SHARDCHANNELS'))}`
      assert.match(shards, new RegExp(`"millrace:${topic}"`), 'it is subscribed at the new server')
    })
  })
}
