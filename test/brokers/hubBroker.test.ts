// What the primary of a cluster publishes reaches the acceptors that subscribe, and is numbered like theirs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hub } from '../../src/brokers/hub.js'
import { HubBroker } from '../../src/brokers/hubBroker.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import { eventually } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'

test('the primary publishes to the acceptors that subscribe', async (t) => {
  const hub = new Hub()
  const primary = new HubBroker(hub)
  const got: string[] = []
  const links = await Promise.all([socketPair(t), socketPair(t)])
  const brokers = links.map(([mine, theirs], at) => {
    hub.join(theirs)
    const broker = new LinkBroker(mine)
    broker.attach((topic, payload, isText) => void got.push(`${at} ${topic} ${Buffer.from(payload)} ${isText}`))
    return broker
  })
  brokers[1]?.subscribe('news')
  await eventually(() => hub.statistics.subscriptions === 1, 'it is subscribed')
  for (const n of [1, 2, 3]) primary.publish('news', Buffer.from(`${n}`), n > 1)
  primary.publish('other', Buffer.from('nobody'), true)
  await eventually(() => got.length === 3, 'all arrive')
  assert.deepEqual(got, ['1 news 1 false', '1 news 2 true', '1 news 3 true'])
  assert.deepEqual(primary.statistics, { connected: true, published: 4, dropped: 0, received: 0, missed: 0 })
  assert.equal(brokers[1]?.statistics.received, 3)
  await Promise.all([primary.close(), ...brokers.map((broker) => broker.close())])
  primary.publish('news', Buffer.from('too late'), true)
  assert.deepEqual(primary.statistics, { connected: false, published: 5, dropped: 1, received: 0, missed: 0 })
})
