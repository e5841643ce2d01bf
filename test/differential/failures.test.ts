// Frames that are wrong: the error, its class, code and text; what the peer is answered; and what the listeners are told,
// before and after.
import { Buffer } from 'node:buffer'
import { BINARY, buildFrame, CLOSE, CONTINUATION, close, masked, PING, PONG, TEXT } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const key = Buffer.of(1, 2, 3, 4)
const good = masked(TEXT, 'good')

/** Frames that fail a connection, each by its name. */
const WRONG: readonly (readonly [name: string, frames: readonly Uint8Array[], options?: Options])[] = [
  ['RSV1 without compression', [buildFrame({ opcode: TEXT, reserved: 4, payload: 'x', key })]],
  ['RSV2', [buildFrame({ opcode: TEXT, reserved: 2, payload: 'x', key })]],
  ['RSV3', [buildFrame({ opcode: PING, reserved: 1, key })]],
  ['RSV1 on a ping', [buildFrame({ opcode: PING, reserved: 4, key })]],
  ['a continuation of nothing', [masked(CONTINUATION, 'x')]],
  ['a text in another message', [masked(TEXT, 'x', false), masked(TEXT, 'y')]],
  ['a binary message in another', [masked(TEXT, 'x', false), masked(BINARY, 'y')]],
  ['opcode 3', [masked(3, 'x')]],
  ['opcode 7', [masked(7, '')]],
  ['opcode 11', [masked(11, 'x')]],
  ['opcode 15', [masked(15, 'x')]],
  ['a ping in fragments', [masked(PING, 'x', false)]],
  ['a Close in fragments', [masked(CLOSE, '', false)]],
  ['a ping of 126 bytes', [masked(PING, 'x'.repeat(126))]],
  ['a pong of 65,536 bytes', [masked(PONG, 'x'.repeat(65_536))]],
  ['a Close of one byte', [masked(CLOSE, 'x')]],
  ['no mask', [buildFrame({ opcode: TEXT, payload: 'x' })]],
  ['a Close without a mask', [buildFrame({ opcode: CLOSE })]],
  ['a length of 2^53', [buildFrame({ opcode: BINARY, key, form: 64, announced: 2n ** 53n })]],
  ['close code 0', [close(0)]],
  ['close code 999', [close(999)]],
  ['close code 1004', [close(1004)]],
  ['close code 1005', [close(1005)]],
  ['close code 1006', [close(1006)]],
  ['close code 1015', [close(1015)]],
  ['close code 2999', [close(2999)]],
  ['close code 5000', [close(5000)]],
  ['a reason that is not UTF-8', [masked(CLOSE, Buffer.of(3, 232, 0xff))]],
  ['a text that is not UTF-8', [masked(TEXT, Buffer.of(0xc3, 0x28))]],
  ['a text that ends within a character', [masked(TEXT, Buffer.of(0xe2, 0x82))]],
  ['a surrogate', [masked(TEXT, Buffer.of(0xed, 0xa0, 0x80))]],
  [
    'a text in fragments that is not UTF-8',
    [masked(TEXT, Buffer.of(0x61, 0xce), false), masked(CONTINUATION, Buffer.of(0x61))],
  ],
  ['a message over maxPayload', [masked(TEXT, 'x'.repeat(11))], { maxPayload: 10 }],
  [
    'fragments that are over maxPayload together',
    [masked(TEXT, 'x'.repeat(6), false), masked(CONTINUATION, 'x'.repeat(5))],
    { maxPayload: 10 },
  ],
  [
    'a header over maxPayload, without its payload',
    [buildFrame({ opcode: BINARY, key, announced: 11n })],
    { maxPayload: 10 },
  ],
  [
    'more fragments than maxFragments',
    [masked(TEXT, '1', false), masked(CONTINUATION, '2', false), masked(CONTINUATION, '3', false)],
    { maxFragments: 2 },
  ],
  [
    'empty fragments, more than maxFragments',
    [masked(TEXT, '', false), masked(CONTINUATION, '', false), masked(CONTINUATION, '')],
    { maxFragments: 2 },
  ],
]

async function failed(stage: Stage, frames: readonly Uint8Array[], options: Options = {}): Promise<void> {
  const { peer } = await stage.pair(options)
  peer.write(Buffer.concat(frames))
  await stage.noted('error')
  await peer.end()
  stage.note('ended')
  await peer.destroy()
  await stage.noted('close')
  stage.wire(peer)
}

for (const [name, frames, options] of WRONG) {
  same(`${name} fails the connection`, (stage) => failed(stage, frames, options))
  same(`${name}, behind a message and before others`, (stage) =>
    failed(stage, [good, ...frames, good, close(1000)], options),
  )
}

same('lengths up to the limits are taken', async (stage) => {
  const { peer } = await stage.pair({ maxPayload: 10, maxFragments: 3 })
  const three = [masked(BINARY, '123', false), masked(CONTINUATION, '456', false), masked(CONTINUATION, '7890')]
  peer.write(Buffer.concat([masked(TEXT, 'x'.repeat(10)), ...three, masked(PING, 'x'.repeat(100))]))
  await stage.noted('message', 'message', 'ping')
  await stage.drop(peer)
})

