// A Receiver that is made by hand: it is given what a peer has sent, in pieces of any size, and tells what it says.
import { Buffer } from 'node:buffer'
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { deflateRawSync } from 'node:zlib'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const EVENTS = ['message', 'ping', 'pong', 'conclude', 'error', 'finish', 'close'] as const

function made(stage: Stage, options?: Options): Writable {
  const receiver: Writable = Reflect.construct(
    Reflect.get(stage.module, 'Receiver'),
    options === undefined ? [] : [options],
  )
  for (const event of EVENTS) receiver.on(event, (...values: unknown[]) => stage.note(event, ...values))
  return receiver
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** A frame without a mask. */
function frame(first: number, payload: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(payload)
  const length = bytes.length
  if (length < 126) return Buffer.concat([Buffer.of(first, length), bytes])
  if (length < 65_536) return Buffer.concat([Buffer.of(first, 126, length >> 8, length & 255), bytes])
  const head = Buffer.alloc(10)
  head[0] = first
  head[1] = 127
  head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, bytes])
}

const [TEXT, BINARY, CLOSE, PING, PONG] = [0x81, 0x82, 0x88, 0x89, 0x8a]
const SERVER = { isServer: true }

const CASES: readonly (readonly [name: string, bytes: Buffer, options?: Options])[] = [
  ['a text', frame(TEXT, 'Hello')],
  ['an empty text', frame(TEXT)],
  ['a Close without a code', frame(CLOSE)],
  ['a Close with a code', frame(CLOSE, hex('03e8 6f6b'))],
  ['a Close with a code, and a text behind it', Buffer.concat([frame(CLOSE, hex('03e8')), frame(TEXT, 'late')])],
  ['a masked text', hex('8185 37fa213d 7f9f4d5158'), SERVER],
  ['a text of 200 bytes', frame(TEXT, 'a'.repeat(200))],
  ['a message of 200 KiB', frame(BINARY, Buffer.alloc(200 * 1024, 7))],
  ['a message of 1 MiB', frame(BINARY, Buffer.alloc(1024 * 1024, 7))],
  ['fragments', Buffer.concat([frame(0x01, 'Hel'), frame(0x80, 'lo')])],
  ['an empty fragment', Buffer.concat([frame(0x01, 'Hi'), frame(0x00), frame(0x80)])],
  ['a ping amid fragments', Buffer.concat([frame(0x01, 'Hel'), frame(PING, 'p'), frame(0x80, 'lo')])],
  ['pings and pongs', Buffer.concat([frame(PING), frame(PONG, 'b'), frame(PING, 'c')])],
  ['one byte a message', Buffer.concat([frame(BINARY, 'a'), frame(TEXT, 'b'), frame(BINARY, 'c')])],
  ['an ArrayBuffer', frame(BINARY, 'abc'), { binaryType: 'arraybuffer' }],
  ['an empty ArrayBuffer', frame(BINARY), { binaryType: 'arraybuffer' }],
  ['a Blob', frame(BINARY, 'abc'), { binaryType: 'blob' }],
  ['RSV1 without an extension', hex('c180')],
  ['RSV1 of a continuation', Buffer.concat([frame(0x01, 'a'), hex('c080')])],
  ['RSV2', hex('a180')],
  ['RSV3', hex('9180')],
  ['opcode 0 without a beginning', hex('0000')],
  ['opcode 1 amid fragments', Buffer.concat([frame(0x01, 'a'), hex('0100')])],
  ['opcode 2 amid fragments', Buffer.concat([frame(0x01, 'a'), hex('0200')])],
  ['a control frame in fragments', hex('0900')],
  ['a control frame with RSV1', hex('c900')],
  ['an opcode that is reserved', hex('8300')],
  ['a control opcode that is reserved', hex('8b00')],
  ['a frame without a mask, for a server', hex('8105 48656c6c6f'), SERVER],
  ['a frame with a mask, for a client', hex('8180 56568080')],
  ['a ping of 126 bytes', hex('897e007e')],
  ['a Close of one byte', hex('880100')],
  ['a Close with a wrong code', frame(CLOSE, hex('0000'))],
  ['a Close whose reason is no text', frame(CLOSE, hex('03e8 ceba80'))],
  ['a length above 2^53 - 1', hex('827f 0020000000000000')],
  ['a text that is no text', frame(TEXT, hex('ceba e1bdb9 cf83 cebc ceb5 eda080'))],
  ['the same where nobody looks', frame(TEXT, hex('ceba eda080')), { skipUTF8Validation: true }],
  ['a message that is too long', frame(TEXT, 'a'.repeat(21)), { maxPayload: 20 }],
  [
    'fragments that are too long',
    Buffer.concat([frame(0x01, 'a'.repeat(15)), frame(0x80, 'a'.repeat(15))]),
    { maxPayload: 20 },
  ],
  [
    'a ping does not count',
    Buffer.concat([frame(0x01, 'a'.repeat(10)), frame(PING, 'a'.repeat(30)), frame(0x80, 'b')]),
    { maxPayload: 20 },
  ],
  ['too many fragments', Buffer.concat([frame(0x01, 'a'), frame(0x00, 'b'), frame(0x80, 'c')]), { maxFragments: 2 }],
  [
    'two messages, and then a wrong one',
    Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b'), hex('8300'), frame(TEXT, 'c')]),
  ],
]

