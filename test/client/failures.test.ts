// Every way in which a connection can't be opened ends in one error that says so, at once or in time, and leaves nothing open.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { type ClientOptions, type ConnectError, connect } from '../../src/client.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { tcpServer } from '../load/peers.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

const UPGRADE = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
const ACCEPT = `${UPGRADE}Sec-WebSocket-Accept: ACCEPT\r\n`

/** A server that answers every request with these bytes, in which ACCEPT stands for the right value. */
function answering(t: TestContext, response: string): Promise<string> {
  return tcpServer(t, (socket) => {
    socket.once('data', (head) => {
      const [, asked = ''] = /sec-websocket-key: (\S+)/i.exec(String(head)) ?? []
      socket.write(response.replace('ACCEPT', acceptKey(asked)))
    })
  })
}

/** The error with which an attempt fails. */
async function failure(url: string | URL, options: ClientOptions = {}): Promise<ConnectError> {
  const opened = await connect(url, { handshakeTimeout: 5000, ...options }).catch((error: unknown) => error)
  assert.ok(opened instanceof Error, 'it should not have opened')
  return opened as ConnectError
}

describe('an answer that is wrong', () => {
  for (const [name, response, code, words] of [
    ['403', 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno', 'REFUSED', 'refused: 403'],
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno', 'REFUSED', 'refused: 200'],
    ['a redirect', 'HTTP/1.1 302 Found\r\nLocation: /there\r\n\r\n', 'REFUSED', 'refused: 302 Found (to /there)'],
    ['a wrong accept', `${UPGRADE}Sec-WebSocket-Accept: x\r\n\r\n`, 'ANSWER', 'a wrong Sec-WebSocket-Accept'],
    ['no accept', `${UPGRADE}\r\n`, 'ANSWER', 'a wrong Sec-WebSocket-Accept'],
    ['h2c', 'HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n', 'ANSWER', 'something else than websocket'],
    [
      'an extension',
      `${ACCEPT}Sec-WebSocket-Extensions: x\r\n\r\n`,
      'ANSWER',
      'an extension that was not asked for: x',
    ],
    [
      'permessage-deflate that was not offered',
      `${ACCEPT}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n`,
      'ANSWER',
      'an extension that was not asked for',
    ],
    [
      'a subprotocol',
      `${ACCEPT}Sec-WebSocket-Protocol: x\r\n\r\n`,
      'ANSWER',
      'a subprotocol that was not asked for: x',
    ],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n', 'ANSWER', 'does not speak HTTP'],
    ['a gigantic head', `${ACCEPT}X: ${'x'.repeat(70_000)}\r\n\r\n`, 'ANSWER', 'a head of more than 16384 bytes'],
    ['1xx without end', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100), 'ANSWER', 'interim responses without end'],
    ['controls for the terminal', 'HTTP/1.1 302 Found\r\nLocation: \u009b31m\r\n\r\n', 'REFUSED', '\\u{'],
  ] as const) {
    test(name, async (t) => {
      const error = await failure(await answering(t, response))
      assert.equal(error.code, `ERR_CONNECT_${code}`)
      assert.ok(error.message.includes(words), error.message)
      assert.ok(!error.message.includes('\n'))
    })
  }

  for (const answer of [
    'permessage-deflate; foo',
    'permessage-deflate; server_max_window_bits=16',
    'permessage-deflate; server_max_window_bits',
    'permessage-deflate; client_max_window_bits=7',
    'permessage-deflate, permessage-deflate',
    'permessage-deflate; server_no_context_takeover; server_no_context_takeover',
    'x-other',
  ]) {
    test(`to an offer of compression: ${answer}`, async (t) => {
      const url = await answering(t, `${ACCEPT}Sec-WebSocket-Extensions: ${answer}\r\n\r\n`)
      assert.equal((await failure(url, { deflate: true })).code, 'ERR_CONNECT_ANSWER')
    })
  }

  test('what the server has said comes with the error', async (t) => {
    const url = await answering(t, 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n')
    const { response } = await failure(url)
    assert.deepEqual([response?.status, response?.headers['www-authenticate']], [401, 'Basic'])
  })
})

describe('a server that can not be reached', () => {
  test('nobody listens, no such host, no such socket', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    await once(server, 'close')
    const port = typeof address === 'object' ? address?.port : 0
    const lookup: ClientOptions['lookup'] = (_host, _options, done) =>
      done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), '', 4)
    for (const [url, options, words] of [
      [`ws://127.0.0.1:${port}`, {}, 'nobody listens there'],
      ['ws://name.test', { lookup }, 'no such host'],
      ['ws://x', { unix: '/nowhere/socket' }, 'there is no such socket'],
    ] as const) {
      const error = await failure(url, options)
      assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
      assert.ok(error.message.includes(words), error.message)
      assert.ok(error.cause instanceof Error)
    }
  })

  test('a server that is reset or ended at every stage of the handshake', async (t) => {
    const stages: ((socket: Socket) => void)[] = [
      (socket) => socket.destroy(),
      (socket) => socket.resetAndDestroy(),
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
      (socket) => socket.once('data', () => socket.end()),
      (socket) => socket.once('data', () => socket.write(UPGRADE, () => socket.destroy())),
      (socket) => socket.once('data', () => socket.write('HTTP/1.1 ', () => socket.resetAndDestroy())),
    ]
    for (const stage of stages) {
      const { code } = await failure(await tcpServer(t, stage))
      assert.equal(code, 'ERR_CONNECT_UNREACHABLE')
    }
  })

  test('a silent server, and one that sends a byte at a time, have as long as handshakeTimeout', async (t) => {
    const slowly = (socket: Socket): void => {
      const timer = setInterval(() => socket.write('H'), 20)
      socket.once('close', () => clearInterval(timer))
    }
    for (const behave of [() => undefined, slowly]) {
      const error = await failure(await tcpServer(t, behave), { handshakeTimeout: 150 })
      assert.ok(['ERR_CONNECT_TIMEOUT', 'ERR_CONNECT_ANSWER'].includes(error.code), error.code)
    }
  })
})

