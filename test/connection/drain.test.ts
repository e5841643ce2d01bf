// The `drain` handler is how an application goes on sending: called too early it makes memory grow, too late or never it
// stops the stream.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { CLOSE, closeStatus, masked, PING } from '../support/frames.js'
import { fill, pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { delay, eventually } from '../support/socketClient.js'

/** A peer whose first write is under way, and what was buffered each time that `drain` was called. */
async function blocked(limits = {}) {
  const drains: number[] = []
  const place = connections({ drain: (connection) => void drains.push(connection.bufferedAmount), ...limits })
  const { peer, wire } = place.connect()
  wire.stuck = true
  assert.equal(peer.send('first'), 'sent')
  await settle()
  assert.ok(peer.bufferedAmount > 0)
  return { place, peer, wire, drains }
}

test('once, when everything that was buffered has left', async () => {
  const { peer, wire, drains } = await blocked()
  assert.equal(peer.send('second'), 'buffered')
  assert.equal(peer.send(Buffer.alloc(100_000)), 'buffered')
  assert.equal(peer.send('last'), 'buffered')
  wire.finish()
  await settle()
  assert.deepEqual(drains, [], 'the rest is a write of its own, and unfinished')
  for (let turn = 0; turn < 20 && peer.bufferedAmount > 0; turn++) {
    assert.deepEqual(drains, [])
    wire.finish()
    await settle()
  }
  assert.deepEqual(drains, [0])
  wire.finish()
  peer.send('nothing in the way')
  await settle()
  wire.finish()
  await settle()
  assert.deepEqual(drains, [0], 'sent is not buffered')
})

test('after a message that is too long for one turn, which is buffered, and so is what comes behind it', async () => {
  const drains: number[] = []
  const place = connections({ drain: (connection) => void drains.push(connection.bufferedAmount) })
  const { peer } = place.connect()
  assert.equal(peer.send(Buffer.alloc(8_000_000)), 'buffered')
  assert.equal(peer.send('behind'), 'buffered')
  for (let turn = 0; turn < 20 && peer.bufferedAmount > 0; turn++) {
    assert.deepEqual(drains, [])
    await settle()
  }
  assert.deepEqual(drains, [0])
})

test('again, after each time that something was buffered', async () => {
  const { peer, wire, drains } = await blocked()
  for (let round = 1; round <= 3; round++) {
    if (peer.bufferedAmount === 0) {
      peer.send('blocks')
      await settle()
    }
    assert.equal(peer.send('waits'), 'buffered')
    wire.finish()
    wire.finish()
    await settle()
    assert.equal(drains.length, round)
  }
})

test('not where nothing was answered with buffered: what this server says by itself promised nothing', async () => {
  const { peer, wire, drains } = await blocked()
  wire.feed(masked(PING, 'answered behind the write'))
  peer.ping().catch(() => undefined)
  assert.ok(peer.bufferedAmount > 10)
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(peer.bufferedAmount, 0)
  assert.deepEqual(drains, [])
})

test('not after close, and not after terminate', async () => {
  for (const end of ['close', 'terminate'] as const) {
    const { peer, wire, drains } = await blocked()
    assert.equal(peer.send('second'), 'buffered')
    peer[end]()
    wire.stuck = false
    wire.finish()
    await settle()
    assert.deepEqual(drains, [], end)
  }
})

test('what it sends leaves in one write; what is buffered then calls it again', async () => {
  let rounds = 0
  const results: string[] = []
  const { peer, wire } = connections({
    drain(connection) {
      if (++rounds > 2) return
      for (let n = 0; n < 5; n++) results.push(connection.send(`${rounds}.${n}`))
    },
  }).connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  peer.send('second')
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(rounds, 1, 'nothing that it sent was buffered')
  assert.equal(wire.writes, 3, 'the two before, and one for five messages')
  assert.deepEqual(new Set(results), new Set(['sent']))
  assert.equal(wire.frames().length, 7)
})

test('a drain handler that throws ends its connection with 1011', async () => {
  const errors: unknown[] = []
  const { peer, wire } = connections({
    drain: () => {
      throw new Error('bang')
    },
    error: (_, error) => void errors.push(error),
  }).connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  peer.send('second')
  wire.stuck = false
  wire.finish()
  await settle()
  const last = wire.frames().at(-1)
  assert.equal(last?.opcode, CLOSE)
  assert.equal(closeStatus(last)?.code, 1011)
  assert.equal(errors.length, 1)
})

for (const { transport, publicApi } of transports) {
  test(`a slow reader over a socket, by ${transport}: a stream in steps of drain arrives whole`, async (t) => {
    const total = 300
    let sent = 0
    let drains = 0
    let most = 0
    const pair = await pairOf(t, {
      publicApi,
      drain(connection) {
        drains++
        assert.equal(connection.bufferedAmount, 0)
        stream()
      },
    })
    const { connection, client } = pair
    const stream = (): void => {
      let result = 'sent'
      while (sent < total && result === 'sent') {
        result = connection.send(Buffer.alloc(65_536, sent++ % 251))
        most = Math.max(most, connection.bufferedAmount)
      }
    }
    const before = await fill(pair)
    assert.equal(connection.send('waits'), 'buffered')
    await delay(50)
    assert.equal(drains, 0, 'the client has read nothing')
    client.socket.resume()
    await eventually(() => drains > 0, 'the first drain')
    // A stream that the system takes as fast as it comes ends without a drain; this one is above the limit at times.
    for (let turn = 0; sent < total && turn < 1000; turn++) {
      stream()
      await delay(1)
    }
    const frames = await client.frames(before + 1 + total)
    frames.slice(-total).forEach(({ payload }, at) => {
      assert.equal(payload.length, 65_536)
      assert.equal(payload[0], at % 251)
    })
    assert.ok(most <= 1024 * 1024 + 3 * 65_546, `${most} bytes were buffered`)
  })
}
