// Handlers that return promises: by default they overlap; with pendingHandlers: 1 each message waits for the one before.
// A promise that never settles must cost bounded memory, and its connection an end.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Message } from '../../src/connection/message.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { BINARY, CLOSE, close, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { delay, eventually } from '../support/socketClient.js'

/** A room whose handlers note when they begin and end; each takes as long as its message says. */
function noting(limits = {}) {
  const seen: string[] = []
  let running = 0
  let most = 0
  const place = connections({
    async message(_, message) {
      const text = message.text()
      running++
      most = Math.max(most, running)
      seen.push(`begin ${text}`)
      for (let turn = Number(text) % 3; turn > 0; turn--) await settle()
      await Promise.resolve()
      assert.equal(message.text(), text)
      seen.push(`end ${text}`)
      running--
    },
    ...limits,
  })
  return { place, seen, most: () => most }
}

const texts = Array.from({ length: 40 }, (_, n) => `${n}`)
const oneByOne = texts.flatMap((text) => [`begin ${text}`, `end ${text}`])

for (const [how, cut] of [
  ['in one batch', Infinity],
  ['in reads that cut frames', 11],
  ['in reads of less than a frame', 5],
] as const) {
  test(`pendingHandlers: 1, messages ${how}: strictly one after the other, in order`, async () => {
    const { place, seen, most } = noting({ pendingHandlers: 1 })
    const { wire, peer } = place.connect()
    const bytes = Buffer.concat(texts.map((text) => masked(TEXT, text)))
    for (let at = 0; at < bytes.length; at += cut) {
      await wire.resumed()
      wire.feed(bytes.subarray(at, Math.min(at + cut, bytes.length)))
    }
    for (let turn = 0; turn < 400 && seen.length < oneByOne.length; turn++) await settle()
    assert.deepEqual(seen, oneByOne)
    assert.equal(most(), 1)
    await settle()
    assert.equal(wire.paused, false)
    assert.equal(place.budget.used, 0)
    peer.terminate()
  })
}

test('by default handlers overlap, in the order of the messages', async () => {
  const { place, seen, most } = noting()
  place.connect().wire.feed(Buffer.concat(texts.map((text) => masked(TEXT, text))))
  assert.deepEqual(
    seen,
    texts.map((text) => `begin ${text}`),
  )
  assert.equal(most(), texts.length)
  for (let turn = 0; turn < 10; turn++) await settle()
  assert.equal(seen.length, 2 * texts.length)
  assert.equal(place.budget.used, 0)
})

test('pendingHandlers: 1 with handlers that return nothing needs no turns of its own', () => {
  const seen: string[] = []
  const { wire } = connections({
    message: (_, message) => void seen.push(message.text()),
    pendingHandlers: 1,
  }).connect()
  wire.feed(Buffer.concat(texts.map((text) => masked(TEXT, text))))
  assert.deepEqual(seen, texts)
})

test('pendingHandlers: 1: large messages, pings and Close between keep their place too', async () => {
  const order: string[] = []
  const { wire } = connections({
    async message(_, message) {
      order.push(`begin ${message.byteLength}`)
      await settle()
      order.push(`end ${message.byteLength}`)
    },
    close: () => void order.push('close'),
    pendingHandlers: 1,
  }).connect()
  wire.feed(Buffer.concat([masked(BINARY, Buffer.alloc(50_000)), masked(TEXT, 'four'), masked(PING), close(1000)]))
  assert.deepEqual(order, ['begin 50000'])
  for (let turn = 0; turn < 20; turn++) await settle()
  wire.feedEnd()
  await settle()
  assert.deepEqual(order, ['begin 50000', 'end 50000', 'begin 4', 'end 4', 'close'])
  assert.deepEqual(
    wire.frames().map(({ opcode }) => opcode),
    [PONG, CLOSE],
  )
})

