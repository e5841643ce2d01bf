// Messages sent in fragments: what reaches the peer is one message of lawful frames, wherever the application cuts it,
// and whatever is sent between the fragments. The reference parser reads it, as a strict client would.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { connections } from '../support/connections.js'
import { BINARY, masked, PING, PONG, readFrames, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { parseReference } from '../support/referenceParser.js'
import { settle } from '../support/settle.js'

/** What a strict client makes of the output. */
function readBy(output: Buffer) {
  const { events, violation, taken } = parseReference(output, { masked: false, limit: 2 ** 30 })
  assert.equal(violation, undefined)
  assert.equal(taken, output.length)
  return events
}

async function sent(fragments: readonly (string | Uint8Array)[]): Promise<Buffer> {
  const { peer, wire } = connections({}).connect()
  fragments.forEach((fragment, at) => {
    peer.sendFragment(fragment, at === fragments.length - 1)
  })
  await settle()
  peer.terminate()
  return wire.output
}

for (const [what, fragments] of [
  ['one', ['whole']],
  ['one, empty', ['']],
  ['all empty', ['', '', '']],
  ['empty ones between', ['a', '', 'b', '', '']],
  ['characters of every width', ['aé', '→', '𝄞x']],
  ['a pair of surrogates cut', ['a\ud834', '\udd1eb']],
  ['a pair cut, with nothing between', ['\ud834', '', '', '\udd1e']],
  ['a pair cut by every fragment', ['\ud834', '\udd1e\ud834', '\udd1e\ud834', '\udd1e']],
  ['a high surrogate before something else', ['a\ud834', 'b']],
  ['a high surrogate at the end', ['a', 'b\ud834']],
  ['a high surrogate, then an empty end', ['a\ud834', '']],
  ['a high surrogate before another', ['\ud834', '\ud834', '\udd1e']],
  ['a low surrogate alone', ['\udd1e', 'a', '\udd1e']],
  ['every length of a header', ['x'.repeat(125), 'y'.repeat(126), 'é'.repeat(32_768), 'z'.repeat(70_000)]],
] as const) {
  test(`text in fragments: ${what}`, async () => {
    const output = await sent(fragments)
    const events = readBy(output)
    const { frames } = readFrames(output)
    assert.equal(events.length, 1)
    assert.equal(events[0]?.opcode, TEXT)
    assert.ok(events[0].payload.equals(new TextEncoder().encode(fragments.join(''))))
    assert.equal(frames.length, fragments.length, 'a frame for each')
    assert.deepEqual(
      frames.map(({ opcode, fin }) => [opcode, fin]),
      fragments.map((_, at) => [at === 0 ? TEXT : 0, at === fragments.length - 1]),
    )
  })
}

test('bytes in fragments, of every kind, cut anywhere', async () => {
  const payload = Buffer.alloc(200_000, 'pattern of eleven')
  const shared = new SharedArrayBuffer(5)
  for (const cuts of [[], [0, 0], [1], [125, 251], [70_000, 70_000, 199_999]]) {
    const edges = [0, ...cuts, payload.length]
    const pieces = edges.slice(1).map((end, at) => payload.subarray(edges[at], end))
    const [event] = readBy(await sent(pieces))
    assert.equal(event?.opcode, BINARY)
    assert.ok(event.payload.equals(payload))
  }
  const { peer, wire } = connections({}).connect()
  peer.sendFragment(new Uint16Array([1, 2]), false)
  peer.sendFragment(new ArrayBuffer(3), false)
  peer.sendFragment(new DataView(new ArrayBuffer(8), 2, 4), false)
  peer.sendFragment(shared, true)
  await settle()
  assert.equal(readBy(wire.output)[0]?.payload.toString('hex'), `01000200${'00'.repeat(12)}`)
})

test('random text, cut at random between UTF-16 units', async () => {
  const random = new Random(seed)
  const units = ['a', 'é', '→', '𝄞', '\ud834', '\udd1e']
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: random.between(0, 30) }, () => random.pick(units)).join('')
    const fragments: string[] = []
    for (let at = 0; at < text.length; ) {
      const end = at + random.between(0, 5)
      fragments.push(text.slice(at, end))
      at = end
    }
    fragments.push('')
    const [event] = readBy(await sent(fragments))
    assert.ok(event?.payload.equals(new TextEncoder().encode(text)), JSON.stringify(fragments))
  }
})

test('control frames may come between fragments, messages may not', async () => {
  const { peer, wire } = connections({}).connect()
  peer.sendFragment('be', false)
  peer.ping('p').catch(() => undefined)
  wire.feed(masked(PING, 'answer me'))
  for (const data of ['text', Buffer.from('x')]) assert.throws(() => peer.send(data), /fragmented message is under way/)
  for (const data of [Buffer.from('x'), new ArrayBuffer(1)]) {
    assert.throws(() => peer.sendFragment(data, true), TypeError)
  }
  for (const data of [1, null, undefined, {}]) {
    assert.throws(() => Reflect.apply(peer.sendFragment, peer, [data, true]), TypeError)
  }
  peer.sendFragment('gin', true)
  assert.equal(peer.send('next'), 'sent')
  await settle()
  assert.deepEqual(
    readBy(wire.output).map(({ opcode, payload }) => [opcode, payload.toString()]),
    [
      [PING, 'p'],
      [PONG, 'answer me'],
      [TEXT, 'begin'],
      [TEXT, 'next'],
    ],
  )
})

test('bytes, then text, in one message is a TypeError too, and changes nothing', async () => {
  const { peer, wire } = connections({}).connect()
  peer.sendFragment(Buffer.from([1]), false)
  assert.throws(() => peer.sendFragment('\ud834', false), TypeError)
  peer.sendFragment(Buffer.from([2]), true)
  await settle()
  assert.deepEqual(readBy(wire.output)[0]?.payload, Buffer.from([1, 2]))
})

test('after the end, fragments and messages are answered with closed, also amid a message', async () => {
  for (const end of ['close', 'terminate'] as const) {
    const { peer } = connections({}).connect()
    peer.sendFragment('be', false)
    peer[end]()
    assert.equal(peer.sendFragment('gin', true), 'closed')
    assert.equal(peer.sendFragment(Buffer.from('another message'), false), 'closed')
    assert.equal(peer.send('a broadcast'), 'closed')
    await settle()
  }
})

test('while a write is under way, fragments are buffered and stay in order', async () => {
  const { peer, wire } = connections({}).connect()
  wire.stuck = true
  assert.equal(peer.sendFragment('0', false), 'sent')
  await settle()
  for (let n = 1; n < 50; n++) assert.equal(peer.sendFragment(`,${n}`, n === 49), 'buffered')
  wire.stuck = false
  wire.finish()
  await settle()
  const expected = Array.from({ length: 50 }, (_, n) => n).join()
  assert.equal(readBy(wire.output)[0]?.payload.toString(), expected)
})
