// permessage-deflate: what is answered to which offer by which options, and messages, as a client of ws reads them.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { constants, deflateRawSync } from 'node:zlib'
import { WebSocket as Client } from 'ws'
import { buildFrame, close, masked, TEXT } from '../support/frames.js'
import { Random } from '../support/random.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

const OFFERS = [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'permessage-deflate; client_max_window_bits=10; server_max_window_bits=9',
  'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  'permessage-deflate; server_max_window_bits=8; foo, permessage-deflate; server_max_window_bits=8',
  'permessage-deflate; server_max_window_bits="12"',
  'foo, permessage-deflate',
  'foo',
]
const SETTINGS: readonly (boolean | Options)[] = [
  true,
  false,
  {},
  { serverNoContextTakeover: true },
  { clientNoContextTakeover: true },
  { serverNoContextTakeover: false, clientNoContextTakeover: false },
  { serverMaxWindowBits: 10 },
  { clientMaxWindowBits: 10 },
  { clientMaxWindowBits: 10, serverMaxWindowBits: 9, threshold: 0, concurrencyLimit: 1 },
  { clientMaxWindowBits: true },
  { zlibDeflateOptions: { level: 1, memLevel: 5, chunkSize: 1024 }, zlibInflateOptions: { chunkSize: 1024 } },
  { zlibDeflateOptions: { windowBits: 9 }, threshold: 10 },
]

for (const setting of SETTINGS) {
  same(`the answers by perMessageDeflate: ${JSON.stringify(setting)}`, async (stage) => {
    const { port, wss } = await stage.serve({ perMessageDeflate: setting })
    wss.on('connection', (ws) => stage.note('extensions', ws.extensions))
    for (const offer of OFFERS) {
      const peer = await stage.connect(port, [`Sec-WebSocket-Extensions: ${offer}`])
      const { status } = await peer.response()
      if (status !== 101) await peer.end()
      stage.note(offer)
      stage.wire(peer)
    }
  })
}

/** A client of ws on a server with these options, which notes what it hears; the server echoes. */
async function echoed(
  stage: Stage,
  perMessageDeflate: boolean | Options,
  messages: readonly (string | Buffer)[],
): Promise<void> {
  const { port, wss } = await stage.serve({ perMessageDeflate })
  wss.on('connection', (ws) => {
    stage.note('extensions', ws.extensions)
    ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }))
    ws.on('close', (...values) => stage.note('closed', ...values))
  })
  const client = new Client(`ws://127.0.0.1:${port}`, { perMessageDeflate: { threshold: 0 } })
  stage.after(() => client.terminate())
  let heard = 0
  client.on('message', (...values: unknown[]) => {
    heard++
    stage.note('heard', ...values)
  })
  await once(client, 'open')
  for (const message of messages) client.send(message)
  await stage.until(() => heard === messages.length, 'all echoes')
  client.close(1000)
  await stage.noted('closed')
}

const MESSAGES = [
  '',
  'short',
  'long '.repeat(2000),
  Buffer.alloc(0),
  Buffer.alloc(100_000, 'abc'),
  'é'.repeat(500),
  'long '.repeat(2000),
]
for (const setting of SETTINGS) {
  same(`echoes by perMessageDeflate: ${JSON.stringify(setting)}`, (stage) => echoed(stage, setting, MESSAGES))
}

same('which messages are compressed: by threshold, and by the option of send', async (stage) => {
  for (const options of [{}, { threshold: 10, serverNoContextTakeover: true }, { serverNoContextTakeover: true }]) {
    const { ws, peer } = await stage.pair({ perMessageDeflate: options }, [
      'Sec-WebSocket-Extensions: permessage-deflate',
    ])
    const texts = ['small', 'x'.repeat(100), 'y'.repeat(2000)]
    for (const text of texts) {
      ws.send(text)
      ws.send(text, { compress: false })
      ws.send(text, { compress: true })
    }
    await peer.frames(9)
    const data = peer.received.subarray(peer.text.indexOf('\r\n\r\n') + 4)
    stage.note('compressed', ...firstBytes(data).map((first) => (first & 0x40) !== 0))
    await stage.drop(peer)
  }
})

same('which messages in fragments are compressed: the first fragment decides', async (stage) => {
  for (const options of [{}, { threshold: 10, serverNoContextTakeover: true }, { serverNoContextTakeover: true }]) {
    const { ws, peer } = await stage.pair({ perMessageDeflate: options }, [
      'Sec-WebSocket-Extensions: permessage-deflate',
    ])
    const texts = ['', 'small', 'x'.repeat(100), 'é'.repeat(600), 'y'.repeat(2000)]
    for (const text of texts) {
      for (const compress of [true, false, undefined]) {
        ws.send(text, { fin: false, compress })
        ws.send(Buffer.from(text), { fin: false, compress: true })
        ws.send(text, { compress: false })
      }
    }
    await peer.frames(texts.length * 9)
    const data = peer.received.subarray(peer.text.indexOf('\r\n\r\n') + 4)
    stage.note('first bytes', ...firstBytes(data).map((first) => first.toString(16)))
    await stage.drop(peer)
  }
})

same('the order of what is compressed and what is not is kept, with callbacks', async (stage) => {
  const { ws, peer } = await stage.pair({ perMessageDeflate: { threshold: 0 } }, [
    'Sec-WebSocket-Extensions: permessage-deflate',
  ])
  ws.send('x'.repeat(5000), () => stage.note('first'))
  ws.ping('p', false, () => stage.note('ping'))
  ws.send('plain', { compress: false }, () => stage.note('plain'))
  ws.close(1000)
  const frames = await peer.frames(4)
  stage.note('opcodes', ...frames.map(({ opcode }) => opcode))
  await stage.noted('first', 'ping', 'plain')
  await peer.destroy()
  await stage.noted('close')
})

