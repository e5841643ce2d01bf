// `text()`, `json()`, `bytes` and `view`: what they give, and for how long. What is no longer there must be refused or be
// a copy, never whatever lies in that memory now.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Message } from '../../src/connection/message.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { BINARY, closeStatus, masked, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

const LARGE = 300_000

/** Feeds one message, also one longer than a read. */
function feed(wire: { feed(bytes: Uint8Array): void }, frame: Buffer): void {
  for (let at = 0; at < frame.length; at += 200_000) wire.feed(frame.subarray(at, at + 200_000))
}

test('json parses text and binary messages, ASCII and not', () => {
  const seen: unknown[] = []
  const { wire } = connections({ message: (_, message) => void seen.push(message.json()) }).connect()
  const values = [{ a: [1, 2.5, null, true] }, 'é→𝄞', [], 0, { b: 'x'.repeat(1000) }]
  for (const value of values) {
    wire.feed(masked(TEXT, JSON.stringify(value)))
    wire.feed(masked(BINARY, JSON.stringify(value)))
  }
  assert.deepEqual(
    seen,
    values.flatMap((value) => [value, value]),
  )
})

test("json that is none is the peer's mistake, which ends the connection with 1007", async () => {
  const errors: unknown[] = []
  for (const text of ['', '{', 'undefined', '\ufeff1', '{"a":1}x']) {
    const place = connections({ message: (_, message) => message.json(), error: (_, error) => void errors.push(error) })
    const { wire } = place.connect()
    wire.feed(masked(TEXT, text))
    assert.equal(closeStatus(wire.frames()[0])?.code, 1007)
  }
  await settle()
  assert.deepEqual(
    errors.map((error) => error instanceof ProtocolViolation && error.code),
    Array(5).fill('INVALID_JSON'),
  )
})

test('json of __proto__ makes a property, and no prototype', () => {
  const seen: object[] = []
  const { wire } = connections({ message: (_, message) => void seen.push(message.json<object>()) }).connect()
  wire.feed(masked(TEXT, '{"__proto__":{"admin":true}}'))
  assert.equal(Reflect.get(seen[0] ?? {}, 'admin'), undefined)
})

for (const length of [10, LARGE]) {
  test(`a copy of ${length} bytes is the application's own: later messages do not change it, nor do changes come back`, () => {
    const copies: Buffer[] = []
    const { wire } = connections({
      message(connection, message) {
        const copy = message.bytes
        copies.push(copy)
        copy[0] = 1
        assert.equal(message.view[0], 1, 'once copied, the copy is what there is')
        connection.send(copy)
      },
    }).connect()
    for (const fill of [7, 8, 9]) feed(wire, masked(BINARY, Buffer.alloc(length, fill)))
    assert.deepEqual(
      copies.map((copy) => [copy.length, copy[0], copy[1], copy.at(-1)]),
      [7, 8, 9].map((fill) => [length, 1, fill, fill]),
    )
    for (const copy of copies) assert.equal(copy.buffer.byteLength, length, 'not a piece of a pool, or of the memory')
  })

  test(`view and text of ${length} bytes are refused after the handler, json too`, () => {
    const kept: Message[] = []
    const { wire } = connections({ message: (_, message) => void kept.push(message) }).connect()
    feed(wire, masked(TEXT, '1'.repeat(length)))
    const [message] = kept
    assert.ok(message !== undefined)
    for (const access of [
      () => message.view,
      () => message.text(),
      () => message.json(),
      () => message.bytes,
      () => message.text(),
    ]) {
      assert.throws(access, /the message is gone/)
    }
    assert.equal(message.byteLength, length)
    assert.equal(message.isText, true)
  })

  test(`asking for bytes of ${length} before await keeps them for ever; text, view and json come from them`, async () => {
    const kept: Message[] = []
    const text = JSON.stringify('é'.repeat(length / 2))
    const place = connections({
      async message(_, message) {
        kept.push(message)
        message.bytes // the copy
        await settle()
      },
    })
    const { wire, peer } = place.connect()
    feed(wire, masked(TEXT, text))
    await settle()
    await settle()
    peer.terminate()
    await settle()
    const [message] = kept
    assert.equal(message?.text(), text)
    assert.equal(message.json(), JSON.parse(text))
    assert.equal(Buffer.from(message.view).toString(), text)
    assert.equal(place.budget.used, 0)
  })
}

test('a message can be sent on to other connections, now and after an await, text as text', async () => {
  const place = connections({
    async message(connection, message) {
      for (const { peer } of others) if (peer !== connection) peer.send(message)
      await settle()
      for (const { peer } of others) if (peer !== connection) peer.send(message)
    },
  })
  const before = place.shared.heap.used
  const others = [place.connect(), place.connect()]
  const sender = place.connect()
  for (const [opcode, length] of [
    [TEXT, 5],
    [BINARY, 0],
    [TEXT, LARGE],
    [BINARY, 40_000],
  ] as const) {
    feed(sender.wire, masked(opcode, Buffer.alloc(length, 'q')))
    await settle()
    await settle()
    for (const { wire } of others) {
      const { frames, rest } = readFrames(wire.output)
      assert.equal(rest.length, 0)
      assert.deepEqual(
        frames.map(({ opcode: sent, payload }) => [sent, payload.toString()]),
        Array.from({ length: 2 }, () => [opcode, 'q'.repeat(length)]),
      )
      wire.output = Buffer.alloc(0)
    }
  }
  for (const { peer } of [...others, sender]) peer.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
  assert.equal(place.shared.heap.used, before)
})

test('a message kept and sent again to a connection that does not read holds its memory only until that ends', async () => {
  const place = connections({ message: (_, message) => void slow.peer.send(message) })
  const before = place.shared.heap.used
  const slow = place.connect()
  slow.wire.stuck = true
  const sender = place.connect()
  feed(sender.wire, masked(BINARY, Buffer.alloc(LARGE, 4)))
  sender.peer.terminate()
  await settle()
  assert.ok(place.budget.used >= LARGE)
  slow.wire.finish()
  assert.ok(slow.wire.frames()[0]?.payload.equals(Buffer.alloc(LARGE, 4)))
  assert.equal(place.budget.used, 0)
  slow.peer.terminate()
  await settle()
  assert.equal(place.shared.heap.used, before)
})
