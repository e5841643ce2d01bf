// A load measures servers that are right, and must not call one right that isn't: it must work against any echo server.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { LoadOptions, LoadResult } from '../../src/load/load.js'
import { effort } from '../support/effort.js'
import { DURATION, echoServer, options, shortLoad, wsEchoServer } from './peers.js'

function plausible(result: LoadResult, size: number): void {
  const { messages, seconds, messagesPerSecond, megabytesPerSecond, latency, histogram, error } = result
  assert.equal(error, undefined)
  assert.ok(messages > 0 && seconds > 0.9 * DURATION && seconds < 5)
  assert.ok(Math.abs(messagesPerSecond - messages / seconds) < 1)
  assert.ok(Math.abs(megabytesPerSecond - (messagesPerSecond * size) / 1e6) < 0.01)
  assert.ok(0 < latency.p50 && latency.p50 <= latency.p90 && latency.p90 <= latency.p99)
  assert.ok(latency.p99 <= latency.p999 && latency.p999 <= latency.max)
  assert.ok((histogram.at(-1)?.[0] ?? 0) >= latency.max * 0.99)
  assert.ok(histogram.every(([edge, count], at) => count >= 0 && edge > (histogram[at - 1]?.[0] ?? 0)))
}

/** On a busy machine, no batch may be answered in so short a time: then the load takes four times as long, twice at most. */
async function measuredLoad(url: string, given: Partial<LoadOptions> = {}): Promise<LoadResult> {
  const first = given.duration ?? DURATION
  let result = await shortLoad(url, given)
  for (const duration of [4 * first, 16 * first]) {
    if (result.error !== undefined || result.histogram.length > 0) break
    result = await shortLoad(url, { ...given, duration })
  }
  return result
}

describe('load', options, () => {
  const kinds = ['binary', 'text', 'utf8'] as const
  for (const [at, size] of [0, 125, 126, 65_535, 65_536, 300_000].entries()) {
    for (const kind of effort({ quick: kinds.slice(at % 3, (at % 3) + 1), full: [...kinds] })) {
      test(`${size} bytes, ${kind}, every byte compared`, options, async (t) => {
        plausible(await measuredLoad(await echoServer(t), { size, kind, verify: true }), size)
      })
    }
  }

  test('counted only, and one in flight: as many latencies as messages', options, async (t) => {
    const result = await measuredLoad(await echoServer(t), { pipeline: 1 })
    plausible(result, 16)
    const recorded = result.histogram.reduce((sum, [, count]) => sum + count, 0)
    assert.equal(recorded, result.messages)
  })

  test('a batch larger than any socket buffer', options, async (t) => {
    const given = { connections: 1, size: 2 ** 20, pipeline: 16, verify: true, duration: 0.5 }
    plausible(await measuredLoad(await echoServer(t), given), 2 ** 20)
  })

  test('more connections than are dialled at once', options, async (t) => {
    plausible(await measuredLoad(await echoServer(t), { connections: 150 }), 16)
  })

  for (const kind of ['binary', 'text', 'utf8'] as const) {
    test(`a ws server, ${kind}`, options, async (t) => {
      for (const size of [20, 70_000])
        plausible(await measuredLoad(await wsEchoServer(t), { kind, size, verify: true }), size)
    })
  }

  test('a ws server that compresses', options, async (t) => {
    const url = await wsEchoServer(t, { perMessageDeflate: { threshold: 0 } })
    for (const size of [0, 200, 16_384]) plausible(await measuredLoad(url, { kind: 'deflate', size }), size)
  })

  test('memory is given back', options, async (t) => {
    const url = await wsEchoServer(t)
    await shortLoad(url, { size: 100_000, verify: true })
    const { used } = heapOfThread()
    await shortLoad(url, { size: 100_000, verify: true })
    assert.equal(heapOfThread().used, used)
  })

  test('an abort ends it with what was measured', options, async (t) => {
    const ending = new AbortController()
    // The time runs from where the measuring begins: before, nothing would have been measured.
    const measuring = (): void => void setTimeout(() => ending.abort(), 200)
    const { messages, seconds, error } = await shortLoad(
      await echoServer(t),
      { duration: 60 },
      ending.signal,
      measuring,
    )
    assert.equal(error, undefined)
    assert.ok(messages > 0 && seconds >= 0.19 && seconds < 20, `${messages} messages in ${seconds} s`)
  })

  test('an abort before it began, or while it warms up, measures nothing', options, async (t) => {
    const url = await echoServer(t)
    for (const signal of [AbortSignal.abort(), AbortSignal.timeout(150)]) {
      const { messages, seconds, error, histogram } = await shortLoad(url, { warmup: 60 }, signal)
      assert.deepEqual(
        { messages, seconds, error, histogram },
        { messages: 0, seconds: 0, error: undefined, histogram: [] },
      )
    }
  })
})
