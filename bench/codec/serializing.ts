// From a payload to the bytes of an unmasked frame: millrace against ws's Sender and plain JavaScript.
import { Buffer } from 'node:buffer'
import { FIN, OPCODE_BINARY } from '../../src/codec/frames.js'
import { allocate, codec, payload, ROOM, stored } from './material.js'
import { byTier, type Measured, type Step, way } from './measure.js'
import { type NullSocket, Sender } from './peers.js'

export const serializeStep: Step = byTier(
  {
    name: 'serialize',
    operation: 'one unmasked frame',
    note:
      'millrace copies header and payload into the outbox, from where one write sends them ("frame"); a message in a ' +
      'region gets its header in front of it and is not copied ("header"). ws does not copy either: it hands header and ' +
      'payload to the socket apart, here to one that drops them; the joining (writev) comes later and is not in its figure. ' +
      'The JavaScript joins them in a new buffer.',
  },
  serializeCase,
)

const FIRST = FIN | OPCODE_BINARY
const OPTIONS = { fin: true, binary: true, compress: false, mask: false }

function serializeCase(length: number): Measured {
  const bytes = payload('binary', length)
  const source = stored(bytes)
  const target = allocate(length + ROOM)
  const { call } = codec
  const sink = new Sink()
  const sender = new Sender(sink)
  return {
    ways: [
      way('millrace frame', () => call.frame(target, FIRST, source, length), true),
      way('millrace header', () => call.header(target, FIRST, length), true),
      way('ws Sender', () => sender.send(bytes, OPTIONS)),
      way('JavaScript', () => sink.write(plainFrame(bytes))),
    ],
  }
}

/** Takes bytes and counts them, so that no compiler can leave the work out. */
class Sink implements NullSocket {
  bytes = 0
  cork(): void {}
  uncork(): void {}
  write(chunk: Buffer): boolean {
    this.bytes += chunk.length
    return true
  }
}

function plainFrame(bytes: Buffer): Buffer {
  const { length } = bytes
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(header + length)
  frame[0] = FIRST
  if (header === 2) frame[1] = length
  else if (header === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(0, 2)
    frame.writeUInt32BE(length, 6)
  }
  frame.set(bytes, header)
  return frame
}
