// Handlers that fail: each ends its own connection with 1011, is reported once, and touches nobody else.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Handlers } from '../../src/connection/handlers.js'
import { connections } from '../support/connections.js'
import { close, closeStatus, masked, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

const bang = new Error('bang')
const throws = () => {
  throw bang
}
const rejects = async () => {
  await settle()
  throw bang
}

for (const [how, fail] of [
  ['throws', throws],
  ['rejects', rejects],
] as const) {
  for (const name of ['open', 'message'] as const) {
    test(`a handler for ${name} that ${how} ends its connection with 1011`, async () => {
      const errors: unknown[] = []
      const closes: number[] = []
      let failing = true
      const handlers: Handlers<undefined> = {
        [name]: () => (failing ? fail() : undefined),
        error: (_, error) => void errors.push(error),
        close: (_, code) => void closes.push(code),
      }
      const place = connections({ ...handlers })
      const { wire } = place.connect()
      failing = name === 'message'
      const other = place.connect()
      if (name === 'message') wire.feed(Buffer.concat([masked(TEXT, 'x'), masked(TEXT, 'y')]))
      await settle()
      await settle()
      assert.equal(closeStatus(wire.frames()[0])?.code, 1011)
      assert.ok(errors.length >= 1 && errors.every((error) => error === bang))
      if (how === 'throws') assert.equal(errors.length, 1, 'the second message was not delivered')
      assert.equal(other.wire.output.length, 0)
      assert.equal(other.peer.isOpen, true)
      wire.feedEnd()
      await settle()
      assert.deepEqual(closes, [1011])
      assert.equal(place.budget.used, 0)
    })
  }

  test(`a handler for close that ${how} is reported`, async () => {
    const errors: unknown[] = []
    const { wire } = connections({ close: fail, error: (_, error) => void errors.push(error) }).connect()
    wire.feed(close(1000))
    wire.feedEnd()
    await settle()
    await settle()
    assert.deepEqual(errors, [bang])
  })

  test(`a handler for error that ${how} ends nothing but in standard error`, async (context) => {
    const { mock } = context.mock.method(console, 'error', () => undefined)
    const { wire } = connections({ message: throws, error: fail }).connect()
    wire.feed(masked(TEXT, 'x'))
    await settle()
    await settle()
    assert.equal(mock.callCount(), 1)
    assert.equal(closeStatus(wire.frames()[0])?.code, 1011)
  })
}

test('without an error handler, the application’s mistakes go to standard error, the peer’s do not', async (context) => {
  const { mock } = context.mock.method(console, 'error', () => undefined)
  const place = connections({ message: throws })
  place.connect().wire.feed(Buffer.from([0xff, 0xff]))
  assert.equal(mock.callCount(), 0)
  place.connect().wire.feed(masked(TEXT, 'x'))
  assert.equal(mock.callCount(), 1)
  assert.equal(mock.calls[0]?.arguments[0], bang)
})

test('a handler may close, terminate and send in any order', async () => {
  const results: string[] = []
  const { wire } = connections({
    message(connection, message) {
      connection.close(3000)
      results.push(connection.send(message))
      connection.terminate()
      results.push(connection.send(message))
      connection.ping().catch(() => results.push('rejected'))
      connection.close(3001)
    },
  }).connect()
  wire.feed(Buffer.concat([masked(TEXT, 'x'), masked(TEXT, 'y')]))
  await settle()
  assert.deepEqual(results, ['closed', 'closed', 'rejected'])
  assert.equal(wire.closed, true)
})