test('a handler that rejects amid others ends the connection; those under way may finish', async () => {
  const done: string[] = []
  const place = connections({
    async message(_, message) {
      await settle()
      if (message.text() === '1') throw new Error('bang')
      await settle()
      done.push(message.text())
    },
    error: () => undefined,
  })
  const { wire } = place.connect()
  wire.feed(Buffer.concat(['0', '1', '2'].map((text) => masked(TEXT, text))))
  for (let turn = 0; turn < 5; turn++) await settle()
  assert.deepEqual(done, ['0', '2'])
  assert.equal(closeStatus(wire.frames()[0])?.code, 1011)
  assert.equal(place.budget.used, 0)
})

test('what pending handlers hold counts until they settle, whether the connection ends before or not', async () => {
  const kept: Message[] = []
  const settles: (() => void)[] = []
  const place = connections({
    message: (_, message) => {
      kept.push(message)
      return new Promise<void>((resolve) => settles.push(resolve))
    },
  })
  const before = place.shared.heap.used
  for (const end of ['terminate', 'peer']) {
    kept.length = 0
    const { wire, peer } = place.connect()
    wire.feed(Buffer.concat([masked(TEXT, 'small'), masked(BINARY, Buffer.alloc(100_000, 7))]))
    assert.equal(kept.length, 2)
    assert.ok(place.budget.used >= 100_005)
    if (end === 'terminate') peer.terminate()
    else {
      wire.feed(close(1000))
      wire.feedEnd()
    }
    await settle()
    assert.ok(place.budget.used >= 100_005, end)
    assert.equal(place.shared.heap.used, before)
    assert.equal(kept[0]?.text(), 'small')
    assert.ok(kept[1]?.bytes.equals(Buffer.alloc(100_000, 7)))
    for (const resolve of settles.splice(0)) resolve()
    await settle()
    assert.equal(place.budget.used, 0, end)
  }
})

test('a handler that settles after the end changes nothing', async () => {
  const settles: (() => void)[] = []
  const place = connections({
    message: () => new Promise<void>((resolve) => settles.push(resolve)),
    pendingHandlers: 2,
    payloadMemory: 1000,
  })
  const before = place.shared.heap.used
  const { wire, peer } = place.connect()
  wire.feed(Buffer.concat(Array.from({ length: 5 }, () => masked(BINARY, Buffer.alloc(200_000 / 5)))))
  peer.terminate()
  await settle()
  for (const resolve of settles) resolve()
  await settle()
  assert.equal(place.budget.used, 0)
  assert.equal(place.shared.heap.used, before)
})

test('with the memory spent, one handler at a time goes on, and all messages arrive', async () => {
  const seen: number[] = []
  const place = connections({
    async message(_, message) {
      await settle()
      seen.push(message.bytes[0] ?? -1)
    },
    payloadMemory: 5000,
  })
  const { wire } = place.connect()
  wire.feed(Buffer.concat(Array.from({ length: 30 }, (_, n) => masked(BINARY, Buffer.alloc(3000, n)))))
  for (let turn = 0; turn < 300 && seen.length < 30; turn++) await settle()
  assert.deepEqual(
    seen,
    Array.from({ length: 30 }, (_, n) => n),
  )
  assert.equal(place.budget.used, 0)
})

for (const { transport, publicApi } of transports) {
  test(`a handler that never settles, by ${transport}: nothing more is read, and pauseTimeout ends the connection`, async (t) => {
    const errors: unknown[] = []
    let called = 0
    let closed = false
    const { client, connection } = await pairOf(t, {
      publicApi,
      pendingHandlers: 1,
      pauseTimeout: 400,
      message: () => new Promise(() => void called++),
      error: (_, error) => void errors.push(error),
      close: () => {
        closed = true
      },
    })
    const begin = performance.now()
    for (let n = 0; n < 50; n++) {
      client.write(masked(TEXT, 'never'))
      await delay(1)
    }
    await client.end()
    const taken = performance.now() - begin
    assert.ok(taken > 390 && taken < 4000, `${taken} ms`)
    assert.equal(called, 1)
    assert.equal(connection.isOpen, false)
    const [error] = errors
    assert.ok(error instanceof ProtocolViolation)
    assert.equal(error.code, 'UNREAD')
    assert.match(error.message, /pauseTimeout is 400 ms/)
    const [frame] = await client.frames(1)
    assert.equal(closeStatus(frame)?.code, 1008)
    client.socket.end()
    await eventually(() => closed, 'the end')
  })
}
