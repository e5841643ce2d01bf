// What bounds the memory of a connection, as ws promises it by its options, and what is told when a bound is passed.
import { Buffer } from 'node:buffer'
import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { BINARY, buildFrame, CONTINUATION, masked, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const key = Buffer.of(1, 2, 3, 4)
const DEFLATE = ['Sec-WebSocket-Extensions: permessage-deflate']
const deflated = (data: Buffer): Buffer => deflateRawSync(data, { finishFlush: 2 }).subarray(0, -4)
const compressed = (opcode: number, payload: Buffer, fin = true): Buffer =>
  buildFrame({ opcode, payload, key, fin, reserved: 4 })

/** Notes what is told of these bytes until the connection has ended, and the Close that answers them. */
async function refused(stage: Stage, options: Options, headers: readonly string[], bytes: Buffer): Promise<void> {
  const { peer } = await stage.pair(options, headers)
  peer.write(bytes)
  const [close] = await peer.frames(1)
  stage.note('close code', close?.payload.readUInt16BE(0))
  await stage.drop(peer)
}

/** ws reads it in many pieces; here, a thread inflates it. */
const noise = randomBytes(500_000)
const bomb = deflated(Buffer.alloc(10_000_000))
for (const [name, frames] of [
  ['in one frame', compressed(BINARY, bomb)],
  [
    'in two frames',
    Buffer.concat([compressed(BINARY, bomb.subarray(0, 5000), false), masked(CONTINUATION, bomb.subarray(5000))]),
  ],
  ['of text', compressed(TEXT, bomb)],
] as const) {
  same(`a short message that inflates beyond maxPayload, ${name}`, (stage) =>
    refused(stage, { perMessageDeflate: true, maxPayload: 100_000 }, DEFLATE, frames),
  )
}

same('a compressed message of exactly maxPayload', async (stage) => {
  const { peer } = await stage.pair({ perMessageDeflate: true, maxPayload: 100_000 }, DEFLATE)
  peer.write(compressed(BINARY, deflated(Buffer.alloc(100_000, 'a'))))
  await stage.noted('message')
  await stage.drop(peer)
})

for (const [name, frames] of [
  ['by its header alone', buildFrame({ opcode: BINARY, key, announced: 1001n }).subarray(0, 8)],
  [
    'with its fragments',
    Buffer.concat([masked(BINARY, Buffer.alloc(600), false), masked(CONTINUATION, Buffer.alloc(401))]),
  ],
] as const) {
  same(`a message beyond maxPayload ${name}`, (stage) => refused(stage, { maxPayload: 1000 }, [], frames))
}

for (const headers of [[], DEFLATE]) {
  const name = headers.length > 0 ? 'compressed' : 'plain'
  const begin = (opcode: number): Buffer =>
    headers.length > 0
      ? compressed(opcode, Buffer.of(0), false)
      : buildFrame({ opcode, payload: Buffer.from('x'), key, fin: false })
  same(`more fragments than maxFragments, ${name}`, (stage) =>
    refused(
      stage,
      { maxFragments: 3, perMessageDeflate: true },
      headers,
      Buffer.concat([begin(TEXT), ...new Array<Buffer>(3).fill(masked(CONTINUATION, '', false))]),
    ),
  )
}

same('a peer that reads nothing: bufferedAmount grows, and nothing is lost', async (stage) => {
  const { peer, ws } = await stage.pair()
  peer.socket.pause()
  const size = 256 * 1024
  const sent = Array.from({ length: 64 }, (_, at) => Buffer.alloc(size, at))
  let told = 0
  for (const data of sent) {
    ws.send(data, (error) => {
      if (error !== undefined && error !== null) stage.note('failed', error)
      told++
    })
  }
  await stage.quiet()
  stage.note('waits', ws.bufferedAmount > 8 * 1024 * 1024, told < 64, ws.readyState)
  peer.socket.resume()
  const frames = await peer.frames(64)
  stage.note('all of it', ...frames.map(({ payload }, at) => payload.equals(sent[at] ?? Buffer.alloc(0))))
  await stage.until(() => told === 64 && ws.bufferedAmount === 0, 'everything has left')
  await stage.drop(peer)
})

for (const size of [1000, 400_000]) {
  same(`compressed text of ${size} bytes that is no UTF-8, with skipUTF8Validation`, async (stage) => {
    const { peer } = await stage.pair({ perMessageDeflate: true, skipUTF8Validation: true }, DEFLATE)
    const text = Buffer.concat([Buffer.of(0xff, 0xc3, 0x28), Buffer.alloc(size, 'a'), Buffer.of(0xe2)])
    peer.write(compressed(TEXT, deflated(text)))
    await stage.noted('message')
    await stage.drop(peer)
  })
}

same('text that compresses badly and is no UTF-8, with skipUTF8Validation and without', async (stage) => {
  const { peer } = await stage.pair({ perMessageDeflate: true, skipUTF8Validation: true }, DEFLATE)
  peer.write(compressed(TEXT, deflated(noise)))
  await stage.noted('message')
  await stage.drop(peer)
  await refused(stage, { perMessageDeflate: true }, DEFLATE, compressed(TEXT, deflated(noise)))
})

/** Writes these one after the other, each in a segment of its own, until the connection is closed. */
async function inSegments(stage: Stage, options: Options, segments: readonly Buffer[]): Promise<void> {
  const { peer, ws } = await stage.pair({ closeTimeout: 100, ...options }, DEFLATE)
  peer.socket.setNoDelay(true)
  for (const segment of segments) {
    if (ws.readyState !== 1) break
    peer.write(segment)
    await stage.quiet(5)
  }
  if (ws.readyState !== 1) {
    const [close] = await peer.frames(1)
    stage.note('close code', close?.payload.readUInt16BE(0))
  }
  await stage.drop(peer)
}

const pieces = (frame: Buffer, length: number): Buffer[] =>
  Array.from({ length: Math.ceil(frame.length / length) }, (_, at) => frame.subarray(at * length, (at + 1) * length))
for (const [name, segments] of [
  ['a message in as many pieces', pieces(masked(BINARY, Buffer.alloc(94, 1)), 20)],
  ['a message in more pieces', pieces(masked(BINARY, Buffer.alloc(114, 1)), 20)],
  [
    'messages in many pieces in all',
    [1, 2, 3].flatMap((fill) => pieces(masked(TEXT, Buffer.alloc(94, 96 + fill)), 20)),
  ],
  [
    'fragments in many pieces in all',
    [
      ...pieces(masked(BINARY, Buffer.alloc(94, 1), false), 20),
      ...pieces(masked(CONTINUATION, Buffer.alloc(94, 1)), 20),
    ],
  ],
  ['a compressed message in more pieces', pieces(compressed(BINARY, deflated(randomBytes(114))), 20)],
] as const) {
  same(`maxBufferedChunks and ${name}`, (stage) =>
    inSegments(stage, { maxBufferedChunks: 5, perMessageDeflate: true }, segments),
  )
}

same('maxBufferedChunks 0 is any number', (stage) =>
  inSegments(stage, { maxBufferedChunks: 0 }, pieces(masked(BINARY, Buffer.alloc(200, 1)), 5)),
)
