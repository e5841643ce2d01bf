// The limits of a connection: what is read, buffered and kept stays bounded, and goes on when there is room again.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { BINARY, CLOSE, closeStatus, header, masked, PING, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

const MiB = 1024 * 1024

test('a peer that does not read is not read from, and nothing that it sent is lost or reordered', async () => {
  const { wire, peer } = connections({
    message: (connection, message) => connection.send(`${message.text()}${'.'.repeat(1000)}`),
    outputLimit: 20_000,
  }).connect()
  wire.stuck = true
  const batch = Buffer.concat(Array.from({ length: 500 }, (_, n) => masked(TEXT, `${n}`)))
  wire.feed(Buffer.concat([batch, masked(TEXT, '500').subarray(0, 5)]))
  assert.equal(wire.paused, true)
  assert.ok(peer.bufferedAmount < 25_000, `${peer.bufferedAmount} bytes buffered`)
  wire.stuck = false
  wire.finish()
  await wire.resumed()
  assert.equal(wire.paused, false)
  wire.feed(masked(TEXT, '500').subarray(5))
  await settle()
  const frames = wire.frames()
  assert.deepEqual(
    frames.map(({ payload }) => Number.parseInt(payload.toString(), 10)),
    Array.from({ length: 501 }, (_, n) => n),
  )
})

test('parked frames count against the budget and are given back, delivered or not', async () => {
  for (const end of ['deliver', 'terminate']) {
    const place = connections({ message: (connection) => connection.send('.'.repeat(1000)), outputLimit: 5000 })
    const before = place.shared.heap.used
    const { wire, peer } = place.connect()
    wire.stuck = true
    wire.feed(Buffer.concat(Array.from({ length: 200 }, () => masked(BINARY, Buffer.alloc(500)))))
    assert.ok(place.budget.used > 50_000, `${place.budget.used} bytes parked`)
    if (end === 'deliver') {
      wire.stuck = false
      wire.finish()
      await wire.resumed()
      assert.equal(wire.frames().length, 200)
    }
    peer.terminate()
    await settle()
    assert.equal(place.budget.used, 0)
    assert.equal(place.shared.heap.used, before)
  }
})

test('frames that wait for a small unfinished write stop the reading too', async () => {
  const { wire, peer } = connections({ outputLimit: 1000 }).connect()
  wire.stuck = true
  peer.send('x')
  await settle()
  wire.feed(Buffer.concat(Array.from({ length: 100 }, () => masked(PING, Buffer.alloc(100)))))
  assert.equal(wire.paused, true)
  assert.ok(peer.bufferedAmount < 1200, `${peer.bufferedAmount} bytes`)
})

test('output that piles up although nothing is read from the peer ends the connection', async () => {
  const closes: number[] = []
  const { wire, peer } = connections({
    close: (_, code) => void closes.push(code),
    outputLimit: 1000,
    outputCeiling: 100_000,
  }).connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  let sent = 0
  while (peer.send('x'.repeat(1000)) === 'buffered') sent++
  assert.ok(sent >= 99 && sent <= 101, `${sent} messages`)
  await settle()
  assert.deepEqual(closes, [1006])
})

test('one message above the ceiling is no pile', async () => {
  const { wire, peer } = connections({ outputCeiling: 100_000 }).connect()
  wire.stuck = true
  peer.send(Buffer.alloc(500_000))
  await settle()
  assert.equal(peer.send('and another'), 'buffered')
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(wire.frames().length, 2)
})

test('a message over the limit is refused at its header, and nothing is kept', async () => {
  const errors: unknown[] = []
  const place = connections({ error: (_, error) => void errors.push(error), maxMessage: 100_000 })
  const cases = [
    header(0x82, 0x80, 100_001),
    Buffer.concat([masked(TEXT, 'x'.repeat(60_000), false), header(0x80, 0x80, 40_001)]),
    Buffer.concat([masked(BINARY, Buffer.alloc(100_000), false), masked(0, 'x')]),
    masked(BINARY, Buffer.alloc(100_001)),
  ]
  for (const bytes of cases) {
    const { wire } = place.connect()
    wire.feed(bytes)
    // The header alone, without its masking key, says nothing yet in the first two cases.
    if (wire.output.length === 0) wire.feed(Buffer.alloc(4))
    assert.equal(closeStatus(wire.frames()[0])?.code, 1009)
    assert.equal(place.budget.used, 0)
  }
  assert.equal(errors.length, cases.length)
  assert.match(String(errors[0]), /maxMessage is 100000 bytes/)
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(100_000)))
  assert.equal(wire.output.length, 0, 'exactly the limit is fine')
})

