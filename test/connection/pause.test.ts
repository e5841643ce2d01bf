// `pause` and `resume`: the application stops its peer wherever it is, also amid what was read at once. Nothing is lost,
// reordered, or kept without being counted.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { BINARY, close, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

/** A room that notes its messages, and pauses at some of them. */
function pausing(at: readonly string[], limits = {}) {
  const seen: string[] = []
  const place = connections({
    message(connection, message) {
      const text = message.byteLength > 100 ? `${message.byteLength}` : message.text()
      seen.push(text)
      if (at.includes(text)) connection.pause()
    },
    ...limits,
  })
  return { place, seen, ...place.connect() }
}

const texts = Array.from({ length: 10 }, (_, n) => `${n}`)
const batch = Buffer.concat(texts.map((text) => masked(TEXT, text)))

test('amid a batch: what follows waits, is counted, and comes in order', async () => {
  const { place, seen, peer, wire } = pausing(['3', '6'])
  wire.feed(masked(PING, 'first')) // from its first bytes on, a connection has a parser
  const before = place.shared.heap.used
  wire.feed(batch)
  assert.deepEqual(seen, texts.slice(0, 4))
  assert.equal(wire.paused, true)
  assert.ok(place.budget.used > 0)
  peer.resume()
  assert.deepEqual(seen, texts.slice(0, 4), 'not from inside of resume')
  await settle()
  assert.deepEqual(seen, texts.slice(0, 7))
  assert.equal(wire.paused, true)
  peer.resume()
  await settle()
  assert.deepEqual(seen, texts)
  assert.equal(wire.paused, false)
  assert.equal(place.budget.used, 0)
  assert.equal(place.shared.heap.used, before)
})

test('twice is once; resume without pause, and a pause taken back at once, are harmless', async () => {
  const { seen, peer, wire } = pausing([])
  peer.resume()
  peer.pause()
  peer.pause()
  peer.resume()
  await settle()
  assert.equal(wire.paused, false)
  wire.feed(batch)
  assert.equal(seen.length, 10)
  peer.pause()
  peer.resume()
  peer.pause()
  await settle()
  assert.equal(wire.paused, true)
  peer.resume()
  peer.resume()
  await settle()
  assert.equal(wire.paused, false)
})

test('pause and resume in one handler do not stop the batch', () => {
  let seen = 0
  const { wire } = connections({
    message(connection) {
      seen++
      connection.pause()
      connection.resume()
    },
  }).connect()
  wire.feed(batch)
  assert.equal(seen, 10)
})

test('in open: nothing comes until resume, neither the early frames nor later ones', async () => {
  const seen: string[] = []
  const place = connections({
    open: (connection) => connection.pause(),
    message: (_, message) => void seen.push(message.text()),
  })
  const { peer, wire } = place.connect()
  assert.equal(wire.paused, true)
  await settle()
  peer.resume()
  await settle()
  wire.feed(batch)
  assert.deepEqual(seen, texts)
})

test('sending goes on while paused, pings are not answered until resume', async () => {
  const { peer, wire } = pausing(['stop'])
  wire.feed(Buffer.concat([masked(TEXT, 'stop'), masked(PING, 'ping')]))
  assert.equal(peer.send('still'), 'sent')
  await settle()
  assert.deepEqual(
    wire.frames().map(({ opcode }) => opcode),
    [TEXT],
  )
  peer.resume()
  await settle()
  assert.deepEqual(
    wire.frames().map(({ opcode }) => opcode),
    [TEXT, PONG],
  )
})

for (const end of ['close', 'terminate', 'violated'] as const) {
  test(`paused, then ${end}: what was parked is given up, and its memory`, async () => {
    const { place, seen, peer, inside, wire } = pausing(['3'], { closeTimeout: 200 })
    const before = place.shared.heap.used
    wire.feed(Buffer.concat([batch, masked(BINARY, Buffer.alloc(100_000)).subarray(0, 50_000)]))
    if (end === 'violated') inside.violated(new ProtocolViolation('IDLE'))
    else peer[end]()
    await eventually(() => wire.closed, 'the end')
    await settle()
    peer.resume()
    peer.pause()
    await settle()
    assert.deepEqual(seen, texts.slice(0, 4))
    assert.equal(place.budget.used, 0)
    assert.equal(place.shared.heap.used, before)
  })
}

