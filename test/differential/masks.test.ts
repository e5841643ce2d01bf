// Masks that a program asks for: frames that the protocol forbids, and keys of its own.
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { applyMask } from '../support/frames.js'
import { same } from './same.js'
import type { Options, Stage } from './stage.js'

/** A client, and the bytes that its server gets. */
async function client(stage: Stage, options: Options, extensions = ''): Promise<{ ws: WebSocket; bytes: Buffer[] }> {
  const bytes: Buffer[] = []
  const http = createServer()
  http.on('upgrade', ({ headers }, socket: Duplex) => {
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    lines.push(`Sec-WebSocket-Accept: ${acceptKey(headers['sec-websocket-key'] ?? '')}`)
    if (extensions !== '') lines.push(`Sec-WebSocket-Extensions: ${extensions}`)
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => bytes.push(chunk))
    socket.on('error', () => undefined)
    stage.after(() => socket.destroy())
  })
  const { port } = await stage.listen(http)
  const ws = new stage.module.WebSocket(`ws://127.0.0.1:${port}`, options)
  await once(ws, 'open')
  return { ws, bytes }
}

/** Notes all that has come when as many bytes are there. */
async function come(stage: Stage, bytes: readonly Buffer[], length: number): Promise<void> {
  await stage.until(() => Buffer.concat(bytes).length >= length, 'the bytes')
  stage.note('bytes', Buffer.concat(bytes).toString('hex'))
}

const NEVER = { perMessageDeflate: false }

same('a client that does not mask', async (stage) => {
  const { ws, bytes } = await client(stage, NEVER)
  ws.send('text', { mask: false })
  ws.send(Buffer.from('bytes'), { mask: false })
  ws.send('é'.repeat(100), { mask: false, binary: true })
  ws.send('in ', { mask: false, fin: false })
  ws.send('two', { mask: false })
  ws.send('', { mask: undefined })
  ws.ping('ping', false)
  ws.pong('', false)
  await come(stage, bytes, 237)
})

same('keys that a client makes itself', async (stage) => {
  let calls = 0
  const generateMask = (key: Buffer): void => {
    stage.note('key', key.length)
    key.writeUInt32BE(0x01020304 * ++calls)
  }
  const { ws, bytes } = await client(stage, { ...NEVER, generateMask })
  ws.send('text')
  ws.send(Buffer.from('bytes that are longer than four'))
  ws.send('in ', { fin: false })
  ws.send('two')
  ws.send('none', { mask: false })
  ws.ping('ping')
  ws.pong()
  ws.close(1000, 'over')
  await come(stage, bytes, 10 + 37 + 9 + 9 + 6 + 10 + 6 + 12)
})

same('keys whose maker sends another message, or throws', async (stage) => {
  let calls = 0
  const generateMask = (key: Buffer): void => {
    calls++
    if (calls === 2) ws.send('from within')
    if (calls === 4) ws.ping('ping from within')
    if (calls === 6) throw new Error('no key')
    key.fill(calls)
  }
  const { ws, bytes } = await client(stage, { ...NEVER, generateMask })
  ws.send('first')
  ws.send(Buffer.from('bytes that are longer'))
  ws.send('third')
  stage.call('send', () => ws.send('none'))
  ws.send('last')
  await come(stage, bytes, 11 + 17 + 27 + 22 + 11 + 10)
})

same('a key of zeros', async (stage) => {
  const { ws, bytes } = await client(stage, { ...NEVER, generateMask: (key: Buffer) => key.fill(0) })
  ws.send('text')
  ws.send(Buffer.from('bytes'))
  await come(stage, bytes, 21)
})

same('keys of its own for what is compressed', async (stage) => {
  const generateMask = (key: Buffer): Buffer => key.fill(7)
  const settings = { perMessageDeflate: { threshold: 0 }, generateMask }
  const { ws, bytes } = await client(stage, settings, 'permessage-deflate')
  ws.send('aaaaaaaaaaaaaaaa')
  await stage.until(() => Buffer.concat(bytes).length >= 6, 'the frame')
  const [first, second = 0, ...rest] = Buffer.concat(bytes)
  stage.note('compressed', first, second & 0x80, rest.slice(0, 4))
})

same('a server that masks', async (stage) => {
  const { ws, peer } = await stage.pair()
  const answer = peer.received.length
  ws.send('text', { mask: true })
  ws.ping('ping', true)
  ws.pong('pong', true)
  ws.send('plain', { mask: undefined })
  ws.send(Buffer.alloc(200_000, 1), { mask: true })
  ws.ping('plain', undefined)
  ws.pong(() => stage.note('called'))
  await stage.noted('called')
  await stage.until(() => peer.received.length >= answer + 10 + 10 + 10 + 7 + 200_014 + 7 + 2, 'the frames')
  const bytes = peer.received.subarray(answer)
  for (let at = 0; at < bytes.length; ) at += frame(stage, bytes.subarray(at))
})

/** Notes a frame, and returns its bytes. */
function frame(stage: Stage, bytes: Buffer): number {
  const second = bytes[1] ?? 0
  const isLong = (second & 0x7f) === 127
  const length = isLong ? Number(bytes.readBigUInt64BE(2)) : second & 0x7f
  const header = isLong ? 10 : 2
  const masked = (second & 0x80) !== 0
  const start = header + (masked ? 4 : 0)
  const key = masked ? bytes.subarray(header, start) : Buffer.alloc(4)
  stage.note('frame', bytes[0], masked, applyMask(bytes.subarray(start, start + length), key))
  return start + length
}
