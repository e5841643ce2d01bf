// A prepared message is memory that many connections write from: it must be there for the slowest of them, and gone
// after.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { heapOfThread } from '../../src/codec/codec.js'
import { type PreparedMessage, prepare } from '../../src/connection/sending/prepared.js'
import { connections } from '../support/connections.js'
import { BINARY, masked, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

setFlagsFromString('--expose_gc')
const collect: () => void = runInNewContext('gc')
const MiB = 1024 * 1024

for (const length of [0, 1, 125, 126, 16_380, 16_381, 65_535, 65_536, MiB]) {
  test(`${length} bytes of text, of binary, and of a Message, to ten connections, fast and slow`, async () => {
    const place = connections({
      message(_, message) {
        made.push(prepare(message))
      },
    })
    const before = place.shared.heap.used
    const payload = Buffer.alloc(length, 'pattern')
    const made: PreparedMessage[] = [prepare(payload.toString('latin1')), prepare(payload), prepare(payload.buffer)]
    const sender = place.connect()
    for (const opcode of [TEXT, BINARY]) {
      const frame = masked(opcode, payload)
      for (let at = 0; at < frame.length; at += 200_000) sender.wire.feed(frame.subarray(at, at + 200_000))
    }
    const all = Array.from({ length: 10 }, () => place.connect())
    all.forEach(({ peer, wire }, index) => {
      wire.stuck = index % 2 === 0
      for (const message of made) peer.send(message)
    })
    for (const message of made) assert.equal(message.byteLength, length)
    assert.deepEqual(
      made.map(({ isText }) => isText),
      [true, false, false, true, false],
    )
    for (const message of made) message.release()
    await settle()
    for (const { peer, wire } of all) {
      wire.stuck = false
      wire.finish()
      for (let turn = 0; peer.bufferedAmount > 0 && turn < 100; turn++) await settle() // in parts, each in a turn of its own
      const { frames, rest } = readFrames(wire.output)
      assert.equal(rest.length, 0)
      assert.deepEqual(
        frames.map(({ opcode, fin }) => [opcode, fin]),
        [TEXT, BINARY, BINARY, TEXT, BINARY].map((opcode) => [opcode, true]),
      )
      for (const frame of frames) assert.ok(frame.payload.equals(payload))
      peer.terminate()
    }
    sender.peer.terminate()
    await settle()
    assert.equal(place.shared.heap.used, before)
    assert.equal(place.budget.used, 0)
  })
}

test('strings of every width, and lone surrogates as the platform has them', async () => {
  const { peer, wire } = connections({}).connect()
  for (const text of ['é→𝄞', '\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(124)}é`]) {
    const message = prepare(text)
    peer.send(message)
    message.release()
    await settle()
    assert.ok(wire.frames()[0]?.payload.equals(new TextEncoder().encode(text)))
    wire.output = Buffer.alloc(0)
  }
})

test('between other messages, in order, in the same write where it is short', async () => {
  const { peer, wire } = connections({}).connect()
  const short = prepare('short')
  const long = prepare('L'.repeat(100_000))
  for (const data of ['1', short, '2', short, long, '3', short, long, '4']) peer.send(data)
  await settle()
  assert.deepEqual(
    wire.frames().map(({ payload }) => payload.toString().slice(0, 5)),
    ['1', 'short', '2', 'short', 'LLLLL', '3', 'short', 'LLLLL', '4'],
  )
  wire.output = Buffer.alloc(0)
  const { writes } = wire
  for (let n = 0; n < 10; n++) peer.send(short)
  await settle()
  assert.equal(wire.writes, writes + 1)
  short.release()
  long.release()
})

test('released: sending throws, releasing again is harmless, and what is under way arrives', async () => {
  const { peer, wire } = connections({}).connect()
  const before = heapOfThread().used
  const message = prepare(Buffer.alloc(100_000, 7))
  wire.stuck = true
  peer.send(message)
  await settle()
  message.release()
  message.release()
  assert.throws(() => peer.send(message), /released/)
  assert.ok(heapOfThread().used > before, 'the slow reader still needs it')
  // Whoever allocates now must not get its memory.
  const others = Array.from({ length: 5 }, () => prepare(Buffer.alloc(100_000, 9)))
  wire.finish()
  assert.ok(wire.frames()[0]?.payload.equals(Buffer.alloc(100_000, 7)))
  for (const other of others) other.release()
  assert.equal(heapOfThread().used, before)
})

test('garbage gives its memory back, but not before the slow reader has read it', async () => {
  const { peer, wire } = connections({}).connect()
  const before = heapOfThread().used
  wire.stuck = true
  const make = (): void => {
    peer.send(prepare(Buffer.alloc(MiB, 3)))
    for (let n = 0; n < 20; n++) prepare(Buffer.alloc(100_000, 5))
  }
  make()
  assert.ok(heapOfThread().used > before + 2 * MiB)
  await eventually(() => {
    collect()
    return heapOfThread().used < before + 1.5 * MiB
  }, 'the finalizers')
  assert.ok(heapOfThread().used > before + MiB, 'the one that is under way')
  wire.finish()
  assert.ok(wire.frames()[0]?.payload.equals(Buffer.alloc(MiB, 3)))
  assert.equal(heapOfThread().used, before)
})

test('a connection that ends gives its share back', async () => {
  const place = connections({})
  const before = heapOfThread().used
  const message = prepare(Buffer.alloc(200_000))
  const all = Array.from({ length: 20 }, () => place.connect())
  for (const { peer, wire } of all) {
    wire.stuck = true
    for (let n = 0; n < 3; n++) peer.send(message)
  }
  await settle()
  for (const { peer } of all) peer.terminate()
  message.release()
  await settle()
  assert.equal(heapOfThread().used, before)
  assert.equal(all[0]?.peer.send('x'), 'closed')
})

test('what can not be sent can not be prepared', () => {
  for (const value of [1, null, undefined, {}, true, [1], Symbol('x')]) {
    assert.throws(() => Reflect.apply(prepare, undefined, [value]), TypeError)
  }
  const gone: unknown[] = []
  const { wire } = connections({ message: (_, message) => void gone.push(message) }).connect()
  wire.feed(masked(TEXT, 'x'))
  assert.throws(() => Reflect.apply(prepare, undefined, gone), /the message is gone/)
})
