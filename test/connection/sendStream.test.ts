// A stream that is sent is one message in fragments, at the pace at which the peer reads, with control frames in between
// and other messages behind it.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import type { StreamChunk } from '../../src/connection/sending/streamSource.js'
import { connections } from '../support/connections.js'
import { effort } from '../support/effort.js'
import { CLOSE, closeStatus, masked, PING, PONG, readFrames, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'

const KiB = 1024

async function* chunks(...given: StreamChunk[]): AsyncGenerator<StreamChunk> {
  for (const chunk of given) {
    await new Promise((resolve) => setImmediate(resolve))
    yield chunk
  }
}

/** The messages in what was written: opcode and payload. */
function messagesIn(output: Buffer): [number, string][] {
  const messages: [number, string][] = []
  for (const { opcode, payload } of readFrames(output).frames) {
    const last = messages[messages.length - 1]
    if (opcode === 0 && last !== undefined) last[1] += payload.toString('latin1')
    else if (opcode < 8) messages.push([opcode, payload.toString('latin1')])
  }
  return messages
}

test('strings make a text message, bytes a binary one, unless told otherwise', async () => {
  const { wire, peer } = connections({}).connect()
  await peer.sendStream(chunks('a', 'b'))
  await peer.sendStream(chunks(Buffer.from('c'), new Uint8Array([100])))
  await peer.sendStream(chunks('e', Buffer.from('f')), { binary: true })
  await peer.sendStream(chunks(Buffer.from([0xc3]), Buffer.from([0xa9])), { binary: false })
  await peer.sendStream(Readable.from(['g', 'h']))
  await peer.sendStream(new Blob(['i']).stream())
  await peer.sendStream([])
  await settle()
  assert.deepEqual(messagesIn(wire.output), [
    [1, 'ab'],
    [2, 'cd'],
    [2, 'ef'],
    [1, '\u00c3\u00a9'],
    [1, 'gh'],
    [2, 'i'],
    [2, ''],
  ])
})

test('other messages wait for its end, control frames do not', async () => {
  const { wire, peer } = connections({}).connect()
  const sent = peer.sendStream(chunks('a', 'b', 'c'))
  assert.equal(peer.send('behind'), 'buffered')
  assert.throws(() => peer.sendStream(chunks('x')), /another message is under way/)
  await new Promise((resolve) => setImmediate(resolve))
  wire.feed(masked(PING, 'p'))
  await sent
  await settle()
  assert.deepEqual(messagesIn(wire.output), [
    [1, 'abc'],
    [1, 'behind'],
  ])
  const opcodes = wire.frames().map(({ opcode }) => opcode)
  assert.ok(opcodes.indexOf(PONG) < opcodes.lastIndexOf(0), `the pong came in between: ${opcodes}`)
})

const CHUNKS = effort({ quick: 200, full: 1000 })

test('a peer that does not read holds the source back', async () => {
  const { wire, peer } = connections({ outputLimit: 64 * KiB }).connect()
  wire.stuck = true
  let produced = 0
  async function* source(): AsyncGenerator<Buffer> {
    for (; produced < CHUNKS; produced++) yield Buffer.alloc(10 * KiB, produced)
  }
  const sent = peer.sendStream(source())
  for (let turn = 0; turn < 20; turn++) await settle()
  assert.ok(produced < 20, `${produced} chunks were taken`)
  assert.ok(peer.bufferedAmount < 200 * KiB)
  wire.stuck = false
  wire.finish()
  await sent
  await settle()
  assert.equal(messagesIn(wire.output)[0]?.[1].length, CHUNKS * 10 * KiB)
})

test('an error of the source closes with 1011 and rejects', async () => {
  const errors: unknown[] = []
  const { wire, peer } = connections({ error: (_, error) => void errors.push(error) }).connect()
  async function* source(): AsyncGenerator<string> {
    yield 'a'
    throw new Error('the disk is gone')
  }
  await assert.rejects(peer.sendStream(source()), /the disk is gone/)
  await settle()
  const frames = wire.frames()
  assert.equal(closeStatus(frames.find(({ opcode }) => opcode === CLOSE))?.code, 1011)
  assert.match(String(errors[0]), /the disk is gone/)
})

test('bytes that are no UTF-8 are an error of a source that promised text', async () => {
  const { peer } = connections({ error: () => undefined }).connect()
  await assert.rejects(peer.sendStream(chunks(Buffer.from([0xff])), { binary: false }), TypeError)
})

test('it rejects, and lets go of its source, if the connection ends', async () => {
  const { wire, peer } = connections({ outputLimit: 1 }).connect()
  wire.stuck = true
  let left = false
  async function* source(): AsyncGenerator<string> {
    try {
      for (;;) yield 'x'.repeat(1000)
    } finally {
      left = true
    }
  }
  const sent = peer.sendStream(source())
  await settle()
  peer.terminate()
  await assert.rejects(sent, /the connection ended/)
  assert.equal(left, true)
  assert.equal(peer.send('x'), 'closed')
})

test('the peer may close amid a stream', async () => {
  const { wire, peer } = connections({}).connect()
  let stop = false
  async function* source(): AsyncGenerator<string> {
    while (!stop) {
      await new Promise((resolve) => setImmediate(resolve))
      yield 'x'
    }
  }
  const sent = peer.sendStream(source())
  await settle()
  wire.feed(Buffer.concat([masked(TEXT, 'y'), masked(CLOSE, Buffer.from([0x03, 0xe8]))]))
  await assert.rejects(sent, /the connection ended/)
  stop = true
  assert.equal(closeStatus(wire.frames().at(-1))?.code, 1000)
})