for (const [name, bytes, options] of CASES) {
  for (const size of bytes.length > 1000 ? [bytes.length, 50_000] : [bytes.length, 1]) {
    same(
      `a Receiver is given ${name}, ${size === bytes.length ? 'whole' : `${size} bytes at a time`}`,
      async (stage) => {
        const receiver = made(stage, options)
        for (let at = 0; at < bytes.length && !receiver.destroyed; at += size) {
          receiver.write(Buffer.from(bytes.subarray(at, at + size))) // ws unmasks it where it lies
        }
        await delay(10)
      },
    )
  }
}

same('a Receiver tells what it has read before its write returns', async (stage) => {
  const receiver = made(stage)
  receiver.write(Buffer.concat([frame(TEXT, 'a'), frame(PING, 'b'), frame(TEXT, 'c')]), () => stage.note('taken'))
  stage.note('returned')
  receiver.end(() => stage.note('ended'))
  await delay(10)
})

same('a Receiver without synchronous events tells one in each turn', async (stage) => {
  const receiver = made(stage, { allowSynchronousEvents: false })
  receiver.write(Buffer.concat([frame(TEXT, 'a'), frame(PING, 'b'), frame(TEXT, 'c')]))
  stage.note('returned')
  await stage.noted('message', 'ping', 'message')
})

same('a Receiver counts the chunks of a frame', async (stage) => {
  const receiver = made(stage, { maxBufferedChunks: 3 })
  receiver.write(Buffer.of(TEXT, 10))
  for (let count = 0; count < 5 && !receiver.destroyed; count++) receiver.write('a')
  await delay(10)
})

for (const [name, options] of [
  ['of its own', {}],
  ['that starts anew', { serverNoContextTakeover: true, clientNoContextTakeover: true }],
] as const) {
  same(`a Receiver inflates by an extension ${name}`, async (stage) => {
    const deflate = Reflect.construct(Reflect.get(stage.module, 'PerMessageDeflate'), [options]) as {
      accept(offers: readonly object[]): void
    }
    deflate.accept([{}])
    const receiver = made(stage, { extensions: { 'permessage-deflate': deflate } })
    const packed = deflateRawSync('Hello '.repeat(100), { finishFlush: 2 }).subarray(0, -4)
    receiver.write(frame(0xc1, packed))
    receiver.write(frame(0x41, packed.subarray(0, 5)))
    receiver.write(frame(0x80, packed.subarray(5)))
    receiver.write(frame(TEXT, 'plain'))
    await stage.noted('message', 'message', 'message')
  })
}

same('the Receiver of a WebSocket is one', async (stage) => {
  const { ws } = await stage.pair({ maxPayload: 500 })
  const receiver = Reflect.get(ws, '_receiver')
  stage.note('it', receiver instanceof Reflect.get(stage.module, 'Receiver'), receiver._maxPayload, receiver._isServer)
})
