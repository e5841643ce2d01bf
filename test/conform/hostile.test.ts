// The suite is pointed at servers that nobody knows: whatever they do, one clear line says so, the exit code is 1, and neither
// time nor memory is without bounds.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { selectCases } from '../../src/conform/cases.js'
import { problemOf } from '../../src/conform/probe.js'
import { runCases } from '../../src/conform/run.js'
import { runCli } from '../command/cliProcess.js'
import type { Ending } from '../support/serving.js'

const options = { timeout: 60_000 }

const ACCEPTS =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '

function accept(request: string): string {
  const key = /Sec-WebSocket-Key: (\S+)/.exec(request)?.[1] ?? ''
  const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return `${ACCEPTS}${hash}\r\n\r\n`
}

/** Writes the same again and again, as fast as it is read. */
function forEver(socket: Socket, bytes: Buffer): void {
  const go = (): void => {
    while (!socket.destroyed && socket.write(bytes));
    if (!socket.destroyed) socket.once('drain', go)
  }
  go()
}

/** What a server does once it has read the request. */
const SERVERS: Readonly<Record<string, readonly [act: (socket: Socket, request: string) => void, says: RegExp]>> = {
  'says nothing': [() => undefined, /opens no WebSocket: nothing within \d+ ms/],
  'resets at the request': [
    (socket) => socket.resetAndDestroy(),
    /opens no WebSocket: the TCP connection was cut \(ECONNRESET\)/,
  ],
  'ends at the request': [(socket) => socket.end(), /opens no WebSocket: the end of the TCP connection/],
  'answers with a wrong accept': [(socket) => socket.write(`${ACCEPTS}AAAA\r\n\r\n`), /Sec-WebSocket-Accept: AAAA/],
  'answers 404': [(socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), /HTTP\/1\.1 404/],
  'speaks no HTTP': [(socket) => socket.write('\u001b[2J220 mail.example.com\r\n\r\n'), /220 mail/],
  'sends a head without end': [
    (socket) => forEver(socket, Buffer.alloc(65_536, 'X-A: b\r\n')),
    /a head of more than 16384 bytes/,
  ],
  'sends half a head': [(socket) => socket.write('HTTP/1.1 101 Swit'), /nothing within/],
  'resets after the handshake': [
    (socket, request) => socket.write(accept(request), () => setTimeout(() => socket.resetAndDestroy(), 20)),
    /does not send messages back, .*(?:cut|end of the TCP)/,
  ],
  'says nothing after the handshake': [
    (socket, request) => socket.write(accept(request)),
    /does not send messages back, .*nothing within/,
  ],
  'sends other messages': [
    (socket, request) => socket.write(Buffer.concat([Buffer.from(accept(request)), Buffer.of(0x81, 2, 110, 111)])),
    /text of 2 bytes/,
  ],
  'sends a frame without end': [
    (socket, request) => {
      socket.write(accept(request))
      socket.write(Buffer.of(0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0))
      forEver(socket, Buffer.alloc(65_536))
    },
    /a message of more than \d+ bytes/,
  ],
  'sends fragments without end': [
    (socket, request) => {
      socket.write(accept(request))
      socket.write(Buffer.of(0x02, 0))
      forEver(socket, Buffer.alloc(65_536))
    },
    /more than \d+ (?:frames|bytes)/,
  ],
  'sends Pings without end': [
    (socket, request) => {
      socket.write(accept(request))
      forEver(socket, Buffer.concat(Array.from({ length: 8192 }, () => Buffer.of(0x89, 0))))
    },
    /more than \d+ (?:frames|bytes)|nothing within/,
  ],
}

interface Hostile {
  readonly port: number
  /** Bytes that were read from it. */
  written(): number
}

function hostile(test: Ending, act: (socket: Socket, request: string) => void): Promise<Hostile> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.once('data', (request) => act(socket, request.toString('latin1')))
  })
  test.after(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(() => resolve()))
  })
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      resolve({ port, written: () => sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0) })
    })
  })
}

describe('a server that', { concurrency: 4 }, () => {
  for (const [name, [act, says]] of Object.entries(SERVERS)) {
    test(name, options, async (t) => {
      const server = await hostile(t, act)
      const target = { url: new URL(`ws://127.0.0.1:${server.port}/`), headers: {} }
      assert.match((await problemOf(target, 2000)) ?? '', says)
      assert.ok(server.written() < 64 << 20, `${server.written()} bytes were taken`)
    })
  }

  test('writes on the terminal is shown in one line, without its controls', options, async (t) => {
    const server = await hostile(t, (socket) => void socket.write('\u001b[2J220 mail.example.com\r\n\r\n'))
    const { code, stdout, stderr } = await runCli('conform', `ws://127.0.0.1:${server.port}`, '--timeout', '2s')
    assert.equal(stdout, '')
    assert.match(stderr, /^millrace: ws:\/\/127\.0\.0\.1:\d+\/ opens no WebSocket: \\u\{1b\}\[2J220 .+\n$/)
    assert.equal(stderr.split('\n').length, 2)
    assert.equal(code, 1)
  })

  test('nobody listens', options, async () => {
    const { code, stderr } = await runCli('conform', 'ws://127.0.0.1:1')
    assert.match(stderr, /^millrace: ws:\/\/127\.0\.0\.1:1\/ can't be reached: .*ECONNREFUSED.*\n$/)
    assert.equal(code, 1)
  })
})

test('each case ends in its time, whatever the server does later', options, async (t) => {
  const acts = Object.values(SERVERS).map(([act]) => act)
  let count = 0
  const server = await hostile(t, (socket, request) => acts[count++ % acts.length]?.(socket, request))
  const cases = selectCases({ side: 'server', only: ['5.5'] })
  const target = { url: new URL(`ws://127.0.0.1:${server.port}/`), headers: {} }
  const outcomes = await runCases({ target, cases, parallel: 16, timeout: 400 })
  assert.equal(outcomes.length, cases.length)
  for (const { verdict, came, milliseconds, case: one } of outcomes) {
    assert.ok(verdict !== 'pass', one.id)
    assert.notEqual(came, '')
    assert.ok(milliseconds < 5000, `${one.id} took ${milliseconds} ms`)
  }
})

test('a server that goes away ends the run', options, async (t) => {
  const server = await hostile(t, (socket) => socket.end())
  const target = { url: new URL('ws://127.0.0.1:1/'), headers: {} }
  assert.ok(server.port > 0)
  await assert.rejects(
    runCases({ target, cases: selectCases({ side: 'server' }), parallel: 4, timeout: 1000 }),
    /can't be reached any more, after \d+ of \d+ cases/,
  )
})
