// Values of the application whose own code fails where the server touches them: errors that can't be shown, promises with
// getters that throw, sources that begin another message. They cost their own connection, and nothing else.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { connections } from '../support/connections.js'
import { BINARY, closeStatus, masked, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

/** An error that can't be shown. */
class Hidden extends Error {
  [inspect.custom](): string {
    throw new Error('it can not be shown')
  }
}

/** A promise that `Promise.resolve` can't take. */
function unresolvable(): Promise<void> {
  return Object.defineProperty(Promise.resolve(), 'constructor', {
    get() {
      throw new Error('no constructor')
    },
  })
}

for (const [where, handlers] of Object.entries({
  'a handler, and nobody takes it': {},
  'the error handler': {
    error() {
      throw new Hidden()
    },
  },
})) {
  test(`an error that can't be shown, from ${where}: the connection ends, and the others are answered`, async (t) => {
    const shown = t.mock.method(console, 'error', (value: unknown) => void inspect(value))
    const place = connections({
      ...handlers,
      message(connection, message) {
        if (message.isText) throw new Hidden()
        connection.send(message)
      },
    })
    const [bad, good] = [place.connect(), place.connect()]
    assert.doesNotThrow(() => bad.wire.feed(masked(TEXT, 'x')))
    good.wire.feed(masked(BINARY, 'answer me'))
    await settle()
    assert.equal(closeStatus(bad.wire.frames().at(-1))?.code, 1011)
    assert.deepEqual(good.wire.texts(), ['answer me'])
    assert.ok(shown.mock.callCount() >= 2, 'it is told that there was one')
    for (const { peer } of [bad, good]) peer.terminate()
    await settle()
    assert.equal(place.budget.used, 0)
  })
}

test('a promise whose constructor throws is a handler that fails: 1011, and nothing is held', async () => {
  const errors: unknown[] = []
  const place = connections({ message: unresolvable, error: (_, error) => void errors.push(error) })
  const { wire } = place.connect()
  wire.feed(masked(BINARY, Buffer.alloc(100)))
  await settle()
  assert.match(String(errors[0]), /no constructor/)
  assert.equal(closeStatus(wire.frames().at(-1))?.code, 1011)
  assert.equal(place.budget.used, 0)
})

test('a source that begins another message when it is opened is left, and the messages do not mix', async () => {
  const { peer, wire } = connections({}).connect()
  let left = false
  const source = {
    [Symbol.iterator]() {
      peer.sendFragment('half', false)
      return {
        next: () => ({ done: false, value: 'of another' }),
        return() {
          left = true
          return { done: true, value: undefined }
        },
      }
    },
  }
  assert.throws(() => peer.sendStream(source as Iterable<string>), { code: 'ERR_MESSAGE_UNDER_WAY' })
  assert.ok(left)
  peer.sendFragment(' and half', true)
  await settle()
  assert.deepEqual(
    wire.frames().map(({ payload }) => payload.toString()),
    ['half', ' and half'],
  )
})
