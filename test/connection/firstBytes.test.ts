// A connection that only listens costs little: what receiving needs is made when its first bytes come.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Message } from '../../src/connection/message.js'
import { connections } from '../support/connections.js'
import { closeStatus, masked, PING, TEXT } from '../support/frames.js'
import { Refusals } from '../support/refusals.js'
import { settle } from '../support/settle.js'

describe('a connection without bytes of its peer', () => {
  test('has no parser, whatever it sends: that is made for the first bytes, and given back', async () => {
    const place = connections({})
    const { heap } = place.shared
    place.connect().peer.terminate()
    await settle()
    const before = heap.used
    const { peer, wire } = place.connect()
    peer.send('nobody answers')
    await settle()
    assert.equal(heap.used, before)
    wire.feed(masked(PING, 'here'))
    assert.ok(heap.used > before)
    peer.terminate()
    await settle()
    assert.equal(heap.used, before)
  })

  test('may be paused and resumed, evicted and ended', async () => {
    const place = connections({ error: () => undefined })
    for (const end of ['close', 'terminate'] as const) {
      const { peer, wire } = place.connect()
      peer.pause()
      peer.resume()
      await settle()
      assert.equal(wire.paused, false)
      peer[end]()
      wire.feedEnd()
      await settle()
      assert.deepEqual(await peer.messages().next(), { done: true, value: undefined })
    }
    const { inside, wire } = place.connect()
    inside.evicted()
    await settle()
    assert.equal(closeStatus(wire.frames().at(-1))?.code, 1013)
  })

  test('has a loop that gets them', async () => {
    const { peer, wire } = connections({}).connect()
    const next: Promise<IteratorResult<Message, undefined>> = peer.messages().next()
    wire.feed(masked(TEXT, 'first'))
    assert.equal((await next).value?.text(), 'first')
  })

  test('fails alone where there is no memory for its first bytes', async () => {
    const refusals = new Refusals()
    const failed: unknown[] = []
    const place = connections({ error: (_, error) => failed.push(error) })
    const [poor, other] = [place.connect(), place.connect()]
    try {
      refusals.refuse(1, 1)
      poor.wire.feed(masked(TEXT, 'first'))
      assert.equal(refusals.refused, 1)
    } finally {
      refusals.restore()
    }
    await settle()
    assert.match(String(failed[0]), /memory/i)
    assert.equal(poor.peer.isOpen, false)
    other.wire.feed(masked(PING, 'here'))
    await settle()
    assert.equal(other.wire.frames()[0]?.payload.toString(), 'here')
  })
})
