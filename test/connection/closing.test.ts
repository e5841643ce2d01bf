// The closing handshake of a connection, in both directions, and every way in which this side fails one.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { BINARY, CLOSE, close, closeStatus, masked, PING, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

/** A connected peer, with what its handlers were told. */
function connected(limits = {}) {
  const closes: [number, string][] = []
  const errors: unknown[] = []
  const messages: string[] = []
  const place = connections({
    message: (_, message) => void messages.push(message.text()),
    close: (_, code, reason) => void closes.push([code, reason]),
    error: (_, error) => void errors.push(error),
    ...limits,
  })
  const { peer, wire } = place.connect()
  return { peer, wire, closes, errors, messages, place }
}

function lastClose(output: Buffer) {
  return closeStatus(readFrames(output).frames.find(({ opcode }) => opcode === CLOSE))
}

for (const [sent, answered, told] of [
  [close(1000, 'done'), { code: 1000, reason: '' }, [1000, 'done']],
  [close(4321), { code: 4321, reason: '' }, [4321, '']],
  [close(), { code: 1005, reason: '' }, [1005, '']],
] as const) {
  test(`the peer says Close ${told[0]}: it is answered, half-closed, and told to the handler`, async () => {
    const { wire, closes, peer } = connected()
    wire.feed(sent)
    assert.deepEqual(lastClose(wire.output), answered)
    assert.equal(wire.halfClosed, true)
    assert.equal(wire.closed, false, 'closing now could reset the connection before the peer has read our Close')
    assert.equal(peer.isOpen, false)
    assert.equal(peer.send('late'), 'closed')
    wire.feedEnd()
    await settle()
    assert.deepEqual(closes, [told])
    assert.equal(wire.writes, 1, 'nothing follows Close')
  })
}

test('this side says Close: messages still arrive until the peer answers', async () => {
  const { wire, closes, peer, messages } = connected()
  peer.close(3000, 'enough')
  await settle()
  assert.deepEqual(lastClose(wire.output), { code: 3000, reason: 'enough' })
  assert.equal(wire.halfClosed, false, 'the peer may still be sending')
  assert.equal(peer.send('late'), 'closed')
  peer.close(3001)
  wire.feed(Buffer.concat([masked(TEXT, 'on its way'), masked(PING, 'x'), close(3000), masked(TEXT, 'after Close')]))
  assert.deepEqual(messages, ['on its way'])
  assert.equal(wire.halfClosed, true)
  wire.feedEnd()
  await settle()
  assert.deepEqual(closes, [[3000, '']])
  assert.equal(wire.frames().length, 1, 'one Close, no pong after it')
})

test('a peer that does not answer Close is ended by the close timeout', async () => {
  const { wire, closes, peer } = connected({ closeTimeout: 120 })
  peer.close()
  await new Promise((resolve) => setTimeout(resolve, 400))
  assert.equal(wire.closed, true)
  assert.deepEqual(closes, [[1006, '']])
})

test('a peer that has both Closes but keeps its TCP connection is ended by the close timeout', async () => {
  const { wire, closes } = connected({ closeTimeout: 120 })
  wire.feed(close(1000))
  await new Promise((resolve) => setTimeout(resolve, 400))
  assert.equal(wire.closed, true)
  assert.deepEqual(closes, [[1000, '']])
})

test('a half-close without Close is 1006, after the answers that were due', async () => {
  const { wire, closes, errors } = connected()
  wire.feedEnd()
  await settle()
  assert.equal(wire.closed, true)
  assert.equal(lastClose(wire.output), undefined)
  assert.deepEqual(closes, [[1006, '']])
  assert.deepEqual(errors, [])
})

test('terminate ends at once, without Close', async () => {
  const { wire, closes, peer } = connected()
  peer.terminate()
  peer.terminate()
  assert.equal(wire.closed, true)
  await settle()
  assert.equal(wire.output.length, 0)
  assert.deepEqual(closes, [[1006, '']])
  assert.equal(peer.send('x'), 'closed')
  await assert.rejects(peer.ping(), /the connection ended/)
  peer.close()
})

