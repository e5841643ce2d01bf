// A Sender that is made by hand, over a stream: what it writes, in which order, and what it throws.
import { Buffer } from 'node:buffer'
import { PassThrough } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

type Send = (...values: unknown[]) => void
type Sender = Readonly<Record<'send' | 'ping' | 'pong' | 'close' | 'sendFrame', Send>>

/** A Sender, and the bytes that it has written so far. */
function made(stage: Stage, extensions: Options = {}, ...more: readonly unknown[]) {
  const stream = new PassThrough()
  const sender: Sender = Reflect.construct(Reflect.get(stage.module, 'Sender'), [stream, extensions, ...more])
  const written = (): Buffer => {
    const chunks: Buffer[] = []
    // From Node 26 on, a read returns one chunk.
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk)
    return Buffer.concat(chunks)
  }
  return { sender, stream, written }
}

/** An extension that has agreed on an offer. */
function deflate(stage: Stage, options: Options, offer: Options = {}): Options {
  const extension = Reflect.construct(Reflect.get(stage.module, 'PerMessageDeflate'), [options]) as {
    accept(offers: readonly Options[]): void
  }
  extension.accept([structuredClone(offer)]) // ws changes what it is given
  return { 'permessage-deflate': extension }
}

const key = (bytes: Buffer): void => void bytes.fill(7)
const WHOLE = { fin: true }

const PAYLOADS: readonly (readonly [name: string, data: unknown])[] = [
  ['text', 'grüße'],
  ['empty text', ''],
  ['a Buffer', Buffer.from('abc')],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['a view', new Uint16Array([1, 2])],
  ['a Blob', new Blob(['abc'])],
]

for (const [name, data] of PAYLOADS) {
  for (const mask of [false, true]) {
    same(`a Sender sends ${name}${mask ? ' with a mask' : ''}`, async (stage) => {
      const { sender, written } = made(stage, {}, key)
      const told = (what: string) => (error?: unknown) => stage.note(what, error ?? 'well')
      sender.send(data, { ...WHOLE, mask }, told('send'))
      sender.send(data, { ...WHOLE, mask, binary: true })
      sender.ping(data, mask, told('ping'))
      sender.pong(data, mask, told('pong'))
      sender.send('behind', { ...WHOLE, mask }, told('behind'))
      await delay(20)
      stage.note('written', written())
    })
  }
}

same('a Sender writes at once', async (stage) => {
  const { sender, written } = made(stage)
  sender.send('a', WHOLE, () => stage.note('called back'))
  stage.note('written', written())
  await delay(5)
})

same('a Sender sends fragments', async (stage) => {
  const { sender, written } = made(stage)
  sender.send('a', { binary: true })
  sender.ping('p')
  sender.send('b', {})
  sender.send('c', WHOLE)
  sender.send('d', WHOLE)
  stage.note('written', written())
})

same('a Sender leaves the bytes that it masks as they are', async (stage) => {
  const { sender, written } = made(stage, {}, key)
  const ours = Buffer.from('abc')
  sender.send(ours, { ...WHOLE, mask: true, binary: true })
  sender.ping(ours, true)
  stage.note('bytes', ours, written())
})

const CLOSES: readonly (readonly unknown[])[] = [
  [],
  [1000],
  [1000, 'reason'],
  [3000, Buffer.from('reason')],
  [4000, ''],
  ['error'],
  [1004],
  [1006],
  [2999.5],
  [1000, 'a'.repeat(123)],
  [1000, 'a'.repeat(124)],
  [1000, 5],
]
for (const [at, close] of CLOSES.entries()) {
  same(`a Sender closes, ${at}`, async (stage) => {
    const { sender, written } = made(stage)
    stage.call('close', () => sender.close(...close))
    stage.note('written', written())
  })
}

same('a Sender throws for a ping or a pong that is too long', async (stage) => {
  const { sender, written } = made(stage)
  for (const data of ['a'.repeat(126), Buffer.alloc(126), new Blob(['a'.repeat(126)])]) {
    stage.call('ping', () => sender.ping(data))
    stage.call('pong', () => sender.pong(data))
  }
  stage.note('written', written())
})

same('a Sender sends lists', async (stage) => {
  const { sender, written } = made(stage)
  sender.sendFrame([Buffer.from([0x81, 1]), Buffer.from('a')], (error: unknown) => stage.note('sent', error ?? 'well'))
  sender.sendFrame([Buffer.from([0x81, 0])])
  stage.note('written', written())
  await delay(5)
})

/** First bytes and payload lengths of frames: what is compressed may have another length. */
const heads = (bytes: Buffer): unknown[] => [bytes[0], bytes.length > 2]

for (const [name, options, offer, send] of [
  ['what is long enough', { threshold: 3 }, {}, [Buffer.alloc(100, 1), { ...WHOLE, compress: true }]],
  ['what it is told to leave', { threshold: 0 }, {}, ['text', { ...WHOLE, compress: false }]],
  ['what is short, with its context', { threshold: 3 }, {}, ['hi', { ...WHOLE, compress: true }]],
  [
    'what is short, without',
    { threshold: 3, isServer: true },
    { server_no_context_takeover: [true] },
    ['hi', { ...WHOLE, compress: true }],
  ],
  [
    'what is just long enough',
    { threshold: 3, isServer: true },
    { server_no_context_takeover: [true] },
    ['hey', { ...WHOLE, compress: true }],
  ],
  ['nothing', { threshold: 0 }, {}, ['', { ...WHOLE, compress: true }]],
] as const) {
  same(`a Sender with an extension sends ${name}`, async (stage) => {
    const { sender, written } = made(stage, deflate(stage, options, offer))
    sender.send(send[0], send[1], (error: unknown) => stage.note('sent', error ?? 'well'))
    await stage.noted('sent')
    stage.note('written', ...heads(written()))
  })
}

same('the Sender of a WebSocket is one', async (stage) => {
  const { ws } = await stage.pair()
  stage.note('it', Reflect.get(ws, '_sender') instanceof Reflect.get(stage.module, 'Sender'))
})
