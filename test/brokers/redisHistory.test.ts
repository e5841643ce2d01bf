// What a client that comes back is told after an outage of Redis: never a yes where publications may be missing.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { redisBroker, redisStreamsBroker } from '../../src/redis.js'
import type { Broker } from '../../src/topics/broker.js'
import { type Connections, connections } from '../support/connections.js'
import { REDIS_LIKE, RedisServer } from '../support/redis.js'
import { settle } from '../support/settle.js'
import { delay, eventually } from '../support/socketClient.js'
import { toldPosition } from './clusterOfTopics.js'

const options = { timeout: 60_000 }

async function positionAt({ connect }: Connections): Promise<string> {
  const member = connect()
  const position = toldPosition(await member.peer.subscribe('news', {}))
  member.peer.terminate()
  return position
}

/** The result of a client that comes back, and what it was sent. */
async function back({ connect }: Connections, after: string) {
  const member = connect()
  const resumption = await member.peer.subscribe('news', { after })
  await settle()
  const texts = member.wire.texts()
  member.peer.terminate()
  return { resumption, texts }
}

/** Two machines that are connected: `place` has a history, and `other` publishes. */
async function machines<Made extends Broker>(t: TestContext, make: () => Made) {
  const [here, there] = [make(), make()]
  t.after(() => Promise.all([here.close(), there.close()]))
  const place = connections({ broker: here, topics: { history: {} } })
  const other = connections({ broker: there })
  await positionAt(place)
  other.connect().peer.subscribe('news')
  const connected = (): boolean => here.statistics.connected && there.statistics.connected
  await eventually(connected, 'both are connected')
  return { here, there, place, other, connected }
}

for (const { command, skip } of REDIS_LIKE) {
  test(`${command} is killed: positions of before and of meanwhile are a gap`, { ...options, skip }, async (t) => {
    const server = await RedisServer.start([], command)
    t.after(() => server.kill())
    const make = () => redisBroker(server.url, { error: () => undefined })
    const { here, there, place, other, connected } = await machines(t, make)
    await delay(100)
    const before = await positionAt(place)
    await server.kill()
    await eventually(() => !here.statistics.connected && !there.statistics.connected, 'the outage is noticed')
    other.shared.topics.publish('news', 'lost')
    const meanwhile = await back(place, before)
    assert.ok(!meanwhile.resumption.resumed)
    assert.deepEqual(meanwhile.resumption.gap, { reason: 'broker', missed: undefined })
    await server.start()
    await eventually(connected, 'both are back')
    await delay(100)
    const after = await back(place, toldPosition(meanwhile.resumption))
    assert.ok(!after.resumption.resumed)
    assert.equal(after.resumption.gap.reason, 'broker')
    other.shared.topics.publish('news', 'heard')
    await delay(100)
    const well = await back(place, toldPosition(after.resumption))
    assert.equal(well.resumption.resumed, true)
    assert.deepEqual(well.texts, ['heard'])
  })

  test(`${command} is killed and keeps a stream: what was published meanwhile is sent to those who come back`, {
    ...options,
    skip,
  }, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'millrace-'))
    const server = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir], command)
    t.after(async () => {
      await server.kill()
      rmSync(dir, { recursive: true })
    })
    const make = () => redisStreamsBroker(server.url, { error: () => undefined })
    const { here, there, place, other } = await machines(t, make)
    const before = await positionAt(place)
    await server.kill()
    await eventually(() => !here.statistics.connected && !there.statistics.connected, 'the outage is noticed')
    other.shared.topics.publish('news', 'waits')
    await server.start()
    await there.confirmed()
    await eventually(() => here.statistics.received === 1, 'it arrives')
    const well = await back(place, before)
    assert.equal(well.resumption.resumed, true)
    assert.deepEqual(well.texts, ['waits'])
  })
}