const violations: [string, Buffer, string, number][] = [
  ['a reserved bit', Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 'RESERVED_BITS', 1002],
  ['a reserved opcode', Buffer.from([0x83, 0x80, 0, 0, 0, 0]), 'RESERVED_OPCODE', 1002],
  ['a fragmented ping', masked(PING, '', false), 'CONTROL_FRAGMENTED', 1002],
  ['a long ping', Buffer.from([0x89, 0xfe, 0, 126]), 'CONTROL_TOO_LONG', 1002],
  ['a lone continuation', masked(0, 'x'), 'CONTINUATION_UNEXPECTED', 1002],
  [
    'a new message inside one',
    Buffer.concat([masked(TEXT, 'a', false), masked(TEXT, 'b')]),
    'CONTINUATION_EXPECTED',
    1002,
  ],
  ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61]), 'MASK_MISSING', 1002],
  ['a long form of a short length', Buffer.from([0x82, 0xfe, 0, 125, 0, 0, 0, 0]), 'LENGTH_NOT_MINIMAL', 1002],
  ['a length with its top bit set', Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), 'LENGTH_TOP_BIT', 1002],
  ['a length of 2^53', Buffer.from([0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0]), 'LENGTH_UNSAFE', 1009],
  ['a message over the limit', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 1, 2, 3, 4]), 'MESSAGE_TOO_LONG', 1009],
  ['text that is not UTF-8', masked(TEXT, Buffer.from([0x61, 0xff])), 'INVALID_UTF8', 1007],
  ['a character cut by the end', masked(TEXT, Buffer.from([0xe2, 0x82])), 'INVALID_UTF8', 1007],
  ['half a close code', masked(CLOSE, Buffer.from([3])), 'CLOSE_PAYLOAD_TOO_SHORT', 1002],
  ['close code 1005', close(1005), 'CLOSE_CODE_INVALID', 1002],
  ['close code 5000', close(5000), 'CLOSE_CODE_INVALID', 1002],
  ['a close reason that is not UTF-8', masked(CLOSE, Buffer.from([3, 232, 0xc0])), 'CLOSE_REASON_INVALID', 1007],
]

for (const [what, bytes, name, code] of violations) {
  test(`${what} fails the connection with ${code}, whole and byte by byte`, async () => {
    for (const cut of [bytes.length, 1]) {
      const { wire, closes, errors, messages } = connected()
      wire.feed(masked(TEXT, 'before'))
      for (let at = 0; at < bytes.length; at += cut) wire.feed(bytes.subarray(at, at + cut))
      wire.feed(masked(TEXT, 'after'))
      const frames = wire.frames()
      assert.equal(frames.length, 1, 'one Close and nothing else')
      assert.equal(closeStatus(frames[0])?.code, code)
      assert.deepEqual(messages, ['before'])
      assert.equal(errors.length, 1)
      const [error] = errors
      assert.ok(error instanceof ProtocolViolation)
      assert.equal(error.code, name)
      assert.equal(wire.halfClosed, true)
      wire.feedEnd()
      await settle()
      assert.deepEqual(closes, [[code, error.message]])
    }
  })
}

test('a violation after our own Close sends nothing more', async () => {
  const { wire, peer, closes } = connected()
  peer.close(1001)
  await settle()
  wire.feed(Buffer.from([0xff, 0xff]))
  assert.equal(wire.frames().length, 1)
  assert.equal(wire.halfClosed, true)
  wire.feedEnd()
  await settle()
  assert.equal(closes.length, 1)
})

test('the half-close waits for what is still being written', async () => {
  const { wire, peer } = connected()
  wire.stuck = true
  peer.send('slow')
  await settle()
  wire.feed(Buffer.concat([masked(BINARY, 'x'), close(1000)]))
  assert.equal(wire.halfClosed, false)
  wire.stuck = false
  wire.finish()
  assert.equal(wire.halfClosed, true)
  assert.deepEqual(
    wire.frames().map(({ opcode }) => opcode),
    [TEXT, CLOSE],
  )
})

test('mistakes of the caller throw, open or closed', () => {
  const { peer } = connected()
  const wrong = (call: () => unknown, error: new () => Error) => assert.throws(call, error)
  for (const code of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 1000.5, Number.NaN])
    wrong(() => peer.close(code), RangeError)
  wrong(() => peer.close(1000, 'é'.repeat(62)), RangeError)
  wrong(() => peer.ping('x'.repeat(126)), RangeError)
  for (const value of [1, null, undefined, {}, true]) {
    wrong(() => Reflect.apply(peer.send, peer, [value]), TypeError)
  }
  wrong(() => Reflect.apply(peer.ping, peer, [7]), TypeError)
  assert.equal(peer.isOpen, true)
  peer.terminate()
  wrong(() => peer.close(1006), RangeError)
})
