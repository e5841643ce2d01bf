// What happens to a connection in the middle of something else: while a frame of its own is being built, or while what was
// published is sent before its Close.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { bytesOf } from '../../src/connection/sending/encoder.js'
import { turnOfThread } from '../../src/connection/turn.js'
import type { MessageStream } from '../../src/index.js'
import { connections } from '../support/connections.js'
import { CLOSE, closeStatus, masked, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

/** A peer that reads nothing, with a publication on its way that is more than it may be owed. */
function overflowing(error?: (name: string) => void) {
  const place = connections({
    error: (connection) => error?.(connection === slow.peer ? 'slow' : 'other'),
    outputLimit: 1000,
    outputPolicy: 'close',
  })
  const [slow, other] = [place.connect(), place.connect()]
  slow.wire.stuck = true
  turnOfThread().begin()
  slow.peer.subscribe('t')
  slow.peer.send(Buffer.alloc(900))
  turnOfThread().end()
  return { place, slow, other, publish: () => place.shared.topics.publish('t', 'x'.repeat(300)) }
}

for (const [what, act] of [
  ['close', (peer) => peer.close(4000)],
  ['ping', (peer) => void peer.ping('?').catch(() => undefined)],
] as const satisfies readonly (readonly [string, (peer: ReturnType<typeof overflowing>['slow']['peer']) => void])[]) {
  test(`a publication that is sent before ${what} fails the connection: one Close is said, and nothing after it`, async () => {
    const { place, slow, other, publish } = overflowing()
    await settle()
    publish()
    act(slow.peer)
    slow.wire.stuck = false
    slow.wire.finish()
    await settle()
    const frames = slow.wire.frames()
    assert.deepEqual(
      frames.slice(1).map(({ opcode }) => opcode),
      [CLOSE],
    )
    assert.equal(closeStatus(frames[1])?.code, 1008)
    for (const { wire } of [slow, other]) wire.close()
    await settle()
    assert.equal(place.budget.used, 0)
  })
}

test('nothing but Close follows a publication that did not fit', async () => {
  const { place, slow, other, publish } = overflowing()
  slow.peer.subscribe('u')
  await settle()
  publish()
  place.shared.topics.publish('u', 'short')
  await settle()
  slow.wire.stuck = false
  slow.wire.finish()
  await settle()
  const frames = slow.wire.frames()
  assert.deepEqual(
    frames.slice(1).map(({ opcode }) => opcode),
    [CLOSE],
  )
  for (const { wire } of [slow, other]) wire.close()
  await settle()
})

test('what was accepted during a message is sent when that ends, also without memory for a copy', async (context) => {
  const place = connections({})
  const { peer, wire } = place.connect()
  peer.sendFragment('a', false)
  await settle()
  wire.stuck = true
  peer.sendFragment('b', false)
  await settle()
  peer.sendFragment('c', false)
  peer.subscribe('t')
  place.shared.topics.publish('t', 'waits'.padEnd(2000, '.'))
  await settle()
  context.mock.method(place.budget, 'admits', () => false)
  assert.equal(peer.sendFragment('d', true), 'buffered')
  wire.stuck = false
  wire.finish()
  await settle()
  const frames = wire.frames()
  assert.deepEqual(
    frames.map(({ payload }) => payload.toString('latin1', 0, 5)),
    ['a', 'b', 'c', 'd', 'waits'],
  )
  wire.close()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('a streamed message of which a part found no memory does not end as if it were whole', async (context) => {
  const streams: MessageStream[] = []
  const place = connections({
    stream: (_, stream) => void streams.push(stream),
    streamThreshold: 0,
  })
  const { wire } = place.connect()
  context.mock.method(place.budget, 'keep', () => false)
  wire.feed(masked(TEXT, 'whole'))
  await assert.rejects(async () => streams[0]?.next(), /ended before the message did/)
  wire.close()
  await settle()
})

test('a subscription ends once, also where what is sent before that fails the connection, and its error handler ends it', async () => {
  const { place, slow, other, publish } = overflowing(() => {
    slow.peer.unsubscribe('t')
    other.peer.subscribe('t')
  })
  await settle()
  publish()
  slow.peer.unsubscribe('t')
  await settle()
  assert.equal(place.shared.topics.publish('t', 'news'), 1)
  await settle()
  assert.equal(other.wire.frames().length, 1)
  for (const { wire } of [slow, other]) wire.close()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('a frame is not begun before an error handler has said Close on its connection, and built after that', async () => {
  const { slow, other, publish } = overflowing((name) => {
    if (name === 'slow') other.peer.close(4000)
  })
  await settle()
  turnOfThread().begin()
  publish()
  for (let n = 0; n < 40; n++) other.peer.send(Buffer.alloc(10_000))
  turnOfThread().end()
  await settle()
  const frames = other.wire.frames()
  const at = frames.findIndex(({ opcode }) => opcode === CLOSE)
  assert.ok(at > 0)
  assert.equal(at, frames.length - 1, 'nothing follows Close')
  for (const { wire } of [slow, other]) wire.close()
  await settle()
})

test('drain is called when what waited for a message leaves in a turn after the next', async (context) => {
  const drains: number[] = []
  const place = connections({ drain: (connection) => void drains.push(connection.bufferedAmount) })
  const peers = Array.from({ length: 100 }, () => place.connect())
  const last = peers.at(-1)
  assert.ok(last)
  last.peer.sendFragment('first', false)
  place.shared.topics.publish('t', 'nobody')
  last.peer.subscribe('t')
  place.shared.topics.publish('t', 'waits')
  await settle()
  assert.ok(last.peer.bufferedAmount > 0)
  let now = performance.now()
  context.mock.method(performance, 'now', () => (now += 5))
  turnOfThread().begin()
  for (const { peer } of peers.slice(0, -1)) peer.send('before it')
  last.peer.sendFragment('last', true)
  turnOfThread().end()
  await settle()
  context.mock.restoreAll()
  assert.equal(last.peer.bufferedAmount, 0)
  assert.deepEqual(drains, [0])
  for (const { wire } of peers) wire.close()
  await settle()
})

test('memory that another thread makes longer is sent as long as it was', () => {
  const memory: SharedArrayBuffer = Reflect.construct(SharedArrayBuffer, [4, { maxByteLength: 400 }])
  const bytes = bytesOf(memory)
  const grow: unknown = Reflect.get(memory, 'grow')
  assert.ok(typeof grow === 'function')
  grow.call(memory, 400)
  assert.equal(bytes.length, 4)
})
