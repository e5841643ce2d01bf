// Mistakes of an application in plain JavaScript. What is not bytes must be refused: other servers have sent parts of
// their memory for a number, or for an array whose length was taken for its byte length.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import { connections } from '../support/connections.js'
import { masked, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

const notBytes: readonly unknown[] = [
  0,
  1,
  100,
  -1,
  1e9,
  Number.NaN,
  10n,
  null,
  true,
  false,
  {},
  { length: 100 },
  { byteLength: 100 },
  { buffer: new ArrayBuffer(8), byteOffset: 0, byteLength: 8 },
  [],
  [1, 2, 3],
  () => 'x',
  Symbol('x'),
  new Date(),
  new Map(),
  new Blob(['x']),
  new String('x'),
]

function calls(method: 'send' | 'ping' | 'sendFragment' | 'close', ...args: readonly unknown[]) {
  const { peer, wire } = connections({}).connect()
  const call = (): unknown => Reflect.apply(peer[method], peer, args)
  return { peer, wire, call }
}

describe('what is neither a string nor bytes is a TypeError, and nothing is sent', () => {
  for (const [at, value] of notBytes.entries()) {
    test(`number ${at}: ${typeof value}`, async () => {
      for (const method of ['send', 'ping', 'sendFragment'] as const) {
        const { peer, wire, call } = calls(method, value, true)
        assert.throws(call, TypeError)
        await settle()
        assert.equal(wire.output.length, 0)
        assert.equal(peer.isOpen, true)
        assert.equal(peer.bufferedAmount, 0)
        peer.terminate()
        assert.throws(call, TypeError, 'after the end, too')
      }
    })
  }

  test('undefined; a ping may go without', () => {
    for (const method of ['send', 'sendFragment'] as const) assert.throws(calls(method, undefined).call, TypeError)
    for (const method of ['send', 'sendFragment'] as const) assert.throws(calls(method).call, TypeError)
  })
})

describe('close', () => {
  for (const code of ['1000', new Uint8Array(100), Buffer.alloc(2), {}, null, [1000], true, 1000n, -1, 70_000, 1e300]) {
    test(`with ${typeof code} ${inspect(String(code)).slice(0, 20)} for a code`, async () => {
      const { peer, wire, call } = calls('close', code)
      assert.throws(call, (error) => error instanceof TypeError || error instanceof RangeError)
      await settle()
      assert.equal(wire.output.length, 0)
      assert.equal(peer.isOpen, true)
    })
  }

  for (const reason of [
    5,
    100,
    new Uint8Array(100),
    Buffer.alloc(10),
    new ArrayBuffer(100),
    {},
    { length: 5 },
    null,
    [1],
  ]) {
    test(`with ${Object.prototype.toString.call(reason)} ${inspect(String(reason)).slice(0, 9)} for a reason`, async () => {
      const { peer, wire, call } = calls('close', 1000, reason)
      assert.throws(call, TypeError)
      await settle()
      assert.equal(wire.output.length, 0)
      assert.equal(peer.isOpen, true)
    })
  }
})

test('sendStream takes what yields, and options by name: else nothing is sent, and the connection lives', async () => {
  const { peer, wire } = connections({}).connect()
  const stream =
    (...args: readonly unknown[]) =>
    () =>
      Reflect.apply(peer.sendStream, peer, args)
  for (const source of [undefined, null, 5, {}, () => 'x', Promise.resolve()]) assert.throws(stream(source), TypeError)
  assert.throws(stream(['x'], { bin: true }), { name: 'TypeError', message: /sendStream has no option 'bin'/ })
  assert.throws(stream(['x'], { binary: 'yes' }), { name: 'TypeError', message: /binary must be true or false/ })
  assert.throws(stream(['x'], true), { name: 'TypeError', message: /takes an object of options, not true/ })
  await settle()
  assert.equal(wire.output.length, 0)
  assert.equal(peer.isOpen, true)
  await peer.sendStream(['x'], { binary: true })
  peer.terminate()
})

test('views of part of a buffer send that part, and none of what lies around it', async () => {
  const secret = Buffer.alloc(64, 's')
  secret.fill('m', 16, 32)
  const part = { offset: secret.byteOffset + 16, length: 16 }
  const views = [
    secret.subarray(16, 32),
    new Uint32Array(new Uint8Array(secret).buffer, 16, 4),
    new DataView(secret.buffer, part.offset, part.length),
    new BigUint64Array(new Uint8Array(secret).buffer, 16, 2),
  ]
  const { peer, wire } = connections({}).connect()
  for (const view of views) {
    peer.send(view)
    peer.sendFragment(view, true)
    peer.ping(view).catch(() => undefined)
  }
  await settle()
  const { frames, rest } = readFrames(wire.output)
  assert.equal(rest.length, 0)
  assert.equal(frames.length, 3 * views.length)
  for (const { payload } of frames) assert.equal(payload.toString(), 'm'.repeat(16))
  peer.terminate()
})

test('a buffer that was transferred away is refused, not what lies there now', async () => {
  const buffer = new ArrayBuffer(100)
  const view = new Uint8Array(buffer)
  structuredClone(buffer, { transfer: [buffer] })
  const { peer, wire } = connections({}).connect()
  assert.throws(() => peer.send(view), TypeError)
  assert.throws(() => peer.send(buffer), TypeError)
  await settle()
  assert.equal(wire.output.length, 0)
})

test('a message of another connection, kept too long, is refused by every way to send', async () => {
  const kept: unknown[] = []
  const { peer, wire } = connections({ message: (_, message) => void kept.push(message) }).connect()
  wire.feed(masked(TEXT, 'x'))
  assert.throws(() => Reflect.apply(peer.send, peer, kept), /the message is gone/)
  for (const method of ['sendFragment', 'ping'] as const) {
    assert.throws(() => Reflect.apply(peer[method], peer, [kept[0], true]), TypeError)
  }
  await settle()
  assert.equal(wire.output.length, 0)
})