describe('TLS', () => {
  const rejected = async (t: TestContext, pem: { key: string; cert: string }, options: ClientOptions) => {
    const server = createTlsServer(pem, (socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1')
    server.on('tlsClientError', () => undefined)
    t.after(() => server.close())
    await once(server, 'listening')
    const address = server.address()
    return failure(`wss://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, options)
  }

  test('a certificate that nobody vouches for, and one for another name', async (t) => {
    const unknown = await rejected(t, { key, cert }, {})
    const otherName = await rejected(t, { key, cert }, { tls: { ca: cert, servername: 'other.test' } })
    assert.match(unknown.message, /nobody vouches for/)
    assert.match(otherName.message, /for another name/)
    assert.deepEqual([unknown.code, otherName.code], ['ERR_CONNECT_UNREACHABLE', 'ERR_CONNECT_UNREACHABLE'])
  })

  test('a server that does not speak it', async (t) => {
    const server = await serving(t, { message: () => undefined })
    const { message } = await failure(`wss://127.0.0.1:${server.address?.port}`)
    assert.match(message, /does not speak TLS: try ws:/)
  })
})

describe('abort', () => {
  test('before, and at every stage', async (t) => {
    const reason = new Error('changed my mind')
    const before = await failure('ws://127.0.0.1:1', { signal: AbortSignal.abort(reason) })
    assert.equal(before, reason)
    for (const delay of [0, 5, 50]) {
      const stop = new AbortController()
      setTimeout(() => stop.abort(reason), delay)
      const url = await tcpServer(t, () => undefined)
      assert.equal(await failure(url, { signal: stop.signal }), reason)
    }
  })

  test('an open connection is not ended by it', async (t) => {
    const server = await serving(t, { message: () => undefined })
    const stop = new AbortController()
    const client = await connect(`ws://127.0.0.1:${server.address?.port}`, { signal: stop.signal })
    stop.abort()
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(client.isOpen, true)
    client.terminate()
  })
})

describe('what the caller does wrong', () => {
  for (const [given, options, code] of [
    ['not an address', {}, 'ERR_CONNECT_ADDRESS'],
    ['ftp://example.com', {}, 'ERR_CONNECT_ADDRESS'],
    ['ws://example.com/#part', {}, 'ERR_CONNECT_ADDRESS'],
    [7, {}, 'ERR_CONNECT_ADDRESS'],
    ['ws://x', { headers: { Host: 'y' } }, 'ERR_HEADER'],
    ['ws://x', { headers: { 'Sec-WebSocket-Key': 'y' } }, 'ERR_HEADER'],
    ['ws://x', { headers: { 'Sec-WebSocket-Extensions': 'y' } }, 'ERR_HEADER'],
    ['ws://x', { headers: { A: 'b\r\nC: d' } }, 'ERR_HEADER'],
    ['ws://x', { cookies: { a: 'b; c=d' } }, 'ERR_HEADER'],
    ['ws://x', { protocols: ['a b'] }, 'ERR_OPTION_KIND'],
    ['ws://x', { proxy: 'socks5://x' }, 'ERR_OPTION_KIND'],
    ['ws://x', { onmessage() {} }, 'ERR_OPTION_UNKNOWN'],
    ['ws://x', { followRedirects: -1 }, 'ERR_OPTION_RANGE'],
    ['ws://x', { origin: 'a\r\nB: c' }, 'ERR_HEADER'],
  ] as const) {
    test(`${String(given)} ${JSON.stringify(options)}`, async () => {
      const error = await failure(given as string, options as ClientOptions)
      assert.equal(error.code, code, error.message)
    })
  }

  test('an `upgrade` that throws gives up the connection, and its error is the result', async (t) => {
    const reason = new Error('not this one')
    const ended = new Promise<number>((resolve) => {
      void serving(t, { close: (_, code) => resolve(code) }).then(async (server) => {
        const upgrade = (): never => {
          throw reason
        }
        assert.equal(await failure(`ws://127.0.0.1:${server.address?.port}`, { upgrade }), reason)
      })
    })
    assert.equal(await ended, 1006)
  })
})

test('no descriptor is left behind', { skip: process.platform !== 'linux' }, async (t) => {
  const count = (): number => readdirSync('/proc/self/fd').length
  const silent = await tcpServer(t, (socket) => socket.resume())
  const wrong = await answering(t, `${UPGRADE}\r\n`)
  const refusing = await answering(t, 'HTTP/1.1 403 No\r\n\r\n')
  const attempts = async (): Promise<void> => {
    await Promise.all([
      failure(silent, { handshakeTimeout: 20 }),
      failure(wrong),
      failure(refusing),
      failure(silent, { signal: AbortSignal.timeout(5) }),
    ])
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await attempts()
  const before = count()
  for (let i = 0; i < 10; i++) await attempts()
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.ok(count() <= before + 2, `${count()} descriptors, ${before} before`)
})
