// `ping()` and the `pong` handler: the round trip of the right ping, and an end for every promise.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { close, masked, PING, PONG, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { delay } from '../support/socketClient.js'

test('resolves with the time between ping and pong', async () => {
  const { peer, wire } = connections({}).connect()
  const begin = performance.now()
  const roundTrip = peer.ping('tick')
  await delay(60)
  wire.feed(masked(PONG, 'tick'))
  const measured = await roundTrip
  const elapsed = performance.now() - begin
  assert.ok(measured >= 50 && measured <= elapsed, `${measured} ms of ${elapsed}`)
})

test('several outstanding: each pong settles its own ping and those before, no later ones', async () => {
  const { peer, wire } = connections({}).connect()
  const settled: number[] = []
  const pings = Array.from({ length: 5 }, () => peer.ping())
  pings.forEach((ping, at) => void ping.then(() => settled.push(at)))
  await settle()
  const frames = wire.frames()
  assert.equal(new Set(frames.map(({ payload }) => payload.toString('hex'))).size, 5, 'no two are alike')
  wire.feed(masked(PONG, frames[1]?.payload))
  await settle()
  assert.deepEqual(settled, [0, 1])
  wire.feed(masked(PONG, frames[0]?.payload))
  await settle()
  assert.deepEqual(settled, [0, 1])
  wire.feed(masked(PONG, frames[4]?.payload))
  await settle()
  assert.deepEqual(settled, [0, 1, 2, 3, 4])
})

test('unsolicited pongs are harmless, settle nothing, and come to the handler, with data of its own', async () => {
  const pongs: Buffer[] = []
  const { peer, wire } = connections({ pong: (_, data) => void pongs.push(data) }).connect()
  let settled = false
  peer.ping('mine').then(() => {
    settled = true
  })
  const bodies = ['', 'x', 'mine?', 'y'.repeat(125)]
  wire.feed(Buffer.concat(bodies.map((body) => masked(PONG, body))))
  await settle()
  assert.equal(settled, false)
  wire.feed(masked(PONG, 'mine'))
  await settle()
  assert.equal(settled, true)
  assert.deepEqual(pongs.map(String), [...bodies, 'mine'])
  for (const pong of pongs) assert.ok(Buffer.isBuffer(pong) && !(pong.buffer instanceof SharedArrayBuffer))
  const { wire: without } = connections({}).connect()
  without.feed(masked(PONG, 'x'))
  assert.equal(without.output.length, 0)
})

test('the ping handler is told of each ping, which has been answered by then, with data of its own', async () => {
  const told: Buffer[] = []
  const { wire } = connections({
    ping(connection, data) {
      told.push(data)
      connection.send('told')
    },
  }).connect()
  const bodies = ['', 'x', 'y'.repeat(125)]
  wire.feed(Buffer.concat(bodies.map((body) => masked(PING, body))))
  await settle()
  assert.deepEqual(told.map(String), bodies)
  assert.deepEqual(
    wire.frames().map(({ opcode, payload }) => (opcode === PONG ? payload.toString() : opcode)),
    bodies.flatMap((body) => [body, TEXT]),
  )
  for (const data of told) assert.ok(Buffer.isBuffer(data) && !(data.buffer instanceof SharedArrayBuffer))
  wire.feed(Buffer.concat([masked(TEXT, 'x'.repeat(1000)), close(1000), masked(PING, 'too late')]))
  await settle()
  assert.deepEqual(
    told.map(String),
    bodies,
    'nothing is told after Close, and what came later has not changed the data',
  )
})

test('a ping handler that throws ends its connection, after the pong', async () => {
  const errors: unknown[] = []
  const { peer, wire } = connections({
    ping: () => {
      throw new Error('bang')
    },
    error: (_, error) => void errors.push(error),
  }).connect()
  wire.feed(Buffer.concat([masked(PING, 'a'), masked(PING, 'b')]))
  await settle()
  assert.equal(errors.length, 1)
  assert.equal(peer.isOpen, false)
})

test('a pong handler that throws ends its connection', async () => {
  const errors: unknown[] = []
  const { peer, wire } = connections({
    pong: () => {
      throw new Error('bang')
    },
    error: (_, error) => void errors.push(error),
  }).connect()
  wire.feed(Buffer.concat([masked(PONG), masked(PONG)]))
  assert.equal(errors.length, 1)
  assert.equal(peer.isOpen, false)
})

test('every kind of payload, up to 125 bytes', async () => {
  const { peer, wire } = connections({}).connect()
  const payloads = ['', 'é', 'x'.repeat(125), Buffer.alloc(125, 1), new Uint16Array([1, 2]), new ArrayBuffer(3)]
  for (const payload of payloads) peer.ping(payload).catch(() => undefined)
  await settle()
  const frames = wire.frames()
  assert.ok(frames.every(({ opcode, fin }) => opcode === PING && fin))
  assert.deepEqual(
    frames.map(({ payload }) => payload.length),
    [0, 2, 125, 125, 4, 3],
  )
  for (const payload of ['x'.repeat(126), 'é'.repeat(63), Buffer.alloc(126), new ArrayBuffer(1000)]) {
    assert.throws(() => peer.ping(payload), RangeError)
  }
  peer.terminate()
})

test('rejects when the connection ends, in whichever way; ignored, it is no unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const note = (error: unknown): void => void unhandled.push(error)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  for (const end of ['terminate', 'peer']) {
    const { peer, wire } = connections({}).connect()
    peer.ping() // ignored
    const waited = peer.ping('waited for')
    if (end === 'terminate') peer.terminate()
    else {
      wire.feed(close(1000))
      wire.feedEnd()
    }
    await assert.rejects(waited, /the connection ended before the pong came/)
    peer.ping() // after the end, ignored
    await assert.rejects(peer.ping('late'), /the connection ended/)
  }
  await settle()
  assert.deepEqual(unhandled, [])
})

test('a ping after close rejects, those before may still be answered', async () => {
  const { peer, wire } = connections({}).connect()
  const before = peer.ping('before')
  peer.close()
  await assert.rejects(peer.ping('after'), /the connection ended/)
  wire.feed(masked(PONG, 'before'))
  assert.ok((await before) >= 0)
  peer.terminate()
})

for (const { transport, publicApi } of transports) {
  test(`over a socket, by ${transport}, between other frames`, async (t) => {
    const { connection, client } = await pairOf(t, { publicApi })
    const begin = performance.now()
    const pings = Array.from({ length: 20 }, () => {
      connection.send('between')
      return connection.ping()
    })
    const frames = (await client.frames(40)).filter(({ opcode }) => opcode === PING)
    await delay(30)
    for (const { payload } of frames) client.write(masked(PONG, payload))
    for (const roundTrip of await Promise.all(pings)) {
      assert.ok(roundTrip >= 20 && roundTrip <= performance.now() - begin, `${roundTrip} ms`)
    }
  })
}
