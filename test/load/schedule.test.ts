// The open loop exists to see stalls: the rate must be the one asked for, and every message that a stall delays must count.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createHistogram } from 'node:perf_hooks'
import { describe, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { bucketsOf } from '../../src/load/buckets.js'
import { effort } from '../support/effort.js'
import { echoServer, options, shortLoad } from './peers.js'

const SECONDS = effort({ quick: 0.3, full: 0.6 })

describe('a fixed rate', options, () => {
  for (const rate of [20, 500, 5000]) {
    test(`${rate} per second`, options, async (t) => {
      const url = await echoServer(t)
      const wanted = rate * SECONDS * 0.8 - 2
      let most = 0
      // The least disturbed of several: without a processor, the client falls behind.
      for (let round = 0; round < 5 && most < wanted; round++) {
        const given = { rate, pipeline: 1, duration: SECONDS, verify: true }
        const { error, messages, seconds, latency } = await shortLoad(url, given)
        assert.equal(error, undefined)
        // What was due just before the time began counts if it was answered later; a busy machine may cut off the end.
        assert.ok(messages <= rate * (seconds + 0.1) + 2, `${messages} in ${seconds} s`)
        assert.ok(latency.p50 > 0)
        most = Math.max(most, messages)
      }
      assert.ok(most >= wanted, `${most} of ${wanted}`)
    })
  }

  test('a message is not charged for the client’s timers', options, async (t) => {
    const url = await echoServer(t)
    let least = Infinity
    // The least disturbed of several: the client's timers would be in all of them.
    for (let round = 0; round < 5 && least >= 1000; round++) {
      const { latency } = await shortLoad(url, { rate: 200, pipeline: 1, connections: 1, duration: SECONDS })
      least = Math.min(least, latency.p50)
    }
    assert.ok(least < 1000, `${least} µs`)
  })

  test('a load that shares its core sleeps between messages', options, async (t) => {
    const url = await echoServer(t)
    const cost = async (shares: boolean): Promise<number> => {
      const before = process.cpuUsage()
      const given = { rate: 200, pipeline: 1, connections: 1, duration: SECONDS, verify: true, shares }
      const { error, messages } = await shortLoad(url, given)
      assert.equal(error, undefined)
      assert.ok(messages > 0)
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    const [spinning, sleeping] = [await cost(false), await cost(true)]
    assert.ok(sleeping < spinning, `${sleeping} µs, and ${spinning} spinning`)
  })

  for (const stall of ['once', 'for ever'] as const) {
    test(`a server that stalls ${stall} is charged for every message it kept waiting`, options, async (t) => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
      t.after(() => server.close())
      await once(server, 'listening')
      const began = performance.now()
      server.on('connection', (socket) => {
        socket.on('message', (data) => {
          const since = performance.now() - began
          if (since < 300 || (stall === 'once' && since > 600)) socket.send(data)
          else if (stall === 'once') setTimeout(() => socket.send(data), 600 - since)
        })
      })
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : 0
      const given = { rate: 1000, pipeline: 1, duration: 1, warmup: 0 }
      const { latency, histogram, error } = await shortLoad(`ws://127.0.0.1:${port}`, given)
      assert.equal(error, undefined)
      const slow = histogram.reduce((sum, [edge, count]) => sum + (edge > 50_000 ? count : 0), 0)
      // Of 300 that were due while it stalled, all but the last fifty waited for 50 ms or more.
      assert.ok(slow > 150, `${slow} slow messages`)
      assert.ok(latency.max > 200_000, `${latency.max} µs`)
    })
  }
})

describe('bucketsOf', () => {
  test('counts each value once, where it belongs', () => {
    const histogram = createHistogram()
    assert.deepEqual(bucketsOf(histogram), [])
    // The histogram keeps three digits: none of these is so near to an edge.
    const values = [1, 900, 990, 1010, 1990, 4000, 6000, 990_000, 990_000, 2_500_000]
    for (const value of values) histogram.record(value)
    assert.deepEqual(
      bucketsOf(histogram).filter(([, count]) => count > 0),
      [
        [1, 3],
        [2, 2],
        [5, 1],
        [10, 1],
        [1000, 2],
        [5000, 1],
      ],
    )
  })

  test('many values, none lost', () => {
    const histogram = createHistogram()
    for (let value = 1; value <= 300_000; value++) histogram.record(value * 10)
    const buckets = bucketsOf(histogram)
    assert.equal(
      buckets.reduce((sum, [, count]) => sum + count, 0),
      300_000,
    )
    // The histogram keeps three digits.
    const [, upToAMillisecond] = buckets.find(([edge]) => edge === 1000) ?? []
    assert.ok(Math.abs((upToAMillisecond ?? 0) - 50_000) <= 200)
  })
})
