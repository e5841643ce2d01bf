// What `send` puts on the wire: every kind of data, every header length, one write a turn, order under back-pressure.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { BINARY, masked, PING, PONG, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

function payloads(output: Buffer): Buffer[] {
  const { frames, rest } = readFrames(output)
  assert.equal(rest.length, 0)
  return frames.map(({ payload }) => payload)
}

test('strings of every width, at every header length', async () => {
  const { peer, wire } = connections({}).connect()
  const units = ['a', 'é', '→', '𝄞', '\ud800', '\udc00x']
  const sent: string[] = ['']
  for (const unit of units) {
    for (const length of [
      1, 40, 41, 42, 62, 63, 124, 125, 126, 127, 1365, 1366, 4096, 4097, 21845, 65535, 65536, 70000,
    ]) {
      sent.push(unit.repeat(length))
    }
  }
  for (const text of sent) {
    peer.send(text)
    await settle()
    const { frames, rest } = readFrames(wire.output)
    assert.equal(rest.length, 0)
    assert.equal(frames[0]?.opcode, TEXT)
    // A lone surrogate becomes U+FFFD, as Buffer.from and TextEncoder have it.
    assert.ok(frames[0].payload.equals(Buffer.from(text)), `${text.length} x ${text.slice(0, 2)}`)
    wire.output = Buffer.alloc(0)
  }
})

test('bytes of every kind, at every header length', async () => {
  const { peer, wire } = connections({}).connect()
  for (const length of [0, 1, 125, 126, 65535, 65536, 300_000, 2_000_000]) {
    const bytes = Buffer.alloc(length, length & 0xff)
    const shared = new SharedArrayBuffer(length)
    new Uint8Array(shared).set(bytes)
    const whole = new Uint8Array(bytes).buffer
    for (const data of [bytes, new Uint8Array(bytes), new DataView(whole), whole, shared]) {
      peer.send(data)
      await settle()
      assert.ok(payloads(wire.output)[0]?.equals(bytes))
      wire.output = Buffer.alloc(0)
    }
  }
  const odd = new Uint16Array([1, 2, 3, 4]).subarray(1, 3)
  peer.send(odd)
  await settle()
  assert.deepEqual(payloads(wire.output), [Buffer.from(odd.buffer, 2, 4)])
})

test('what is sent may be changed at once', async () => {
  const { peer, wire } = connections({}).connect()
  wire.stuck = true
  const data = Buffer.from('first')
  peer.send(data)
  data.fill('x')
  await settle()
  data.fill('y')
  wire.finish()
  assert.deepEqual(payloads(wire.output), [Buffer.from('first')])
})

test('several sends of one turn leave in one write, in a handler and outside', async () => {
  const place = connections({
    message(connection) {
      connection.send('one')
      connection.ping('two')
      connection.send(Buffer.from('three'))
    },
  })
  const { peer, wire } = place.connect()
  wire.feed(Buffer.concat([masked(TEXT, 'x'), masked(PING, 'y'), masked(TEXT, 'z')]))
  assert.equal(wire.writes, 1)
  assert.deepEqual(payloads(wire.output).map(String), ['one', 'two', 'three', 'y', 'one', 'two', 'three'])
  for (let n = 0; n < 10; n++) peer.send('later')
  assert.equal(wire.writes, 1, 'nothing leaves before the turn is over')
  await settle()
  assert.equal(wire.writes, 2)
})

test('a handler for one connection that sends to others keeps each one’s order', async () => {
  const place = connections({
    message(connection, message) {
      const text = message.text()
      connection.send(`to me ${text}`)
      for (const other of others) other.peer.send(`to other ${text}`)
      connection.send(`to me again ${text}`)
    },
  })
  const first = place.connect()
  const others = [place.connect(), place.connect()]
  first.wire.feed(Buffer.concat([masked(TEXT, '1'), masked(TEXT, '2')]))
  assert.deepEqual(payloads(first.wire.output).map(String), ['to me 1', 'to me again 1', 'to me 2', 'to me again 2'])
  for (const { wire } of others) assert.deepEqual(payloads(wire.output).map(String), ['to other 1', 'to other 2'])
})

test('while a write is outstanding, frames wait in order and leave together', async () => {
  const { peer, wire } = connections({ message: (connection, message) => connection.send(message) }).connect()
  wire.stuck = true
  assert.equal(peer.send('0'), 'sent')
  await settle()
  const expected = ['0']
  for (let n = 1; n < 3000; n++) {
    assert.equal(peer.send(`${n}`), 'buffered')
    expected.push(`${n}`)
  }
  const large = 'L'.repeat(200_000)
  wire.feed(masked(TEXT, large.slice(0, 70_000)))
  peer.send(large)
  peer.send('end')
  expected.push(large.slice(0, 70_000), large, 'end')
  await settle()
  assert.equal(wire.writes, 1)
  wire.stuck = false
  wire.finish()
  await settle()
  assert.deepEqual(payloads(wire.output).map(String), expected)
  assert.ok(wire.writes < 20, `${wire.writes} writes`)
  assert.equal(peer.bufferedAmount, 0)
})

test('bufferedAmount counts what the system has not taken', async () => {
  const { peer, wire } = connections({}).connect()
  peer.send('four')
  assert.equal(peer.bufferedAmount, 6)
  await settle()
  assert.equal(peer.bufferedAmount, 0)
  wire.stuck = true
  peer.send('four')
  await settle()
  peer.send(Buffer.alloc(1000))
  assert.equal(peer.bufferedAmount, 6 + 1004)
  wire.finish()
  assert.equal(peer.bufferedAmount, 1004)
  wire.finish()
  assert.equal(peer.bufferedAmount, 0)
})

test('pings are answered with what they carried, at every length and between fragments', async () => {
  const { wire } = connections({}).connect()
  const bodies = [0, 1, 4, 124, 125].map((length) => Buffer.alloc(length, 'p'))
  wire.feed(masked(TEXT, 'frag', false))
  for (const body of bodies) wire.feed(masked(PING, body))
  wire.feed(masked(0, 'ment'))
  const frames = wire.frames()
  assert.deepEqual(
    frames.map(({ payload }) => payload),
    bodies,
  )
  assert.ok(frames.every(({ opcode, fin }) => opcode === PONG && fin))
})

test('blocked writes give back every byte of the heap', async () => {
  const place = connections({})
  const before = place.shared.heap.used
  for (let round = 0; round < 20; round++) {
    const all = Array.from({ length: 50 }, () => place.connect())
    for (const { wire } of all) wire.stuck = true
    for (let n = 0; n < 100; n++) for (const { peer } of all) peer.send('x'.repeat((n * 97) % 3000))
    await settle()
    all.forEach(({ peer, wire }, index) => {
      if (index % 2 === 0) {
        wire.stuck = false
        wire.finish()
      }
      peer.terminate()
    })
    await settle()
  }
  // The outbox may have moved to another block; everything else is back.
  assert.equal(place.shared.heap.used, before)
})

test('echoes of binary and text keep their kind', () => {
  const { wire } = connections({ message: (connection, message) => connection.send(message) }).connect()
  wire.feed(Buffer.concat([masked(TEXT, 'täxt'), masked(BINARY, 'bin'), masked(TEXT, ''), masked(BINARY, '')]))
  const frames = wire.frames()
  assert.deepEqual(
    frames.map(({ opcode, payload }) => [opcode, payload.toString()]),
    [
      [TEXT, 'täxt'],
      [BINARY, 'bin'],
      [TEXT, ''],
      [BINARY, ''],
    ],
  )
})