for (const off of ['maxPayload', 'maxFragments', 'maxBufferedChunks']) {
  same(`${off}: 0 sets no limit`, async (stage) => {
    const { peer } = await stage.pair({ [off]: 0 })
    const fragments = Array.from({ length: 1000 }, () => masked(CONTINUATION, 'xyz', false))
    peer.write(Buffer.concat([masked(BINARY, '', false), ...fragments, masked(CONTINUATION)]))
    await stage.noted('message')
    await stage.drop(peer)
  })
}

// RFC 6455 asks for 1002 where the top bit is set (section 5.2), and ws says 1009 as of any length above 2^53 - 1.
same('a length of 2^63 fails the connection', async (stage) => {
  const { peer } = await stage.pair()
  peer.write(buildFrame({ opcode: BINARY, key, form: 64, announced: 2n ** 63n }))
  await stage.noted('error')
  await peer.end()
  await stage.drop(peer)
})

const noText = Buffer.of(0x61, 0xc3, 0x28, 0xff)
for (const [name, frames] of [
  ['a short text', [masked(TEXT, noText)]],
  ['a text of 100,000 bytes', [masked(TEXT, Buffer.alloc(100_000, noText))]],
  ['a text that is cut within a character', [masked(TEXT, Buffer.of(0xe2, 0x82))]],
  ['fragments', [masked(TEXT, noText, false), masked(CONTINUATION, noText, false), masked(CONTINUATION, noText)]],
  ['ASCII before and behind', [masked(TEXT, 'plain'), masked(TEXT, noText), masked(TEXT, 'plain')]],
  ['a reason', [masked(CLOSE, Buffer.of(3, 232, 0xff))]],
] as const) {
  same(`skipUTF8Validation takes any bytes: ${name}`, async (stage) => {
    const { peer } = await stage.pair({ skipUTF8Validation: true })
    peer.write(Buffer.concat([...frames, close(1000)]))
    await stage.finish(peer)
  })

  same(`skipUTF8Validation takes any bytes, a few at a time: ${name}`, async (stage) => {
    const { peer } = await stage.pair({ skipUTF8Validation: true })
    const all = Buffer.concat([...frames, close(1000)])
    const step = Math.ceil(all.length / 12)
    await peer.writePieces(
      Array.from({ length: 12 }, (_, at) => all.subarray(at * step, (at + 1) * step)),
      2,
    )
    await stage.finish(peer)
  })
}

same('an error: states, order and turns', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('message', () => stage.turns('message'))
  ws.on('error', () => stage.turns('error'))
  peer.write(Buffer.concat([good, masked(3, 'x')]))
  await stage.noted('error: immediate')
  await peer.end()
  await peer.destroy()
  await stage.noted('close')
})

same('after an error nothing more is told, and sending calls back with an Error', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('error', () => {
    stage.note('state', ws.readyState)
    ws.send('late', (error) => stage.note('sent', error))
    ws.close(4000, 'mine')
  })
  peer.write(masked(3, 'x'))
  await peer.end()
  peer.write(good)
  await stage.quiet()
  await peer.destroy()
  await stage.noted('close', 'sent')
  stage.wire(peer)
})

same("an error behind close(): the peer's bytes fail it all the same", async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.close(1000, 'first')
  peer.write(masked(3, 'x'))
  await peer.end()
  await peer.destroy()
  await stage.noted('error', 'close')
  stage.wire(peer)
})

same('terminate() in the listener of an error', async (stage) => {
  const { peer, ws } = await stage.pair()
  ws.on('error', () => ws.terminate())
  peer.write(masked(3, 'x'))
  await stage.noted('error', 'close')
  await peer.end()
})

same('more pings than maxPendingAutoPongs that nobody reads the answers of', async (stage) => {
  const { peer, ws } = await stage.pair({ maxPendingAutoPongs: 3 })
  ws.removeAllListeners('ping')
  // The answers can't leave: so many bytes stand before them.
  peer.socket.pause()
  for (let round = 0; round < 40; round++) ws.send(Buffer.alloc(1 << 20))
  peer.write(Buffer.concat(Array.from({ length: 10 }, () => masked(PING, 'x'))))
  await stage.noted('close')
  stage.note('state', ws.readyState)
})

same('a frame that is wrong behind a message, while others are read', async (stage) => {
  const { peer, port } = await stage.pair({ allowSynchronousEvents: false })
  const other = await stage.connect(port)
  await other.response()
  peer.write(Buffer.concat([good, good, masked(3, 'wrong')]))
  for (let at = 0; at < 20; at++) {
    other.write(Buffer.concat([masked(BINARY, Buffer.alloc(500, 0xff)), masked(PING, 'other')]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  await stage.noted('error')
})

same('a wrong frame that waits while more is read of others', async (stage) => {
  const { peer, ws, port } = await stage.pair()
  const other = await stage.connect(port)
  await other.response()
  ws.once('message', () => ws.pause())
  peer.write(Buffer.concat([good, masked(11, 'wrong')]))
  await stage.noted('message')
  other.write(masked(BINARY, Buffer.alloc(500, 0xff)))
  await stage.quiet()
  ws.resume()
  await stage.noted('error')
})
