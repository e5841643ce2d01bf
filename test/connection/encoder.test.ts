// What leaves is framed in one place, for both roles: a server's frames are plain, a client's are masked, each with a key
// of its own (RFC 6455, section 5.3). Whatever is framed is fed to the parser of the other side.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { FIN, headerBytes, OPCODE_CONTINUATION, OPCODE_PING, OPCODE_TEXT, RSV1 } from '../../src/codec/frames.js'
import type { Connection } from '../../src/connection/connection.js'
import type { Message } from '../../src/connection/message.js'
import { Peer } from '../../src/connection/peer.js'
import { Encoder, encoderOfThread, type FrameBuffer } from '../../src/connection/sending/encoder.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import type { Role } from '../../src/protocol/role.js'
import { UpgradeRequest } from '../../src/protocol/upgradeRequest.js'
import { CodecParser } from '../codec/codecParser.js'
import { connections } from '../support/connections.js'
import { BINARY, buildFrame, CLOSE, PING, PONG, TEXT } from '../support/frames.js'
import { MemoryTransport } from '../support/memoryTransport.js'
import { settle } from '../support/settle.js'

const LENGTHS = [0, 1, 5, 124, 125, 126, 4000, 65_535, 65_536, 70_000]
const MOST = 4 * 1024 * 1024

/** Frames one behind the other. */
class Row implements FrameBuffer {
  readonly #pointer: number
  #end: number

  constructor(pointer: number) {
    this.#pointer = pointer
    this.#end = pointer
  }

  reserve(): number {
    return this.#end
  }

