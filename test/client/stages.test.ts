// An attempt may be given up, and a server may fall silent or break off, at every stage; what comes cut up or all at once
// is the same to the client.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { type ClientOptions, type ConnectError, connect } from '../../src/client.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { tcpServer } from '../load/peers.js'
import { expired, key } from '../support/certificate.js'

/** The 101 to a request. */
function accepted(head: unknown): string {
  const [, asked = ''] = /sec-websocket-key: (\S+)/i.exec(String(head)) ?? []
  const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
  return `${upgrade}Sec-WebSocket-Accept: ${acceptKey(asked)}\r\n\r\n`
}

async function failure(url: string, options: ClientOptions): Promise<ConnectError> {
  const opened = await connect(url, { handshakeTimeout: 5000, ...options }).catch((error: unknown) => error)
  assert.ok(opened instanceof Error, 'it should not have opened')
  return opened as ConnectError
}

for (const publicApi of [false, true]) {
  test(`a 101 and a message that come byte by byte, publicApi ${publicApi}`, async (t) => {
    const url = await tcpServer(t, (socket) => {
      socket.setNoDelay(true)
      socket.once('data', async (head) => {
        for (const byte of Buffer.concat([Buffer.from(accepted(head)), Buffer.from([0x81, 2, 0x68, 0x69])])) {
          socket.write(Buffer.of(byte))
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
    })
    const options: ClientOptions = { publicApi }
    const client = await connect(url, options)
    for await (const message of client.messages()) {
      assert.equal(message.text(), 'hi')
      client.terminate()
    }
  })

  test(`pings in one write and a reset, while this side closes: 1006 in time, publicApi ${publicApi}`, async (t) => {
    const url = await tcpServer(t, (socket) => {
      socket.once('data', (head) => {
        socket.write(accepted(head))
        socket.once('data', () => {
          const pings = Buffer.concat(Array.from({ length: 20 }, () => Buffer.from([0x89, 2, 0x68, 0x69])))
          socket.write(pings, () => socket.resetAndDestroy())
        })
      })
    })
    const closed = new Promise<number>((resolve, reject) => {
      const options: ClientOptions = { publicApi, closeTimeout: 2000, close: (_, code) => resolve(code) }
      connect(url, options).then((client) => client.close(1000, 'bye'), reject)
    })
    const late = new Promise((resolve) => setTimeout(resolve, 4000, 'late').unref())
    assert.equal(await Promise.race([closed, late]), 1006)
  })
}

const stages: Record<string, (socket: Socket) => void> = {
  'before the response': () => undefined,
  'amid the status line': (socket) => void socket.write('HTTP/1.1 1'),
  'amid the headers': (socket) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: web'),
  'amid the body of a refusal': (socket) => void socket.write('HTTP/1.1 403 No\r\nContent-Length: 1000\r\n\r\nabc'),
}

for (const [name, behave] of Object.entries(stages)) {
  test(`an attempt that is aborted ${name}`, async (t) => {
    const stop = new AbortController()
    const reason = new Error('changed my mind')
    const gone = new Promise<void>((resolve) => {
      tcpServer(t, (socket) => {
        socket.on('error', () => undefined).once('close', () => resolve())
        socket.once('data', () => {
          behave(socket)
          setTimeout(() => stop.abort(reason), 30)
        })
      }).then(async (url) => {
        const error = await failure(url, { signal: stop.signal })
        assert.ok(error === reason || error.code === 'ERR_CONNECT_REFUSED', error.message)
      }, assert.fail)
    })
    await gone
  })
}

test('an attempt that is aborted while the name is looked up, amid TLS, and behind a redirect', async (t) => {
  const reason = new Error('changed my mind')
  const aborting = (delay: number): AbortSignal => {
    const stop = new AbortController()
    setTimeout(() => stop.abort(reason), delay)
    return stop.signal
  }
  const silent = await tcpServer(t, (socket) => void socket.resume())
  const redirecting = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.write(`HTTP/1.1 302 F\r\nLocation: ${silent}\r\nContent-Length: 0\r\n\r\n`))
  })
  assert.equal(await failure('ws://name.test', { lookup: () => undefined, signal: aborting(30) }), reason)
  assert.equal(await failure(silent.replace('ws:', 'wss:'), { signal: aborting(30) }), reason)
  assert.equal(await failure(redirecting, { followRedirects: 3, signal: aborting(60) }), reason)
})

test('a certificate that has expired', async (t) => {
  const server = createTlsServer({ key, cert: expired }, (socket) => socket.on('error', () => undefined))
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const url = `wss://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const error = await failure(url, { tls: { ca: expired } })
  assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
  assert.match(error.message, /has a certificate that has expired/)
})

test('no descriptor is left behind by proxies, TLS and redirects', {
  skip: process.platform !== 'linux',
}, async (t) => {
  const count = (): number => readdirSync('/proc/self/fd').length
  const silent = await tcpServer(t, (socket) => void socket.resume())
  const refusing = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n'))
  })
  const circle = await tcpServer(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'))
  })
  const attempts = async (): Promise<void> => {
    const proxy = (url: string): ClientOptions => ({ proxy: url.replace('ws:', 'http:'), handshakeTimeout: 50 })
    await Promise.all([
      failure('ws://127.0.0.1:9', proxy(silent)),
      failure('wss://127.0.0.1:9', proxy(refusing)),
      failure(silent.replace('ws:', 'wss:'), { handshakeTimeout: 50 }),
      failure(circle, { followRedirects: 5 }),
    ])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await attempts()
  const before = count()
  for (let round = 0; round < 5; round++) await attempts()
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(count() <= before + 2, `${count()} descriptors, ${before} before`)
})
