// What a broker has queued, confirmed late, and not confirmed is seen in the metrics of its server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from '../../src/index.js'
import type { Broker, BrokerStatistics } from '../../src/topics/broker.js'

function brokerWith(statistics: BrokerStatistics): Broker {
  return {
    attach() {},
    subscribe() {},
    unsubscribe() {},
    publish() {},
    close: async () => undefined,
    statistics,
  }
}

const counts = { connected: true, published: 9, dropped: 2, received: 3, missed: 4 }

test('what a broker counts is in the metrics of the server', async (t) => {
  const broker = brokerWith({ ...counts, queued: 5, late: 6, unconfirmed: 7 })
  const server = createServer({ broker })
  t.after(() => server.close())
  const metrics = await server.metrics()
  assert.deepEqual(metrics.broker, { published: 9, dropped: 2, received: 3, missed: 4, unconfirmed: 7, late: 6 })
  assert.equal(metrics.brokerQueued, 5)
})

test('a broker that keeps nothing has nothing queued, late or unconfirmed', async (t) => {
  const server = createServer({ broker: brokerWith(counts) })
  t.after(() => server.close())
  const metrics = await server.metrics()
  assert.deepEqual(metrics.broker, { published: 9, dropped: 2, received: 3, missed: 4, unconfirmed: 0, late: 0 })
  assert.equal(metrics.brokerQueued, 0)
})
