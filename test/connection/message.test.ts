// A message's bytes: readable while they are there, refused afterwards, and never another peer's.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Message } from '../../src/connection/message.js'
import { connections } from '../support/connections.js'
import { effort } from '../support/effort.js'
import { BINARY, masked, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

test('text, bytes and view in the handler', () => {
  const seen: unknown[] = []
  const { wire } = connections({
    message(_, message) {
      seen.push(message.isText, message.byteLength, message.text(), [...message.view], [...message.bytes])
      assert.equal(message.bytes, message.bytes, 'one copy')
    },
  }).connect()
  wire.feed(Buffer.concat([masked(TEXT, 'aé'), masked(BINARY, Buffer.from([0, 255]))]))
  assert.deepEqual(seen, [true, 3, 'aé', [97, 195, 169], [97, 195, 169], false, 2, '\0�', [0, 255], [0, 255]])
})

test('after the handler, only what was asked for before is left', () => {
  const kept: Message[] = []
  const { wire } = connections({
    message(_, message) {
      if (message.text() === 'keep') assert.equal(message.bytes.toString(), 'keep')
      kept.push(message)
    },
  }).connect()
  wire.feed(Buffer.concat([masked(TEXT, 'gone'), masked(TEXT, 'keep')]))
  const [gone, keep] = kept
  assert.ok(gone !== undefined && keep !== undefined)
  assert.throws(() => gone.text(), /the message is gone/)
  assert.throws(() => gone.bytes, /the message is gone/)
  assert.throws(() => gone.view, /the message is gone/)
  assert.equal(gone.byteLength, 4)
  assert.equal(keep.bytes.toString(), 'keep')
  assert.equal(keep.text(), 'keep')
})

test('sending a message whose handler has returned throws, unless its bytes were asked for', async () => {
  const kept: Message[] = []
  const { peer, wire } = connections({ message: (_, message) => void kept.push(message) }).connect()
  wire.feed(masked(TEXT, 'x'))
  const [message] = kept
  assert.ok(message !== undefined)
  assert.throws(() => peer.send(message), /the message is gone/)
  peer.terminate()
  assert.throws(() => peer.send(message), /the message is gone/)
})

for (const length of [5, 300_000]) {
  test(`across await, a message of ${length} bytes stays what it was until the promise settles`, async () => {
    let proceed: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      proceed = resolve
    })
    const results: boolean[] = []
    const place = connections({
      async message(connection, message) {
        const first = message.isText ? message.text() : ''
        await gate
        results.push(message.text() === first, message.bytes.toString() === first)
        connection.send(message)
      },
    })
    const senders = ['a', 'b', 'c'].map((letter) => ({ ...place.connect(), text: letter.repeat(length) }))
    for (const { wire, text } of senders) {
      const frame = masked(TEXT, text)
      for (let at = 0; at < frame.length; at += 100_000) wire.feed(frame.subarray(at, at + 100_000))
    }
    await settle()
    proceed()
    await settle()
    assert.deepEqual(results, [true, true, true, true, true, true])
    for (const { wire, text } of senders) assert.equal(wire.frames()[0]?.payload.toString(), text)
    assert.equal(place.budget.used, 0)
    for (const { peer } of senders) peer.terminate()
  })
}

test('a region message that was kept is refused after its promise settled', async () => {
  let kept: Message | undefined
  const { wire, peer } = connections({
    async message(_, message) {
      kept = message
      await settle()
      assert.equal(message.view.length, 300_000)
    },
  }).connect()
  const frame = masked(BINARY, Buffer.alloc(300_000, 7))
  wire.feed(frame.subarray(0, 200_000))
  wire.feed(frame.subarray(200_000))
  await settle()
  await settle()
  assert.throws(() => kept?.view, /the message is gone/)
  assert.throws(() => peer.send(kept ?? ''), /the message is gone/)
})

const TURNS = effort({ quick: 1500, full: 6000 })

test('no byte of one connection shows up in another’s message', async () => {
  // Connections whose every payload byte is their own number, in random pieces, through a poisoned inbox.
  let random = 12345
  const next = (below: number) => {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0
    return (random >>> 8) % below
  }
  const kept: { owner: number; bytes: Buffer }[] = []
  let delivered = 0
  const owners = new Map<unknown, number>()
  const place = connections({
    async message(connection, message) {
      const owner = owners.get(connection) ?? -1
      delivered++
      const wrong = message.view.findIndex((byte) => byte !== owner)
      assert.equal(wrong, -1)
      connection.send(message)
      if (delivered % 3 === 0) {
        await settle()
        kept.push({ owner, bytes: message.bytes })
        connection.send(message)
      }
    },
    error: (_, error) => assert.fail(String(error)),
  })
  const all = Array.from({ length: 40 }, (_, index) => {
    const connected = place.connect()
    owners.set(connected.peer, index + 1)
    return { ...connected, queue: Buffer.alloc(0) as Buffer, sent: 0 }
  })
  for (let turn = 0; turn < TURNS; turn++) {
    const one = all[next(all.length)]
    if (one === undefined || one.wire.paused) continue
    if (one.queue.length === 0) {
      const owner = owners.get(one.peer) ?? 0
      const length = next(4) === 0 ? next(200_000) : next(300)
      const body = Buffer.alloc(length, owner)
      const cut = next(length + 1)
      one.queue =
        next(2) === 0
          ? masked(BINARY, body)
          : Buffer.concat([masked(BINARY, body.subarray(0, cut), false), masked(0, body.subarray(cut))])
      one.sent++
    }
    one.wire.stuck = next(5) === 0
    one.wire.finish()
    const piece = 1 + next(150_000)
    one.wire.feed(one.queue.subarray(0, piece))
    one.queue = one.queue.subarray(piece)
    if (turn % 50 === 0) await settle()
  }
  await settle()
  await settle()
  for (const { owner, bytes } of kept)
    assert.equal(
      bytes.findIndex((byte) => byte !== owner),
      -1,
    )
  for (const { peer, wire } of all) {
    wire.stuck = false
    wire.finish()
    await settle()
    const { frames, rest } = readFrames(wire.output)
    assert.equal(rest.length, 0)
    for (const { payload } of frames) {
      assert.equal(
        payload.findIndex((byte) => byte !== owners.get(peer)),
        -1,
      )
    }
  }
  assert.ok(delivered > TURNS / 12, `${delivered} messages`)
})
