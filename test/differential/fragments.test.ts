// `binaryType: 'fragments'`: a Buffer for each frame of a message that has bytes, however these came.
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { constants, deflateRawSync } from 'node:zlib'
import { BINARY, buildFrame, CONTINUATION, masked, PING, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const key = Buffer.of(1, 2, 3, 4)

/** The frames of a message with these payloads. */
function framesOf(opcode: number, ...payloads: readonly (string | Buffer)[]): Buffer {
  const last = payloads.length - 1
  return Buffer.concat(payloads.map((payload, at) => masked(at === 0 ? opcode : CONTINUATION, payload, at === last)))
}

const MESSAGES: Readonly<Record<string, Buffer>> = {
  'one frame': framesOf(BINARY, 'alone'),
  'no bytes': framesOf(BINARY, ''),
  'two frames': framesOf(BINARY, 'in ', 'two'),
  'empty frames between others': framesOf(BINARY, '', 'a', '', '', 'b', ''),
  'only empty frames': framesOf(BINARY, '', '', ''),
  'long frames': framesOf(BINARY, Buffer.alloc(19_221, 1), Buffer.alloc(954, 2), Buffer.alloc(623_987, 3)),
  'many frames': framesOf(BINARY, ...Array.from({ length: 5000 }, (_, at) => `${at}`)),
  'a ping between frames': Buffer.concat([
    masked(BINARY, 'a', false),
    masked(PING, 'p'),
    masked(CONTINUATION, 'b', false),
    masked(CONTINUATION, 'c'),
  ]),
  'text in frames, which is one Buffer': framesOf(TEXT, 'te', 'xt'),
  'several messages': Buffer.concat([framesOf(BINARY, 'a', 'bc'), framesOf(BINARY, 'd'), framesOf(BINARY, 'ef', 'g')]),
}
const END = masked(TEXT, 'end')

async function received(stage: Stage, bytes: Buffer, step: number, options: Options = {}): Promise<void> {
  const { port, wss } = await stage.serve(options)
  wss.on('connection', (ws) => {
    ws.binaryType = 'fragments'
    ws.on('message', (data) => stage.note(String(data) === 'end' ? 'end' : 'message', data))
  })
  const offer = options['perMessageDeflate'] === true ? ['Sec-WebSocket-Extensions: permessage-deflate'] : []
  const peer = await stage.connect(port, offer)
  for (let at = 0; at < bytes.length; at += step) {
    peer.write(bytes.subarray(at, at + step))
    await new Promise((resolve) => setImmediate(resolve))
  }
  peer.write(END)
  await stage.noted('end')
}

for (const [name, bytes] of Object.entries(MESSAGES)) {
  same(`fragments of ${name}`, (stage) => received(stage, bytes, bytes.length))
  if (bytes.length < 1000) same(`fragments of ${name}, byte by byte`, (stage) => received(stage, bytes, 1))
  same(`fragments of ${name}, an event in a turn`, (stage) =>
    received(stage, bytes, bytes.length, { allowSynchronousEvents: false }),
  )
  same(`fragments of ${name}, read by hand`, async (stage) => {
    const options = { isServer: true, binaryType: 'fragments' }
    const receiver = Reflect.construct(Reflect.get(stage.module, 'Receiver'), [options]) as Writable
    receiver.on('message', (data: unknown, isBinary: boolean) => stage.note('message', data, isBinary))
    receiver.on('ping', (data: unknown) => stage.note('ping', data))
    receiver.end(Buffer.from(bytes)) // ws unmasks it where it lies
    await once(receiver, 'finish')
    stage.note('over')
  })
}

/** The pieces of a message, compressed one after the other. */
function compressed(...pieces: readonly Buffer[]): Buffer {
  const all = Buffer.concat(pieces)
  const bytes = deflateRawSync(all, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
  const cuts = pieces.map((_, at) => Math.floor((bytes.length * (at + 1)) / pieces.length))
  return Buffer.concat(
    cuts.map((end, at) => {
      const opcode = at === 0 ? BINARY : CONTINUATION
      const reserved = at === 0 ? 4 : 0
      const payload = bytes.subarray(cuts[at - 1] ?? 0, end)
      return buildFrame({ opcode, reserved, payload, key, fin: at === cuts.length - 1 })
    }),
  )
}

/** Bytes that no compression makes shorter, the same each time. */
function noise(length: number): Buffer {
  const hashes = Array.from({ length: Math.ceil(length / 64) }, (_, at) =>
    createHash('sha512').update(`${at}`).digest(),
  )
  return Buffer.concat(hashes).subarray(0, length)
}

for (const [name, pieces] of Object.entries({
  'so long that a thread inflates it': [noise(120_000), noise(40_000), Buffer.from('x'), noise(50_000)],
  'a thousand times as long as it comes': [Buffer.alloc(6_000_000), Buffer.alloc(5_000_000, 1), Buffer.from('x')],
  short: [Buffer.from('one two three one two three'), Buffer.from('four'), Buffer.from('five')],
  long: [Buffer.alloc(100_000, 'long and longer '), Buffer.from('x'), Buffer.alloc(50_000, 'a')],
})) {
  same(`fragments of a compressed message that is ${name}`, async (stage) => {
    const bytes = compressed(...pieces)
    await received(stage, Buffer.concat([bytes, compressed(Buffer.from('whole'))]), bytes.length, {
      perMessageDeflate: true,
    })
  })
}

same('fragments asked for between two messages, and no longer', async (stage) => {
  const { peer, ws } = await stage.pair()
  peer.write(framesOf(BINARY, 'a', 'b'))
  await stage.noted('message')
  ws.binaryType = 'fragments'
  peer.write(framesOf(BINARY, 'c', 'd'))
  await stage.noted('message', 'message')
  ws.binaryType = 'arraybuffer'
  peer.write(framesOf(BINARY, 'e', 'f'))
  await stage.noted('message', 'message', 'message')
})

same('fragments that wait while it is paused', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.binaryType = 'fragments'
  ws.on('message', () => {
    ws.pause()
    setImmediate(() => ws.resume())
  })
  peer.write(
    Buffer.concat([framesOf(BINARY, 'a', 'b'), framesOf(BINARY, 'c', 'de', 'f'), framesOf(BINARY, 'g', '', 'h')]),
  )
  await stage.noted('message', 'message', 'message')
})