  commit(pointer: number, length: number): void {
    assert.equal(pointer, this.#end)
    this.#end += length
  }

  get bytes(): Buffer {
    return codecOfThread().copyOf(this.#pointer, this.#end - this.#pointer)
  }
}

/** What `work` frames. */
function framed(role: Role, work: (encoder: Encoder, row: Row) => void): Buffer {
  const heap = heapOfThread()
  const block = heap.allocate(MOST)
  const row = new Row(block.pointer)
  work(new Encoder(heap.codec, role), row)
  const { bytes } = row
  heap.free(block)
  return bytes
}

/** The opcodes and payloads that the other side reads. */
function read(role: Role, bytes: Uint8Array): readonly (readonly [number, string])[] {
  const parser = new CodecParser({ masked: role === 'client', limit: MOST })
  parser.feed(bytes)
  assert.equal(parser.violation, undefined)
  parser.close()
  return parser.events.map(({ opcode, payload }) => [opcode, payload.toString('latin1')] as const)
}

for (const role of ['server', 'client'] as const) {
  describe(`what a ${role} frames, the other side reads`, () => {
    test('text of each length and width', () => {
      const texts = LENGTHS.flatMap((length) => ['a', 'é', '水', '\u{1f30a}'].map((unit) => unit.repeat(length)))
      const bytes = framed(role, (encoder, row) => {
        for (const text of texts) encoder.text(row, FIN | OPCODE_TEXT, text)
      })
      const expected = texts.map((text) => [TEXT, Buffer.from(text).toString('latin1')])
      assert.deepEqual(read(role, bytes), expected)
    })

    test('bytes of the application, and of the memory of the codec', () => {
      const payloads = LENGTHS.map((length) => Buffer.alloc(length, 'bytes '))
      const heap = heapOfThread()
      const bytes = framed(role, (encoder, row) => {
        for (const payload of payloads) {
          encoder.bytes(row, FIN | BINARY, payload)
          const source = heap.allocate(payload.length)
          heap.codec.write(source.pointer, payload)
          encoder.payload(row, FIN | BINARY, source.pointer, payload.length)
          assert.deepEqual(heap.codec.copyOf(source.pointer, payload.length), payload, 'its source is as it was')
          heap.free(source)
        }
      })
      const expected = payloads.flatMap((payload) => [payload, payload]).map((one) => [BINARY, one.toString('latin1')])
      assert.deepEqual(read(role, bytes), expected)
    })

    test('a message in fragments, with control frames between them', () => {
      const bytes = framed(role, (encoder, row) => {
        encoder.fragment(row, OPCODE_TEXT, 'one, ', false)
        encoder.control(row, OPCODE_PING, Buffer.from('?'))
        encoder.fragment(row, OPCODE_CONTINUATION, 'two', false)
        encoder.fragment(row, OPCODE_CONTINUATION, '', true)
      })
      assert.deepEqual(read(role, bytes), [
        [PING, '?'],
        [TEXT, 'one, two'],
      ])
    })

    test('a frame in memory of its own, and its copy', () => {
      const heap = heapOfThread()
      const server = new Encoder(heap.codec, 'server').alone(heap, FIN | OPCODE_TEXT, Buffer.from('prepared'))
      const bytes = framed(role, (encoder, row) => {
        const alone = encoder.alone(heap, FIN | OPCODE_TEXT, Buffer.from('alone'))
        const copy = heap.codec.copyOf(alone.memory.pointer, alone.length)
        assert.deepEqual(read(role, copy), [[TEXT, 'alone']])
        alone.memory.release()
        encoder.again(row, server, { isText: true, byteLength: 8 })
      })
      server.memory.release()
      assert.deepEqual(read(role, bytes), [[TEXT, 'prepared']])
    })

    test('the bit of an extension is where the caller puts it', () => {
      const bytes = framed(role, (encoder, row) => encoder.text(row, FIN | RSV1 | OPCODE_TEXT, 'as if compressed'))
      assert.equal(bytes[0], 0xc1)
      assert.equal(bytes.length, headerBytes(16) + 16 + (role === 'client' ? 4 : 0))
    })
  })
}

describe('masking', () => {
  test('a server masks nothing', () => {
    const bytes = framed('server', (encoder, row) => encoder.text(row, FIN | OPCODE_TEXT, 'plain'))
    assert.deepEqual(bytes, buildFrame({ opcode: TEXT, payload: 'plain' }))
  })

  test('each frame of a client has a key of its own', () => {
    const keys = new Set<number>()
    for (let round = 0; round < 30; round++) {
      const bytes = framed('client', (encoder, row) => {
        for (let n = 0; n < 100; n++) encoder.text(row, FIN | OPCODE_TEXT, 'same')
      })
      for (let at = 0; at < bytes.length; at += 10) {
        assert.equal(bytes[at + 1], 0x84)
        keys.add(bytes.readUInt32LE(at + 2))
      }
    }
    // Of 3000 random numbers of 32 bits, two are equal once in a thousand runs; a generator that repeats is far below.
    assert.ok(keys.size >= 2995, `${keys.size} keys for 3000 frames`)
  })

  test('no bit of the keys is always the same', () => {
    let [or, and] = [0, 0xffffffff]
    const bytes = framed('client', (encoder, row) => {
      for (let n = 0; n < 200; n++) encoder.control(row, OPCODE_PING, Buffer.alloc(0))
    })
    for (let at = 0; at < bytes.length; at += 6) {
      or |= bytes.readUInt32LE(at + 2)
      and &= bytes.readUInt32LE(at + 2)
    }
    assert.deepEqual([or >>> 0, and >>> 0], [0xffffffff, 0])
  })
})

describe('a connection as a client', () => {
  /** Its handler sends on what it receives. */
  function client(): { peer: Connection; wire: MemoryTransport } {
    const { shared } = connections({ message: (connection, message: Message) => connection.send(message) })
    const head = { method: 'GET', target: '/', httpVersion: '1.1', headers: {}, repeated: [] }
    const source = { remoteAddress: undefined, secure: false, told: false }
    const request = new UpgradeRequest(head, undefined, source, undefined)
    const opening = { request, data: undefined, protocol: '' }
    const wire = new MemoryTransport()
    const inside = new Peer<undefined>({ ...shared, encoder: encoderOfThread('client') }, wire, opening)
    inside.start(new Uint8Array(0))
    return { peer: inside.connection, wire }
  }

  test('masks whatever it sends', async () => {
    const { peer, wire } = client()
    const long = 'long '.repeat(10_000)
    const prepared = prepare('prepared')
    peer.send('text')
    peer.send(Buffer.from('bytes'))
    peer.send(prepared)
    peer.send(prepared)
    wire.feed(buildFrame({ opcode: TEXT, payload: 'sent on' }))
    wire.feed(buildFrame({ opcode: TEXT, payload: long }))
    wire.feed(buildFrame({ opcode: PING, payload: 'are you there?' }))
    peer.sendFragment('in ', false)
    peer.sendFragment('fragments', true)
    const stream = peer.sendStream(['a ', 'stream'])
    peer.send(prepared)
    await stream
    await settle()
    peer.close(1000, 'done')
    await settle()
    prepared.release()
    assert.deepEqual(read('client', wire.output), [
      [TEXT, 'text'],
      [BINARY, 'bytes'],
      [TEXT, 'prepared'],
      [TEXT, 'prepared'],
      [TEXT, 'sent on'],
      [TEXT, long],
      [PONG, 'are you there?'],
      [TEXT, 'in fragments'],
      [TEXT, 'a stream'],
      [TEXT, 'prepared'],
      [CLOSE, '\x03\xe8done'],
    ])
  })

  test('fails a server that masks', async () => {
    const { wire } = client()
    wire.feed(buildFrame({ opcode: TEXT, payload: 'masked', key: Buffer.of(1, 2, 3, 4) }))
    await settle()
    const [close] = read('client', wire.output)
    assert.deepEqual(close?.[0], CLOSE)
    assert.equal(Buffer.from(close?.[1] ?? '', 'latin1').readUInt16BE(), 1002)
  })
})
