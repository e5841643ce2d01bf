// Attacks on connections that are not open yet.
import type { Socket } from 'node:net'
import { BINARY } from '../../test/support/frames.js'
import { type Attack, once, opening, repeating } from './attack.js'
import type { Attacker, OpenOptions } from './attacker.js'
import { frame, repeated, upgradeRequest } from './wire.js'

const early = once(() => repeated(frame(BINARY, Buffer.alloc(16_000)), 131_072))
const bytesBehind = once(() => repeated(frame(BINARY, 'x'), 60_000))
const addresses = once(() => {
  const nonsense = ['10.0.0.1', 'unknown', '[::1', '256.1.1.1:99999', '"', '::ffff:1.2.3.4%eth0', '', ' ']
  return `X-Forwarded-For: ${Array.from({ length: 1200 }, (_, at) => nonsense[at % nonsense.length]).join(', ')}`
})
const lines = once(() => repeated(Buffer.from('X-A: b\r\n')))
const chunks = once(() => repeated(Buffer.from('1\r\nx\r\n')))
const pipelined = once(() => repeated(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')))
/** The header of a TLS record that never comes whole, and the beginning of a ClientHello. */
const CLIENT_HELLO = Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3)

/** Announces 2,048 bytes of addresses. */
const PROXY_HEADER = Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\x08\x00\x7f', 'latin1')

const WRONG: readonly Buffer[] = [
  'GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET /%zz/../echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
].map((text) => Buffer.from(text, 'latin1'))

/** Writes, and waits until the server has ended the connection, for a moment at most. */
async function provoke(attacker: Attacker, bytes: Buffer, secure = false): Promise<void> {
  const socket = await attacker.dial({ secure })
  attacker.write(socket, bytes)
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, 50)
    socket.once('close', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  socket.destroy()
}

const GET = Buffer.from('GET /echo HTTP/1.1\r\nHost: localhost\r\n')
const POST = Buffer.from('POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n')

/** Connects to a port, and writes the bytes once. */
async function writeOnce(attacker: Attacker, port: number, bytes: Buffer): Promise<void> {
  await attacker.flood(await attacker.dial({ port }), bytes, { most: bytes.length })
}

/** Connects, writes the bytes, and goes on with others. */
async function begun(attacker: Attacker, bytes: Buffer, more: Buffer, most = Infinity): Promise<Socket> {
  const socket = await attacker.dial()
  attacker.write(socket, bytes)
  await attacker.flood(socket, more, { most })
  return socket
}

/** Opens a WebSocket, and leaves at once. */
async function visit(attacker: Attacker, path: string, options: OpenOptions = {}, pause = 0): Promise<void> {
  const socket = await attacker.open(path, options)
  if (pause > 0) await attacker.pause(pause)
  socket.destroy()
}

export const onHandshake: readonly Attack[] = [
  opening('silent', 'connections that say nothing', async (attacker) => void (await attacker.dial()), {
    count: 1000,
    many: true,
  }),
  opening(
    'trickled-heads',
    'request heads, a byte every 10 ms',
    async (attacker) =>
      attacker.flood(await attacker.dial(), upgradeRequest('/echo', [addresses()]), { portion: 1, every: 10 }),
    { count: 200 },
  ),
  repeating(
    'huge-heads',
    'request heads of 15 KiB, without pause',
    (attacker) => visit(attacker, '/echo', { headers: [`Cookie: ${'c'.repeat(15_000)}`] }),
    { count: 4 },
  ),
  repeating(
    'endless-heads',
    'request heads without an end',
    async (attacker) => {
      const socket = await begun(attacker, GET, lines(), 1_000_000)
      socket.destroy()
    },
    { count: 4 },
  ),
  opening(
    'wrong-handshakes',
    'handshakes with everything wrong',
    async (attacker, index) => {
      let turn = index
      await attacker.again(() => provoke(attacker, WRONG[turn++ % WRONG.length] ?? early()))
    },
    { count: 8 },
  ),
  repeating('http-pipelined', 'plain GETs, pipelined on one connection', async (attacker) =>
    attacker.flood(await attacker.dial(), pipelined()),
  ),
  repeating('http-unread', 'plain GETs, pipelined, answers unread', async (attacker) =>
    attacker.flood(await attacker.dial({ reads: false }), pipelined()),
  ),
  repeating(
    'forwarded-for',
    'X-Forwarded-For with 1,200 entries of nonsense, through a trusted proxy',
    (attacker) => visit(attacker, '/echo', { headers: [addresses()], from: '127.0.0.3' }),
    { count: 4 },
  ),
  opening(
    'early-bytes',
    'upgrades that wait for an answer, with 128 KiB of messages after them',
    async (attacker) => {
      const socket = await attacker.dial({ reads: false })
      attacker.write(socket, upgradeRequest('/upgrade-late'))
      await attacker.flood(socket, early(), { most: 131_072 })
    },
    { count: 200, many: true },
  ),
  repeating(
    'early-small',
    'upgrade requests with 8,000 messages of a byte after each',
    (attacker) => visit(attacker, '/echo', { early: bytesBehind() }, 5),
    { count: 4 },
  ),
  repeating(
    'upgrade-left',
    'upgrades left before they are answered',
    (attacker) => provoke(attacker, Buffer.concat([upgradeRequest('/upgrade-late'), early()])),
    { count: 16 },
  ),
  repeating(
    'churn',
    'opening handshakes, each reset at once',
    async (attacker) => {
      const socket = await attacker.open('/echo')
      socket.resetAndDestroy()
    },
    { count: 16, many: true },
  ),
  opening(
    'kept-heads',
    'open connections with request heads of 15 KiB in 1,000 lines',
    async (attacker) => {
      await attacker.open('/echo', { headers: Array.from({ length: 1000 }, (_, at) => `X-${at}: ${at * 7919}`) })
    },
    { count: 500 },
  ),
  repeating('http-body', 'a POST with a body without an end', async (attacker) => {
    await begun(attacker, POST, chunks())
  }),
  opening(
    'proxy-midway',
    'headers of the PROXY protocol that stop midway',
    (attacker) => writeOnce(attacker, attacker.ports.proxied, PROXY_HEADER),
    { count: 200 },
  ),
  opening(
    'tls-midway',
    'TLS handshakes that stop midway',
    (attacker) => writeOnce(attacker, attacker.ports.secure, CLIENT_HELLO),
    { count: 200 },
  ),
  repeating(
    'tls-churn',
    'whole TLS handshakes, each reset at once (the cost is that of the key)',
    async (attacker) => {
      const socket = await attacker.dial({ secure: true })
      socket.destroy()
    },
    { count: 2 },
  ),
]
