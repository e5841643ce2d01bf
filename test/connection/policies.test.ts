// The output limit: what becomes of a peer that does not read. Under each policy memory stays bounded, whatever the
// application, the peer's pings and this server itself go on sending, and what the peer gets is whole frames.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { OutputPolicy } from '../../src/connection/handlers.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { effort } from '../support/effort.js'
import { CLOSE, closeStatus, masked, PING, PONG, readFrames, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { delay, eventually } from '../support/socketClient.js'

const LIMIT = 10_000

/** No test but those of the close timeout may reach it, however busy the machine is. */
async function blocked(policy: OutputPolicy, closeTimeout = 60_000) {
  const errors: unknown[] = []
  const closes: [number, string][] = []
  const place = connections({
    error: (_, error) => void errors.push(error),
    close: (_, code, reason) => void closes.push([code, reason]),
    outputLimit: LIMIT,
    closeTimeout,
    outputPolicy: policy,
  })
  const { peer, wire } = place.connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  return { place, peer, wire, errors, closes }
}

test("'drop': messages that fit are buffered, the others dropped, and none is cut", async () => {
  const { peer, wire, errors } = await blocked('drop')
  const expected = ['first']
  let dropped = 0
  for (let n = 0; n < 200; n++) {
    const text = `${n}:${'x'.repeat((n * 137) % 900)}`
    const result = peer.send(n % 2 === 0 ? text : Buffer.from(text))
    if (result === 'buffered') expected.push(text)
    else {
      assert.equal(result, 'dropped')
      dropped++
    }
    assert.ok(peer.bufferedAmount <= LIMIT + 910, `${peer.bufferedAmount} bytes buffered`)
  }
  assert.ok(dropped > 100 && expected.length > 10)
  assert.equal(wire.paused, false, 'the peer is still read from')
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(peer.send('again'), 'sent')
  await settle()
  const { frames, rest } = readFrames(wire.output)
  assert.equal(rest.length, 0)
  assert.deepEqual(
    frames.map(({ payload }) => payload.toString()),
    [...expected, 'again'],
  )
  assert.deepEqual(errors, [])
})

test("'drop': one message longer than the limit is sent where nothing waits", async () => {
  const { peer, wire } = connections({ outputLimit: LIMIT, outputPolicy: 'drop' }).connect()
  wire.stuck = true
  assert.equal(peer.send('x'.repeat(5 * LIMIT)), 'buffered')
  assert.equal(peer.send('x'.repeat(5 * LIMIT)), 'dropped')
  assert.equal(peer.send('x'), 'dropped')
  wire.stuck = false
  wire.finish()
  await settle()
  assert.equal(wire.frames().length, 1)
})

test("'drop' does not drop fragments of a message that has begun", async () => {
  const { peer, wire } = await blocked('drop')
  for (let n = 0; n < 20; n++) assert.equal(peer.sendFragment('y'.repeat(1000), n === 19), 'buffered')
  assert.equal(peer.send('too much'), 'dropped')
  wire.stuck = false
  wire.finish()
  await settle()
  const frames = wire.frames()
  assert.equal(frames.length, 21)
})

test("'close': ends with 1008, and the error names the limit and its value; told once", async () => {
  const { peer, wire, errors, closes } = await blocked('close')
  let sent = 0
  while (peer.send('x'.repeat(100)) === 'buffered') sent++
  assert.equal(sent, Math.floor((LIMIT - 7) / 102))
  assert.equal(peer.isOpen, false)
  assert.equal(peer.send('x'), 'closed')
  assert.equal(errors.length, 1)
  const [error] = errors
  assert.ok(error instanceof ProtocolViolation)
  assert.equal(error.code, 'OUTPUT_FULL')
  assert.match(error.message, /outputLimit is 10000 bytes/)
  wire.stuck = false
  wire.finish()
  assert.equal(wire.halfClosed, true)
  wire.feedEnd()
  await settle()
  const frames = wire.frames()
  assert.equal(frames.length, sent + 2, 'what was accepted leaves, then Close')
  assert.equal(closeStatus(frames.at(-1))?.code, 1008)
  assert.deepEqual(closes, [[1008, error.message]])
})

test("'close': an error handler that goes on sending is answered, not called again", async () => {
  let errors = 0
  const results: string[] = []
  const { peer, wire } = connections({
    error(connection) {
      errors++
      results.push(connection.send('x'.repeat(LIMIT)))
    },
    outputLimit: LIMIT,
    outputPolicy: 'close',
  }).connect()
  wire.stuck = true
  peer.send('first')
  await settle()
  assert.equal(peer.send('x'.repeat(LIMIT)), 'closed')
  assert.equal(errors, 1)
  assert.deepEqual(results, ['closed'])
})

test("'close' holds for fragments too", async () => {
  const { peer, errors } = await blocked('close')
  let sent = 0
  while (peer.sendFragment(Buffer.alloc(1000), false) === 'buffered' && sent < 1000) sent++
  assert.ok(sent < 10, `${sent} fragments`)
  assert.equal(errors.length, 1)
})

for (const policy of ['pause', 'drop', 'close'] as const) {
  test(`'${policy}': pings of a peer that does not read its pongs take bounded memory`, async () => {
    const { place, peer, wire } = await blocked(policy)
    const heap = place.shared.heap.used
    for (let n = 0; n < 500 && !wire.paused && !wire.closed; n++) {
      wire.feed(Buffer.concat(Array.from({ length: 20 }, () => masked(PING, Buffer.alloc(100)))))
      if (wire.paused || n % 10 === 9) await settle() // what comes in one turn is one slice
    }
    assert.ok(peer.bufferedAmount <= LIMIT + 200, `${peer.bufferedAmount} bytes buffered`)
    assert.ok(place.shared.heap.used - heap < 5 * LIMIT)
    assert.equal(wire.paused, policy === 'pause')
    wire.stuck = false
    wire.finish()
    for (let turn = 0; turn < 30; turn++) await settle()
    const { frames, rest } = readFrames(wire.output)
    assert.equal(rest.length, 0)
    assert.ok(frames.slice(1).every(({ opcode }) => opcode === PONG || opcode === CLOSE))
    if (policy === 'close') assert.equal(closeStatus(frames.at(-1))?.code, 1008)
    else {
      wire.feed(masked(PING, 'and now'))
      assert.equal(wire.frames().at(-1)?.payload.toString(), 'and now')
    }
  })

  test(`'${policy}': Close leaves after what is buffered, and a peer that never reads it is ended`, async () => {
    for (const reads of [true, false]) {
      const { place, peer, wire, closes } = await blocked(policy, 300)
      const before = peer.send('second')
      assert.equal(before, 'buffered')
      peer.close(3000, 'bye')
      assert.equal(peer.send('late'), 'closed')
      if (reads) {
        wire.stuck = false
        wire.finish()
        assert.deepEqual(
          wire.frames().map(({ opcode }) => opcode),
          [TEXT, TEXT, CLOSE],
        )
      }
      await eventually(() => wire.closed, 'the close timeout')
      await settle()
      assert.deepEqual(closes, [[1006, '']])
      assert.equal(place.budget.used, 0)
    }
  })

  for (const { transport, publicApi } of transports) {
    test(`'${policy}' by ${transport}: a client that never reads, and sends without pause, costs bounded memory`, async (t) => {
      let most = 0
      const results = new Set<string>()
      const { connection, client } = await pairOf(t, {
        publicApi,
        outputPolicy: policy,
        outputLimit: 100_000,
        error: () => undefined,
        message(one) {
          results.add(one.send('y'.repeat(50_000)))
          most = Math.max(most, one.bufferedAmount)
        },
      })
      client.socket.pause()
      // Each message asks for 50,000 bytes: some hundred batches are more than a hundred megabytes, which must all leave.
      const batch = Buffer.concat(Array.from({ length: 10 }, () => masked(TEXT, 'x')))
      const end = performance.now() + effort({ quick: 200, full: 800 })
      while (performance.now() < end && connection.isOpen) {
        if (client.socket.writableLength < 100_000) client.write(batch)
        await delay(2)
      }
      assert.ok(most <= 200_000, `${most} bytes buffered`)
      assert.equal(connection.isOpen, policy !== 'close')
      assert.equal(results.has('dropped'), policy === 'drop')
      client.socket.resume()
      if (policy === 'close') {
        await client.end()
        const { head } = await client.response()
        const { frames, rest } = readFrames(client.received.subarray(head.length))
        assert.equal(rest.length, 0)
        assert.equal(closeStatus(frames.at(-1))?.code, 1008)
      } else {
        await eventually(() => connection.bufferedAmount === 0, 'everything leaves')
        assert.equal(connection.send('end'), 'sent')
      }
    })
  }
}

for (const [policy, answer] of [
  ['drop', 'dropped'],
  ['close', 'closed'],
] as const) {
  test(`'${policy}': what waits only for its turn is bounded by the ceiling, and all that was taken arrives`, async () => {
    const errors: unknown[] = []
    const ceiling = 4 * 1024 * 1024
    const { peer, wire } = connections({
      error: (_, error) => void errors.push(error),
      outputCeiling: ceiling,
      outputPolicy: policy,
    }).connect()
    const answers = Array.from({ length: 20 }, () => peer.send(Buffer.alloc(1_000_000)))
    assert.ok(peer.bufferedAmount <= ceiling, `${peer.bufferedAmount} bytes wait`)
    const taken = answers.filter((one) => one !== answer).length
    assert.ok(taken >= 4 && taken <= 6, `${taken} were taken`)
    for (let turn = 0; turn < 100 && wire.frames().length < taken; turn++) await settle()
    const messages = wire.frames().filter(({ payload }) => payload.length === 1_000_000)
    assert.equal(messages.length, taken)
    assert.equal(errors.length, policy === 'close' ? 1 : 0)
    assert.equal(peer.isOpen, policy === 'drop')
  })
}