test('paused, close, resume: what the peer sent before its Close still arrives', async () => {
  const { seen, peer, wire } = pausing(['3'])
  wire.feed(Buffer.concat([batch, close(1000)]))
  peer.close(3000)
  peer.resume()
  await settle()
  assert.deepEqual(seen, texts)
  assert.equal(wire.halfClosed, true)
})

test('large messages, cut anywhere, with pauses anywhere, are whole and in order', async () => {
  const random = new Random(seed)
  for (let round = 0; round < 40; round++) {
    const lengths = Array.from(
      { length: 12 },
      () => random.pick([101, 500, 40_000, 70_000, 300_000]) + random.below(99),
    )
    const paused = lengths.filter(() => random.chance(0.4)).map(String)
    const { place, seen, peer, wire } = pausing(paused)
    const bytes = Buffer.concat(
      lengths.map((length) => {
        const payload = Buffer.alloc(length, length % 251)
        const cut = random.below(length)
        return random.chance(0.5)
          ? masked(BINARY, payload)
          : Buffer.concat([masked(BINARY, payload.subarray(0, cut), false), masked(0, payload.subarray(cut))])
      }),
    )
    for (let at = 0; at < bytes.length; ) {
      for (let turn = 0; turn < 20 && wire.paused; turn++) {
        peer.resume()
        await settle()
      }
      const end = at + random.between(1, 250_000)
      wire.feed(bytes.subarray(at, end))
      at = end
    }
    for (let turn = 0; turn < 20 && seen.length < lengths.length; turn++) {
      peer.resume()
      await settle()
    }
    assert.deepEqual(seen, lengths.map(String), `SEED=${seed} round ${round}`)
    peer.resume() // from the pause at the last message
    await settle()
    assert.equal(place.budget.used, 0)
    peer.terminate()
  }
})

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: a paused peer is stopped by its window; after resume every byte comes, in order`, async (t) => {
    let next = 0
    let bytes = 0
    const { connection, client } = await pairOf(t, {
      publicApi,
      message(one, message) {
        assert.equal(message.view[0], next++ % 251)
        bytes += message.byteLength
        if (next % 40 === 0) one.pause()
      },
    })
    const total = 400
    for (let n = 0; n < total; n++) client.write(masked(BINARY, Buffer.alloc(50_000, n % 251)))
    for (let pauses = 1; pauses <= total / 40; pauses++) {
      await eventually(() => next === pauses * 40, `${pauses * 40} messages`)
      await delay(20)
      assert.equal(next, pauses * 40)
      if (pauses === 1) assert.ok(client.socket.writableLength > 0, 'the client is stopped')
      connection.resume()
    }
    assert.equal(bytes, total * 50_000)
  })

  test(`by ${transport}: a pause hides that the peer is gone, until pauseTimeout; then its memory is back`, async (t) => {
    const closes: number[] = []
    let one: Connection | undefined
    const { server, client } = await pairOf(t, {
      publicApi,
      pauseTimeout: 400,
      message(connection) {
        one = connection
        connection.pause()
      },
      close: (_, code) => void closes.push(code),
      error: () => undefined,
    })
    client.write(Buffer.concat([batch, masked(BINARY, Buffer.alloc(200_000))]))
    await eventually(() => one !== undefined, 'the pause')
    client.socket.resetAndDestroy()
    await delay(150)
    if (!publicApi) assert.deepEqual(closes, [], 'nothing is read, so nothing is noticed')
    await eventually(() => closes.length === 1, 'the end')
    assert.equal(server.connections.size, 0)
  })
}

test('in open over a socket: frames that came with the request wait as well', async (t) => {
  const seen: string[] = []
  const { server } = await pairOf(t, {
    open: (connection) => connection.pause(),
    message: (_, message) => void seen.push(message.text()),
  })
  const client = await SocketClient.open(server.address?.port ?? 0)
  t.after(() => client.destroy())
  client.write(Buffer.concat([Buffer.from(upgradeRequest()), batch]))
  await client.response()
  client.write(batch)
  await delay(50)
  assert.deepEqual(seen, [])
  for (const connection of server.connections) connection.resume()
  await eventually(() => seen.length === 20, 'all messages')
  assert.deepEqual(seen, [...texts, ...texts])
  client.write(close(1000))
  assert.equal(closeStatus((await client.frames(1))[0])?.code, 1000)
})
