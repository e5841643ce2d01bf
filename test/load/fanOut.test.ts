// One sends and all receive: each delivery is accounted for, for each receiver, and charged from when its message was due.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { LoadOptions } from '../../src/load/load.js'
import { topicAddress } from '../../src/load/patterns/fanOutTalk.js'
import { startTarget } from '../../src/target.js'
import { effort } from '../support/effort.js'
import { options, room, shortLoad } from './peers.js'

function fanOut(more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  const pattern = { name: 'fanout', topic: 'news' } as const
  return { pattern, connections: 5, pipeline: 1, warmup: 0, duration: 0.2, ...more }
}

const NONE = { lost: 0, doubled: 0, reordered: 0 }

describe('--fanout', { concurrency: 4 }, () => {
  for (const [at, [path, kind, size]] of (
    [
      ['', 'binary', 16],
      ['/broadcast', 'text', 42],
      ['/topics/other', 'utf8', 300],
      ['', 'binary', 70_000],
    ] as const
  ).entries()) {
    // Large messages are few per second, as a starved machine would have to give them up.
    const some = size > 10_000 ? 30 : 200
    for (const rate of effort({ quick: [at % 2 === 0 ? 0 : some], full: [0, some] })) {
      test(`${size} bytes, ${kind}, to ${path || 'the topic'}, ${rate} per second: all get all`, options, async (t) => {
        const target = await startTarget({ port: 0 })
        t.after(() => target.close())
        const result = await shortLoad(`${target.url}${path}`, fanOut({ kind, size, rate, pipeline: rate > 0 ? 1 : 3 }))
        const { error, disorder, messages, counts, latency } = result
        assert.deepEqual([error, disorder], [undefined, NONE])
        assert.equal(counts?.['receivers'], 5)
        assert.equal(counts?.['others'], 0)
        // What is on its way at either end is counted on one side only; on a busy machine, much is.
        const expected = 5 * (counts?.['published'] ?? 0)
        assert.ok(messages > 0 && messages <= expected + 5 * 64, `${messages} of ${expected}`)
        assert.ok(latency.p50 > 0 && latency.p50 < 2e6)
        const { visits } = await target.statistics()
        assert.equal(visits[path === '/broadcast' ? path : '/topics/:topic'], 6)
      })
    }
  }

  test('the latency is that of the delivery, not of the way back', options, async (t) => {
    const url = await room(t, async (receiver, message) => {
      await sleep(60)
      receiver.send(message)
    })
    const { latency, error } = await shortLoad(url, fanOut({ rate: 50, duration: 0.4 }))
    assert.equal(error, undefined)
    assert.ok(latency.p50 >= 55_000 && latency.p50 < 2e6, `${latency.p50}`)
  })

  test('what a receiver does not get is lost there, and the others go on', options, async (t) => {
    const url = await room(t, (receiver, message, { n, receiver: which }) => {
      if (which !== 2 || n % 5 !== 1) receiver.send(message)
    })
    for (const rate of [0, 100]) {
      const { error, disorder, messages } = await shortLoad(url, fanOut({ rate, pipeline: rate > 0 ? 1 : 10 }))
      assert.match(error ?? '', /^of the deliveries, \d+ lost, at 1 of 5 receivers$/)
      assert.ok((disorder?.lost ?? 0) >= 1 && messages > 4, JSON.stringify([disorder, messages]))
    }
  })

  test('what a receiver gets twice, or out of order, is counted there', options, async (t) => {
    const kept = new Map<WebSocket, Buffer>()
    const url = await room(t, (receiver, message, { n, receiver: which }) => {
      if (which === 0 && n % 4 === 1) {
        kept.set(receiver, message)
        return
      }
      receiver.send(message)
      const late = kept.get(receiver)
      kept.delete(receiver)
      if (late !== undefined) receiver.send(late)
      if (which === 1 && n % 4 === 2) receiver.send(message)
    })
    const { error, disorder } = await shortLoad(url, fanOut({ rate: 200, duration: 0.3 }))
    assert.match(error ?? '', /^of the deliveries, (?:1 lost, )?\d+ doubled, \d+ reordered, at 2 of 5 receivers$/)
    assert.ok((disorder?.doubled ?? 0) >= 1 && (disorder?.reordered ?? 0) >= 1)
  })

  test('a server that wraps messages in JSON of its own, and says other things', options, async (t) => {
    const given = fanOut({ kind: 'text', size: 60, rate: 100, duration: 0.3 })
    const wrapped = await shortLoad(
      await room(t, (receiver, message, { n }) => {
        receiver.send(JSON.stringify({ from: 'someone', data: `${message}` }))
        if (n % 3 === 0) receiver.send('{"joined":"somebody"}')
      }),
      given,
    )
    assert.deepEqual([wrapped.error, wrapped.disorder], [undefined, NONE])
    assert.ok((wrapped.counts?.['others'] ?? 0) > 0 && wrapped.messages > 4)
  })

  test('a receiver that the server ends is named', options, async (t) => {
    const url = await room(t, (receiver, message, { n, receiver: which }) => {
      if (n === 3 && which === 1) receiver.close(1008, 'too slow')
      else receiver.send(message)
    })
    const { error } = await shortLoad(url, fanOut({ rate: 100, duration: 20 }))
    assert.equal(error, 'the server sent Close 1008 too slow')
  })

  test('a server that delivers nothing loses all, within a second more', options, async (t) => {
    const began = performance.now()
    const { messages, disorder } = await shortLoad(await room(t, () => undefined), fanOut())
    assert.equal(messages, 0)
    assert.ok((disorder?.lost ?? 0) >= 5)
    assert.ok(performance.now() - began < 5000)
  })

  test('messages without room for a stamp are refused', options, async (t) => {
    const url = await room(t, () => undefined)
    for (const given of [{ size: 15 }, { kind: 'text', size: 41 }, { kind: 'deflate', size: 100 }] as const) {
      await assert.rejects(shortLoad(url, fanOut(given)), /no room for a stamp|not compressed/)
    }
  })

  test('the topic goes where the address says, or to the path of the target', () => {
    for (const [address, expected] of [
      ['ws://h', 'ws://h/topics/a%20b%2Fc'],
      ['ws://h/', 'ws://h/topics/a%20b%2Fc'],
      ['ws://h/chat', 'ws://h/chat'],
      ['ws://h/?x=1', 'ws://h/?x=1'],
      ['ws://h/rooms/{topic}', 'ws://h/rooms/a%20b%2Fc'],
      ['ws://h/chat?room={topic}', 'ws://h/chat?room=a%20b%2Fc'],
    ] as const) {
      assert.equal(topicAddress(new URL(address), 'a b/c').href, expected)
    }
  })
})
