// maxFragments: a message of very many tiny frames costs time out of proportion to its bytes, so their number is limited.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { close, closeStatus, masked, PING, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'

const DEFAULT = 131_072

/** A message of this many frames: empty ones, or of one byte. */
function fragments(count: number, payload = 'x'): Buffer {
  if (count === 1) return masked(TEXT, payload)
  const middle = Buffer.alloc((count - 2) * masked(0, payload).length, masked(0, payload, false))
  return Buffer.concat([masked(TEXT, payload, false), middle, masked(0, payload)])
}

function fragmented(limits = {}) {
  const seen: number[] = []
  const errors: unknown[] = []
  const place = connections({
    message: (_, message) => void seen.push(message.byteLength),
    error: (_, error) => void errors.push(error),
    ...limits,
  })
  return { place, seen, errors, ...place.connect() }
}

for (const most of [1, 2, 3, 100]) {
  for (const cut of [Infinity, 1, 13]) {
    test(`maxFragments ${most}, in reads of ${cut}: as many are taken, again and again, and one more is refused`, async () => {
      const { place, wire, seen, errors } = fragmented({ maxFragments: most })
      const feed = (bytes: Buffer): void => {
        for (let at = 0; at < bytes.length; at += cut) wire.feed(bytes.subarray(at, Math.min(at + cut, bytes.length)))
      }
      for (let n = 0; n < 3; n++) {
        feed(fragments(most))
        feed(masked(PING, 'control frames do not count'))
      }
      feed(fragments(most, ''))
      assert.deepEqual(seen, [most, most, most, 0])
      assert.equal(errors.length, 0)
      feed(fragments(most + 1))
      const [error] = errors
      assert.ok(error instanceof ProtocolViolation)
      assert.equal(error.code, 'TOO_MANY_FRAGMENTS')
      assert.equal(error.closeCode, 1008)
      assert.match(error.message, new RegExp(`maxFragments is ${most}$`))
      assert.deepEqual(closeStatus(wire.frames().at(-1)), { code: 1008, reason: error.message })
      assert.equal(seen.length, 4)
      wire.feedEnd()
      await settle()
      assert.equal(place.budget.used, 0)
    })
  }
}

test('the default is 131,072', () => {
  for (const [count, refused] of [
    [DEFAULT, false],
    [DEFAULT + 1, true],
  ] as const) {
    const { wire, seen, errors } = fragmented()
    const bytes = fragments(count)
    for (let at = 0; at < bytes.length; at += 200_000) wire.feed(bytes.subarray(at, at + 200_000))
    assert.deepEqual(seen, refused ? [] : [DEFAULT])
    assert.equal(errors.length, refused ? 1 : 0)
  }
})

test('a limit above what the codec counts is any number', () => {
  const { wire, seen } = fragmented({ maxFragments: Number.MAX_SAFE_INTEGER })
  wire.feed(fragments(30_000))
  assert.deepEqual(seen, [30_000])
})

describe('over a socket', () => {
  for (const { transport, publicApi } of transports) {
    test(`by ${transport}`, async (t) => {
      const { client } = await pairOf(t, {
        publicApi,
        maxFragments: 10,
        message: (connection, message) => connection.send(message),
        error: () => undefined,
      })
      client.write(fragments(10))
      assert.equal((await client.frames(1))[0]?.payload.length, 10)
      client.write(fragments(11))
      const [, closing] = await client.frames(2)
      assert.equal(closeStatus(closing)?.code, 1008)
      client.write(close(1008))
    })
  }
})