const deflated = ['Sec-WebSocket-Extensions: permessage-deflate']
const key = Buffer.of(1, 2, 3, 4)
const noText = deflateRawSync(Buffer.of(0x61, 0xc3, 0x28, 0xff), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(
  0,
  -4,
)
/** So long that a thread inflates it. */
const longNoText = deflateRawSync(new Random(1).bytes(100_000), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
/** 'Hello', as RFC 7692, section 7.2.3.1, has it. */
const hello = Buffer.from('f248cdc9c90700', 'hex')

for (const [name, frames, options] of [
  ['a message', [buildFrame({ opcode: TEXT, reserved: 4, payload: hello, key })], {}],
  [
    'a message between plain ones',
    [masked(TEXT, 'one'), buildFrame({ opcode: TEXT, reserved: 4, payload: hello, key }), masked(TEXT, 'two')],
    {},
  ],
  [
    'a message in fragments with a ping between',
    [
      buildFrame({ opcode: TEXT, reserved: 4, payload: hello.subarray(0, 3), key, fin: false }),
      masked(9, 'p'),
      buildFrame({ opcode: 0, payload: hello.subarray(3), key }),
    ],
    {},
  ],
  ['RSV1 on a continuation', [masked(TEXT, 'a', false), buildFrame({ opcode: 0, reserved: 4, payload: 'x', key })], {}],
  ['RSV1 on a ping', [buildFrame({ opcode: 9, reserved: 4, key })], {}],
  ['bytes that are no deflate', [buildFrame({ opcode: TEXT, reserved: 4, payload: Buffer.alloc(9, 0xff), key })], {}],
  [
    'a message that inflates over maxPayload',
    [buildFrame({ opcode: TEXT, reserved: 4, payload: hello, key })],
    { maxPayload: 4 },
  ],
  [
    'a message that inflates to bytes that are no text',
    [buildFrame({ opcode: TEXT, reserved: 4, payload: noText, key })],
    {},
  ],
  [
    'a message that inflates to bytes that are no text, with skipUTF8Validation',
    [buildFrame({ opcode: TEXT, reserved: 4, payload: noText, key })],
    { skipUTF8Validation: true },
  ],
  [
    'a long message that inflates to bytes that are no text, with skipUTF8Validation',
    [buildFrame({ opcode: TEXT, reserved: 4, payload: longNoText, key })],
    { skipUTF8Validation: true },
  ],
] as const) {
  same(`compressed input: ${name}`, async (stage) => {
    const { peer } = await stage.pair({ perMessageDeflate: true, ...options }, deflated)
    peer.write(Buffer.concat(frames))
    peer.write(close(1000))
    await stage.finish(peer)
    // What zlib says of bytes that it can't read is not what another inflater says of them; the code is the same.
    for (const entry of stage.log) {
      if (Array.isArray(entry) && entry[0] === 'error') entry[1] = String(entry[1]).replace(/^Error (Z_\w+) .*/, '$1')
    }
  })
}

for (const end of ['terminate', 'reset'] as const) {
  same(`what is being compressed at a ${end} calls back all the same`, async (stage) => {
    const { ws, peer } = await stage.pair({ perMessageDeflate: { threshold: 0 } }, deflated)
    let called = 0
    for (let at = 0; at < 5; at++) ws.send(Buffer.alloc(1 << 20, at), () => called++)
    if (end === 'terminate') ws.terminate()
    else peer.socket.resetAndDestroy()
    await stage.noted('close')
    await stage.until(() => called === 5, 'all callbacks')
    await stage.quiet(10)
    stage.note('called back', called)
  })
}

same('what is compressed counts as buffered in its turn', async (stage) => {
  const { ws } = await stage.pair({ perMessageDeflate: { threshold: 0 } }, deflated)
  ws.send('foo')
  stage.note('after one', ws.bufferedAmount)
  ws.send('grüße', () => stage.note('called back', ws.bufferedAmount))
  stage.note('after two', ws.bufferedAmount)
  await stage.noted('called back')
})

same('what is compressed in the turn of a terminate is lost, and its callbacks are told', async (stage) => {
  const { ws, peer } = await stage.pair({ perMessageDeflate: { threshold: 0 } }, deflated)
  ws.send('foo', (error) => stage.note('first', error, ws.readyState))
  ws.send('bar')
  ws.send('baz', (error) => stage.note('third', error, ws.readyState))
  ws.terminate()
  await stage.noted('close', 'third')
  await stage.quiet()
  stage.wire(peer)
})

same(
  'so it is in a listener of connection, and of what is plain, only what was sent before it leaves',
  async (stage) => {
    const { port, wss } = await stage.serve({ perMessageDeflate: { threshold: 0 } })
    wss.on('connection', (ws) => {
      stage.watch(ws)
      ws.send('plain', { compress: false }, (error) => stage.note('plain', error, ws.readyState))
      ws.send('foo', (error) => stage.note('compressed', error, ws.readyState))
      ws.send('behind', { compress: false }, (error) => stage.note('behind', error, ws.readyState))
      ws.terminate()
    })
    const peer = await stage.connect(port, deflated)
    await stage.noted('close', 'plain', 'compressed', 'behind')
    await stage.quiet()
    stage.wire(peer)
  },
)

/** The first byte of each frame. */
function firstBytes(data: Buffer): number[] {
  const found: number[] = []
  for (let at = 0; at < data.length; ) {
    found.push(data.readUInt8(at))
    const length = data.readUInt8(at + 1)
    at += length < 126 ? 2 + length : 4 + data.readUInt16BE(at + 2)
  }
  return found
}
