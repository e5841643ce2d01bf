// The lines of NODE_DEBUG are read when something is wrong, so what they say of a frame must be right also where the
// frame is wrong, and wherever reads are cut.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrameHeaders } from '../../src/codec/frameHeaders.js'
import { BINARY, buildFrame, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'

const key = Buffer.of(0x88, 0x81, 0x48, 0x00)

/** What is told of a stream that is cut into pieces of this length. */
function told(stream: Buffer, piece = stream.length): string[] {
  const lines: string[] = []
  const headers = new FrameHeaders((line) => lines.push(line))
  for (let at = 0; at < stream.length; at += piece) headers.follow(stream.subarray(at, at + piece))
  return lines
}

const frames = [
  [{ opcode: TEXT, payload: 'abc', key }, 'text fin masked, 3 bytes'],
  [{ opcode: BINARY, payload: Buffer.alloc(126), fin: false }, 'binary, 126 bytes'],
  [{ opcode: PING }, 'ping fin, 0 bytes'],
  [{ opcode: PONG, payload: 'p', key }, 'pong fin masked, 1 byte'],
  [{ opcode: CONTINUATION, payload: Buffer.alloc(70_000, 0x88), key }, 'continuation fin masked, 70000 bytes'],
  [{ opcode: 3, payload: 'x', reserved: 7 }, 'opcode 3 fin rsv1 rsv2 rsv3, 1 byte'],
  [{ opcode: 15, payload: 'x', reserved: 2, form: 64 }, 'opcode 15 fin rsv2, 1 byte'],
  [{ opcode: CLOSE, payload: Buffer.of(3, 232), form: 16 }, 'close fin, 2 bytes'],
] as const
const stream = Buffer.concat(frames.map(([frame]) => buildFrame(frame)))
const lines = frames.map(([, line]) => line)

describe('the headers of a stream', () => {
  for (const piece of [stream.length, 1, 2, 3, 5, 7, 1000, 65_536]) {
    it(`are told in order, read ${piece} bytes at a time`, () => assert.deepEqual(told(stream, piece), lines))
  }

  it('are told before their payloads have come', () => {
    const announced = buildFrame({ opcode: BINARY, announced: 2n ** 53n - 1n, key })
    assert.deepEqual(told(announced), ['binary fin masked, 9007199254740991 bytes'])
    assert.deepEqual(told(announced.subarray(0, -1)), [])
  })

  it('follow the response of an opening handshake', () => {
    const response = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
    assert.deepEqual(told(Buffer.concat([response, stream])), lines)
    assert.deepEqual(told(response), [])
  })
})