test('regions grow with what has arrived, not with what was announced', () => {
  const place = connections({ maxMessage: 1000 * MiB })
  for (let n = 0; n < 100; n++) {
    const { wire } = place.connect()
    wire.feed(Buffer.concat([header(0x82, 0x80, 900 * MiB), Buffer.alloc(4 + 1000)]))
  }
  assert.equal(place.budget.stalls.watched, 100)
  assert.ok(place.budget.used <= 100 * 4096, `${place.budget.used} bytes held for 100,000 that came`)
})

test('when the budget is spent, only the oldest payload goes on; all of them finish', async () => {
  let done = 0
  const place = connections({
    message: (_, message) => {
      done += message.byteLength
    },
    payloadMemory: 2 * MiB,
  })
  const frame = masked(BINARY, Buffer.alloc(MiB, 1))
  const all = Array.from({ length: 10 }, () => ({ ...place.connect(), at: 0 }))
  let most = 0
  for (let turn = 0; turn < 3000 && done < 10 * MiB; turn++) {
    for (const one of all) {
      if (one.wire.paused || one.at >= frame.length) continue
      one.wire.feed(frame.subarray(one.at, one.at + 60_000))
      one.at += 60_000
      most = Math.max(most, place.budget.used)
    }
    await settle()
  }
  assert.equal(done, 10 * MiB)
  assert.equal(place.budget.used, 0)
  // The budget, one message that may exceed it, and what was read of each before it was paused.
  assert.ok(most <= 3 * MiB + 10 * 65536, `${most} bytes`)
})

test('a payload that stalls is failed; time under our own pause is no stall', async () => {
  const place = connections({ payloadMemory: MiB, payloadTimeout: 50 })
  const oldest = place.connect()
  const waiting = place.connect()
  const frame = masked(BINARY, Buffer.alloc(900_000))
  oldest.wire.feed(frame.subarray(0, 200_000))
  oldest.wire.feed(frame.subarray(200_000, 400_000))
  oldest.wire.feed(frame.subarray(400_000, 600_000))
  oldest.wire.feed(frame.subarray(600_000, 800_000))
  waiting.wire.feed(frame.subarray(0, 250_000))
  assert.equal(waiting.wire.paused, true)
  place.budget.stalls.check(performance.now() + 60)
  await settle()
  assert.equal(closeStatus(oldest.wire.frames()[0])?.code, 1008)
  assert.equal(waiting.wire.output.length, 0)
  assert.equal(waiting.wire.paused, false, 'the memory of the one that failed is free')
  place.budget.stalls.check(performance.now() + 60)
  await settle()
  assert.equal(closeStatus(waiting.wire.frames()[0])?.code, 1008)
  assert.equal(place.budget.used, 0)
})

test('handlers that never settle stop the reading, not the server', async () => {
  let called = 0
  const place = connections({ message: () => new Promise(() => void called++), pendingHandlers: 10 })
  const { wire, peer } = place.connect()
  wire.feed(Buffer.concat(Array.from({ length: 100 }, () => masked(TEXT, 'never'))))
  assert.equal(called, 10)
  assert.equal(wire.paused, true)
  const other = place.connect()
  other.wire.feed(masked(PING, 'alive'))
  assert.equal(other.wire.frames().length, 1)
  peer.terminate()
  await settle()
})

test('pending handlers that settle let the reading go on, in order', async () => {
  const seen: string[] = []
  const { wire } = connections({
    async message(_, message) {
      seen.push(message.text())
      await settle()
    },
    pendingHandlers: 4,
  }).connect()
  const expected = Array.from({ length: 50 }, (_, n) => `${n}`)
  wire.feed(Buffer.concat(expected.map((text) => masked(TEXT, text))))
  assert.equal(seen.length, 4)
  for (let turn = 0; turn < 200 && seen.length < 50; turn++) await settle()
  assert.deepEqual(seen, expected)
  for (let turn = 0; turn < 10; turn++) await settle()
  assert.equal(wire.paused, false)
})

test('a violation after frames that were parked is told after them', async () => {
  const { wire } = connections({
    message: (connection) => connection.send('.'.repeat(1000)),
    outputLimit: 2000,
  }).connect()
  wire.stuck = true
  wire.feed(Buffer.concat([...Array.from({ length: 10 }, () => masked(TEXT, 'x')), Buffer.from([0xff, 0xff])]))
  wire.stuck = false
  wire.finish()
  for (let turn = 0; turn < 50; turn++) await settle()
  const frames = wire.frames()
  assert.deepEqual(
    frames.map(({ opcode }) => opcode),
    [...Array.from({ length: 10 }, () => TEXT), CLOSE],
  )
})
