// In which order things come where something arrives, or fails, in the middle of something else.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { codecOfThread, INBOX_LENGTH } from '../../src/codec/codec.js'
import { Inbox, type InboxReader } from '../../src/memory/inbox.js'
import { connections } from '../support/connections.js'
import { close, masked, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

/** Notes the first byte of each read, and what it is told to do at the first. */
function reader(first: (self: InboxReader) => void): { self: InboxReader; got: number[] } {
  const got: number[] = []
  const self: InboxReader = {
    received(start) {
      got.push(codecOfThread().bytes[start] ?? 0)
      if (got.length === 1) first(self)
    },
  }
  return { self, got }
}

test('a piece that is longer than a read comes whole before what arrives while its first part is read', async () => {
  const inbox = new Inbox()
  const { self, got } = reader((one) => inbox.deliver(one, Buffer.of(9)))
  const long = Buffer.alloc(INBOX_LENGTH * 2 + 1, 1)
  long.fill(2, INBOX_LENGTH)
  inbox.deliver(self, long)
  await settle()
  assert.deepEqual(got, [1, 2, 2, 9])
})

test('what lies after a request comes before what arrives while `open` runs, and after `open`', async () => {
  for (const length of [1, INBOX_LENGTH + 1]) {
    const inbox = new Inbox()
    const { self, got } = reader(() => undefined)
    inbox.deliverAfter(
      () => {
        inbox.deliver(self, Buffer.of(9))
        assert.deepEqual(got, [])
      },
      self,
      Buffer.alloc(length, 1),
    )
    await settle()
    assert.deepEqual(got, length === 1 ? [1, 9] : [1, 1, 9])
  }
})

test('what an error handler publishes and subscribes while a topic is delivered comes afterwards, and is not lost', async () => {
  const place = connections({
    error() {
      late.peer.subscribe('t')
      place.shared.topics.publish('t', 'two')
    },
    outputLimit: 1000,
    outputPolicy: 'close',
  })
  const [slow, other, late] = [place.connect(), place.connect(), place.connect()]
  slow.peer.subscribe('t')
  other.peer.subscribe('t')
  late.peer.subscribe('u')
  slow.wire.stuck = true
  slow.peer.send(Buffer.alloc(900))
  await settle()
  place.shared.topics.publish('t', 'one'.padEnd(300, '.'))
  place.shared.topics.publish('u', 'other') // lets the batch of t go
  await settle()
  const texts = (output: Buffer): string[] =>
    readFrames(output).frames.map(({ payload }) => payload.toString('latin1', 0, 3))
  assert.deepEqual(texts(other.wire.output), ['one', 'two'])
  assert.deepEqual(texts(late.wire.output), ['oth', 'two'])
  for (const { wire } of [slow, other, late]) wire.close()
  await settle()
})

test('a Close that was parked is followed by the end of its peer: reading goes on', async () => {
  const place = connections({ message: (connection) => connection.pause() })
  const { peer, wire } = place.connect()
  wire.feed(Buffer.concat([masked(TEXT, 'one'), close(1000)]))
  peer.resume()
  await settle()
  assert.equal(wire.halfClosed, true)
  assert.equal(wire.paused, false)
  wire.close()
  await settle()
})
