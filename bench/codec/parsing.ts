// From the bytes of a read to whole messages: millrace's parser against ws's Receiver and a parser in JavaScript.
import { Buffer } from 'node:buffer'
import { INBOX_LENGTH } from '../../src/codec/codec.js'
import { FIN, OPCODE_TEXT } from '../../src/codec/frames.js'
import { Drive } from './drive.js'
import { atEnd, type Kind, maskedFrame, repeat, stored } from './material.js'
import { byTier, type Measured, type Step, type Way, way } from './measure.js'
import { plainMasking, plainUtf8, Receiver } from './peers.js'

/** Bytes that one read of Node's own streams takes at most: what ws gets of a socket. */
const STREAM_READ = 64 * 1024
/** A read holds frames of a pipelining client up to here. */
const PIPELINED_BYTES = 16 * 1024
const MOST_FRAMES = 64

export const parseSteps: readonly Step[] = (['binary', 'text'] as const).map((kind) =>
  byTier(
    {
      name: `parse, ${kind}`,
      operation: 'one masked frame',
      note:
        `A read holds as many frames as fit in 16 KiB, at most ${MOST_FRAMES}, at least one. Longer frames come in reads of ` +
        `${INBOX_LENGTH / 1024} KiB (millrace's inbox) and 64 KiB (a Node stream, as ws gets it). Everyone unmasks; text is ` +
        'ASCII and everyone makes sure that it is UTF-8. ws includes a Writable and an event for each message, which is how ' +
        'it is used; millrace includes the frame table, a call for each message, and the region of a message that is cut. ' +
        'Frames are unmasked in place where that is possible: the masked payload is a valid one, too.',
    },
    (length) => parseCase(kind, length),
  ),
)

function parseCase(kind: Kind, length: number): Measured {
  const frame = maskedFrame(kind, length)
  const frames = Math.min(MOST_FRAMES, Math.max(1, Math.floor(PIPELINED_BYTES / frame.length)))
  const stream = repeat(frame, frames)
  const pointer = stored(stream)
  let messages = 0
  const drive = new Drive(() => {
    messages++
  })
  atEnd(() => drive.free())
  const parse = (): void => drive.receiveInReads(pointer, pointer + stream.length, INBOX_LENGTH)
  return {
    ways: [
      checked(way('millrace', parse, true), frames, () => messages),
      wsWay(Buffer.from(stream)),
      plainWay(Buffer.from(stream)),
    ],
    perRun: frames,
    ...(frames > 1 && { repeats: 8 }),
  }
}

/** Makes sure that what is timed is the work: every frame must come out. */
function checked({ name, ours = false, run }: Way, frames: number, count: () => number): Way {
  return {
    name,
    ours,
    run(repeats) {
      const before = count()
      const result = run(repeats)
      if (count() - before !== repeats * frames) throw new Error(`${name} lost a frame`)
      return result
    },
  }
}

function wsWay(stream: Buffer): Way {
  const receiver = new Receiver({ isServer: true, maxPayload: 64 * 1024 * 1024 })
  let messages = 0
  receiver.on('message', () => {
    messages++
  })
  receiver.on('error', (error) => {
    throw error
  })
  const chunks = Array.from({ length: Math.ceil(stream.length / STREAM_READ) }, (_, index) =>
    stream.subarray(index * STREAM_READ, (index + 1) * STREAM_READ),
  )
  return way('ws Receiver', () => {
    const before = messages
    for (const chunk of chunks) receiver.write(chunk)
    if (messages === before) throw new Error('ws lost a frame')
  })
}

/** The least that a parser in JavaScript does for whole frames: it can't resume, so it gets its stream in one piece. */
function plainWay(stream: Buffer): Way {
  return way('JavaScript loop', () => {
    for (let at = 0; at < stream.length; ) at = plainFrame(stream, at)
  })
}

/** Unmasks the frame at `at`; returns where the next one starts. */
function plainFrame(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0
  const short = (bytes[at + 1] ?? 0) & 0x7f
  const extended = short < 126 ? 0 : short === 126 ? 2 : 8
  let length = short
  if (extended === 2) length = bytes.readUInt16BE(at + 2)
  if (extended === 8) length = bytes.readUInt32BE(at + 2) * 2 ** 32 + bytes.readUInt32BE(at + 6)
  const start = at + 2 + extended + 4
  const payload = bytes.subarray(start, start + length)
  plainMasking.unmask(payload, bytes.subarray(start - 4, start))
  if (first === (FIN | OPCODE_TEXT) && !plainUtf8(payload)) throw new Error('a valid text is not valid')
  return start + length
}
