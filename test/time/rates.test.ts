// Messages and bytes per second: a second's worth at once is a burst, more is refused with the limit's name and value; what
// was used comes back with time.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { mock, test } from 'node:test'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { Rates } from '../../src/time/rates.js'
import { connections } from '../support/connections.js'
import { BINARY, CLOSE, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { settle } from '../support/settle.js'

/** Rates whose clock stands still, until it is told otherwise. */
function rates(t: { after(done: () => void): void }, messageRate: number, byteRate: number) {
  let now = 1000
  const clock = mock.method(performance, 'now', () => now)
  t.after(() => clock.mock.restore())
  const bucket = Rates.of({ messageRate, byteRate })
  assert.ok(bucket !== undefined)
  const exceeded = (length = 0, times = 1): unknown[] =>
    Array.from({ length: times }, () => bucket.exceeded(length)).filter((name) => name !== undefined)
  return {
    exceeded,
    pass(seconds: number): void {
      now += seconds * 1000
    },
  }
}

test('a burst of a second’s messages, and not one more', (t) => {
  const { exceeded } = rates(t, 50, 0)
  assert.deepEqual(exceeded(10 ** 9, 50), [])
  assert.deepEqual(exceeded(), ['MESSAGE_RATE'])
})

test('messages come back with time, but never more than a second’s worth', (t) => {
  const { exceeded, pass } = rates(t, 50, 0)
  assert.deepEqual(exceeded(0, 50), [])
  pass(0.5)
  assert.deepEqual(exceeded(0, 25), [])
  pass(3600)
  assert.deepEqual(exceeded(0, 50), [])
  assert.deepEqual(exceeded(), ['MESSAGE_RATE'])
})

test('a steady rate goes on for ever', (t) => {
  const { exceeded, pass } = rates(t, 10, 1000)
  for (let n = 0; n < 10_000; n++) {
    assert.deepEqual(exceeded(99), [])
    pass(0.1)
  }
})

test('a burst of a second’s bytes; a longer message only when nothing was used, and paid for after', (t) => {
  const { exceeded, pass } = rates(t, 0, 1000)
  assert.deepEqual(exceeded(250, 4), [])
  assert.deepEqual(exceeded(1), ['BYTE_RATE'])
  pass(5)
  assert.deepEqual(exceeded(5000), [], 'the bucket was full')
  pass(3.9)
  assert.deepEqual(exceeded(0), ['BYTE_RATE'], 'still in debt')
})

test('the debt of a long message is paid off', (t) => {
  const { exceeded, pass } = rates(t, 0, 1000)
  assert.deepEqual(exceeded(3000), [])
  pass(2.5)
  assert.deepEqual(exceeded(400), [])
})

test('no limit, no bucket', () => assert.equal(Rates.of({ messageRate: 0, byteRate: 0 }), undefined))

for (const [limit, value, name, length] of [
  ['messageRate', 10, 'MESSAGE_RATE', 5],
  ['byteRate', 5000, 'BYTE_RATE', 500],
] as const) {
  test(`above ${limit}: 1008, the limit and its value; what came in time was delivered`, async () => {
    for (const looped of [false, true]) {
      let seen = 0
      const errors: unknown[] = []
      const place = connections({
        message: () => void seen++,
        error: (_, error) => void errors.push(error),
        [limit]: value,
      })
      const { peer, wire } = place.connect()
      const taken: string[] = []
      const loop = looped
        ? (async () => {
            for await (const message of peer.messages()) taken.push(message.text())
          })()
        : undefined
      // Pings and pongs are no messages.
      const controls = Array.from({ length: 30 }, (_, n) => masked(n % 2 === 0 ? PING : PONG, 'x'.repeat(100)))
      const messages = Array.from({ length: 20 }, () => masked(TEXT, 'x'.repeat(length)))
      wire.feed(Buffer.concat([...controls, ...messages]))
      await settle()
      const [error] = errors
      assert.ok(error instanceof ProtocolViolation)
      assert.equal(error.code, name)
      assert.match(error.message, new RegExp(`${limit} is ${value}$`))
      const closing = wire.frames().find(({ opcode }) => opcode === CLOSE)
      assert.deepEqual(closeStatus(closing), { code: 1008, reason: error.message })
      wire.feedEnd()
      await loop
      await settle()
      assert.equal(looped ? taken.length : seen, 10)
      assert.equal(place.budget.used, 0)
    }
  })
}

test('a large message that is refused gives its memory back', async () => {
  const place = connections({ error: () => undefined, byteRate: 1000 })
  const before = place.shared.heap.used
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(1)))
  wire.feed(masked(BINARY, Buffer.alloc(200_000)))
  assert.equal(place.budget.used, 0)
  wire.feedEnd()
  await settle()
  assert.equal(place.shared.heap.used, before)
})

test('over a socket: a peer within its rate is served, one above it is closed', async (t) => {
  const { client } = await pairOf(t, {
    messageRate: 100,
    message: (connection, message) => connection.send(message),
    error: () => undefined,
  })
  client.write(Buffer.concat(Array.from({ length: 100 }, () => masked(TEXT, 'x'))))
  assert.equal((await client.frames(100)).length, 100)
  await new Promise((resolve) => setTimeout(resolve, 300))
  client.write(Buffer.concat(Array.from({ length: 20 }, () => masked(TEXT, 'x'))))
  assert.equal((await client.frames(120)).length, 120)
  client.write(Buffer.concat(Array.from({ length: 5000 }, () => masked(TEXT, 'x'))))
  await client.end()
  await client.response()
  assert.equal(closeStatus(client.receivedFrames.at(-1))?.code, 1008)
})
