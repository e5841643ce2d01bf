// A server that answers by none, one or several messages: the load knows when each was answered, and what was not.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WebSocket } from 'ws'
import type { LoadOptions } from '../../src/load/load.js'
import { startTarget } from '../../src/target.js'
import { echoServer, options, shortLoad, wsServer } from './peers.js'

/** A server that answers the n-th message of a connection, counted from 0, as it likes; `pongs` says whether it does. */
function answering(
  t: TestContext,
  answer: (socket: WebSocket, message: Buffer, n: number) => void,
  pongs = true,
): Promise<string> {
  const connected = (socket: WebSocket): void => {
    let n = 0
    socket.on('message', (data: Buffer) => answer(socket, data, n++))
  }
  return wsServer(t, connected, { autoPong: pongs })
}

function reply(answers: number, more: Partial<LoadOptions> = {}): Partial<LoadOptions> {
  return { pattern: { name: 'reply', answers }, sequence: true, connections: 2, warmup: 0, duration: 0.15, ...more }
}

const NONE = { lost: 0, doubled: 0, reordered: 0 }

describe('--reply', { concurrency: 4 }, () => {
  for (const rate of [0, 400]) {
    const loop = rate > 0 ? 'open' : 'closed'
    const pace = { rate, pipeline: rate > 0 ? 1 : 8 }

    test(`0: what the server has read is known by its pongs, in the ${loop} loop`, options, async (t) => {
      let read = 0
      const url = await answering(t, () => read++)
      const result = await shortLoad(url, reply(0, pace))
      assert.deepEqual([result.error, result.disorder, result.counts], [undefined, NONE, { unasked: 0 }])
      assert.ok(result.messages > 0, `${result.messages}`)
      assert.ok(read >= result.messages, `${read} were read, ${result.messages} are said to be`)
      assert.ok(result.latency.p50 > 0)
    })

    test(`3: the third message is the answer, in the ${loop} loop`, options, async (t) => {
      let read = 0
      const url = await answering(t, (socket) => {
        read++
        for (const text of ['got it', '', 'here is what you asked for, which is longer']) socket.send(text)
      })
      const { error, disorder, messages } = await shortLoad(url, reply(3, pace))
      assert.deepEqual([error, disorder], [undefined, NONE])
      assert.ok(messages > 0 && messages <= read, `${messages} of ${read}`)
    })

    test(`1: any message is an answer, in the ${loop} loop`, options, async (t) => {
      const url = await answering(t, (socket) => socket.send('ok'))
      const { error, disorder, messages } = await shortLoad(url, reply(1, pace))
      assert.deepEqual([error, disorder], [undefined, NONE])
      assert.ok(messages > 0)
    })
  }

  test('0 measures the sink of the target', options, async (t) => {
    const target = await startTarget({ port: 0 })
    t.after(() => target.close())
    const { error, messages, counts } = await shortLoad(`${target.url}/sink?every=2`, reply(0, { duration: 0.4 }))
    assert.equal(error, undefined)
    assert.ok(messages > 4)
    assert.ok((counts?.['unasked'] ?? 0) > 0) // the sink's reports are no answers
  })

  test('2 of a server that answers once: the message is lost', options, async (t) => {
    const url = await answering(t, (socket, message, n) => {
      socket.send(message)
      if (n !== 5) socket.send(message)
    })
    const { error, disorder } = await shortLoad(url, reply(2, { rate: 200, pipeline: 1, duration: 0.3 }))
    assert.match(error ?? '', /^of the messages, \d+ lost$/)
    assert.ok((disorder?.lost ?? 0) >= 1)
  })

  test('1 of a server that answers twice ends the load', options, async (t) => {
    const url = await answering(t, (socket, message) => {
      socket.send(message)
      socket.send(message)
    })
    const { error } = await shortLoad(url, reply(1, { pipeline: 1, duration: 20 }))
    assert.equal(error, 'the server sent more messages than it got')
  })

  test('0 of a server that sends no pongs measures nothing, within a second more', options, async (t) => {
    const url = await answering(t, () => undefined, false)
    const began = performance.now()
    const { messages, disorder } = await shortLoad(url, reply(0))
    assert.equal(messages, 0)
    assert.ok((disorder?.lost ?? 0) > 0)
    assert.ok(performance.now() - began < 5000)
  })

  test('0: a pong that nobody asked for is none of ours', options, async (t) => {
    const url = await answering(
      t,
      (socket) => {
        for (const payload of ['', 'x', 'abcd']) socket.pong(payload)
      },
      false,
    )
    const { messages } = await shortLoad(url, reply(0))
    assert.equal(messages, 0)
  })

  test('0: one ping is under way at a time, so a server may answer the last one only', options, async (t) => {
    const pings: string[] = []
    const url = await lateServer(t, pings)
    const { error, messages } = await shortLoad(url, reply(0, { connections: 1, rate: 300, pipeline: 1 }))
    assert.equal(error, undefined)
    assert.ok(messages > 5)
    assert.ok(pings.length < messages, `${pings.length} pings for ${messages} messages`)
  })

  test('leaves echoes as they are', options, async (t) => {
    const { counts, disorder, error } = await shortLoad(await echoServer(t), { sequence: true })
    assert.deepEqual([counts, disorder, error], [undefined, NONE, undefined])
  })
})

/** A server that sends its pongs late: so much later that several messages have come before. */
function lateServer(t: TestContext, pings: string[]): Promise<string> {
  const connected = (socket: WebSocket): unknown =>
    socket.on('ping', async (payload) => {
      pings.push(payload.toString('hex'))
      await sleep(20)
      socket.pong(payload)
    })
  return wsServer(t, connected, { autoPong: false })
}
