// Through an HTTP proxy: what it forwards, and what it refuses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { type ConnectError, connect } from '../../src/client.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

/** A proxy that forwards, or answers with `refusal`; and what it was asked for. */
async function proxy(t: TestContext, refusal?: string, secure = false) {
  const asked: unknown[] = []
  const open = new Set<Duplex>()
  const server = (secure ? createSecureServer({ key, cert }) : createServer()).on(
    'connect',
    ({ url, headers }: IncomingMessage, socket: Duplex) => {
      asked.push(url, headers['proxy-authorization'])
      open.add(socket.on('error', () => undefined))
      if (refusal !== undefined) return socket.end(refusal)
      const [host, port] = String(url).split(':')
      const further = connectTcp(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      open.add(further.on('error', () => socket.destroy()))
      return further.pipe(socket).pipe(further)
    },
  )
  server.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  await once(server, 'listening')
  return { asked, port: (server.address() as AddressInfo).port }
}

/** Whatever a socket is answered, over TLS or not; and its address as that of a proxy. */
async function hostile(t: TestContext, secure: boolean, connected: (socket: Socket) => void): Promise<string> {
  const open = new Set<Socket>()
  const taken = (socket: Socket): void => {
    open.add(socket.on('error', () => undefined).resume())
    connected(socket)
  }
  const server = secure ? createTlsServer({ key, cert }, taken) : createTcpServer(taken)
  server.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  await once(server, 'listening')
  return `${secure ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function failure(through: string, handshakeTimeout: number): Promise<ConnectError> {
  return connect('ws://127.0.0.1:9/', { proxy: through, handshakeTimeout, tls: { ca: cert } }).then(
    () => assert.fail('it should not have opened'),
    (reason: unknown) => reason as ConnectError,
  )
}

for (const [secure, to] of [
  [false, 'http'],
  [true, 'http'],
  [false, 'https'],
  [true, 'https'],
] as const) {
  test(`a connection over ${secure ? 'wss:' : 'ws:'} through an ${to} proxy that asks who it is`, async (t) => {
    const echo = { message: (connection: { send(text: string): unknown }) => void connection.send('got it') }
    const server = await serving(t, echo, secure ? { tls: { key, cert } } : {})
    const { asked, port } = await proxy(t, undefined, to === 'https')
    const answer = new Promise<string>((resolve, reject) => {
      connect(`${secure ? 'wss' : 'ws'}://127.0.0.1:${server.address?.port}/`, {
        proxy: `${to}://ada:secret@127.0.0.1:${port}`,
        tls: { ca: cert },
        message(connection, message) {
          resolve(message.text())
          connection.close()
        },
      }).then((client) => client.send('hello'), reject)
    })
    assert.equal(await answer, 'got it')
    const credentials = `Basic ${Buffer.from('ada:secret').toString('base64')}`
    assert.deepEqual(asked, [`127.0.0.1:${server.address?.port}`, credentials])
  })
}

test('a proxy that refuses, one that is not there, and one that breaks off', async (t) => {
  const refusing = await proxy(t, 'HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
  const breaking = await proxy(t, 'HTTP/1.1 2')
  for (const port of [refusing.port, breaking.port, 1]) {
    const error = await connect('ws://127.0.0.1:9/', {
      proxy: `http://127.0.0.1:${port}`,
      handshakeTimeout: 3000,
    }).then(
      () => assert.fail('it should not have opened'),
      (reason: unknown) => reason as ConnectError,
    )
    assert.ok(['ERR_CONNECT_UNREACHABLE', 'ERR_CONNECT_REFUSED'].includes(error.code), `${port}: ${error.message}`)
  }
})

for (const secure of [false, true]) {
  const over = secure ? ', over TLS' : ''
  test(`a proxy whose answer does not end is given up after 16 KiB${over}`, async (t) => {
    let given = 0
    const endless = await hostile(t, secure, (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = (): void => {
        given += 8192
        if (!socket.destroyed) socket.write(`X: ${'x'.repeat(8187)}\r\n`, () => setImmediate(more))
      }
      more()
    })
    const tooLong = await failure(endless, 5000)
    assert.equal(tooLong.code, 'ERR_CONNECT_UNREACHABLE')
    assert.match(tooLong.message, /the proxy answers with a head of more than 16384 bytes/)
    assert.ok(given < 8 * 1024 * 1024, `${given} bytes`)
  })

  test(`a proxy that gives a byte at a time has as long as handshakeTimeout${over}`, async (t) => {
    const ended = new Promise((resolve) => {
      void hostile(t, secure, (socket) => {
        const answer = [...'HTTP/1.1 200 OK\r\nX: ', ...'x'.repeat(1000)]
        const timer = setInterval(() => socket.write(answer.shift() ?? 'x'), 20)
        socket.once('close', () => {
          clearInterval(timer)
          resolve('the socket has ended, too')
        })
      }).then(async (slow) => assert.equal((await failure(slow, 300)).code, 'ERR_CONNECT_TIMEOUT'))
    })
    assert.ok(await ended)
  })

  test(`a proxy that speaks no HTTP, and one that answers with 1xx${over}`, async (t) => {
    for (const [answer, words] of [
      ['SSH-2.0-OpenSSH_9.2\r\n', /the proxy does not speak HTTP/],
      ['HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(40), /the proxy has answered 103/],
      ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', /has answered 101/],
    ] as const) {
      const error = await failure(await hostile(t, secure, (socket) => void socket.write(answer)), 5000)
      assert.equal(error.code, 'ERR_CONNECT_UNREACHABLE')
      assert.match(error.message, words)
    }
  })
}

test('a proxy whose certificate nobody vouches for is told nothing', async (t) => {
  const { asked, port } = await proxy(t, undefined, true)
  await assert.rejects(connect('ws://127.0.0.1:9/', { proxy: `https://ada:secret@127.0.0.1:${port}` }), {
    code: 'ERR_CONNECT_UNREACHABLE',
  })
  assert.deepEqual(asked, [])
})

test('an address that is none of a proxy, and one whose name can not be decoded', async (t) => {
  await assert.rejects(connect('ws://127.0.0.1:9/', { proxy: 'socks://127.0.0.1:1' }), { code: 'ERR_OPTION_KIND' })
  const { asked, port } = await proxy(t, 'HTTP/1.1 403 No\r\n\r\n')
  await failure(`http://a%:b@127.0.0.1:${port}`, 3000)
  assert.deepEqual(asked, ['127.0.0.1:9', `Basic ${Buffer.from('a%:b').toString('base64')}`])
})

test('any 2xx opens the way, whatever it says of a body', async (t) => {
  const server = await serving(t, {})
  for (const answer of [
    '201 Created',
    '204 No Content',
    '200 OK\r\nContent-Length: 5',
    '299 \r\nTransfer-Encoding: chunked',
  ]) {
    const through = await hostile(t, false, (socket) => {
      const further = connectTcp(server.address?.port ?? 0, '127.0.0.1').on('error', () => undefined)
      socket.on('close', () => further.destroy())
      socket.once('data', () => {
        socket.write(`HTTP/1.1 ${answer}\r\n\r\n`)
        socket.pipe(further).pipe(socket)
      })
    })
    const client = await connect(`ws://127.0.0.1:${server.address?.port}`, { proxy: through })
    client.terminate()
  }
})

test('options of TLS that node:tls refuses are the result of `connect` behind a proxy, too, and not an uncaught exception', async (t) => {
  const through = await hostile(t, false, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n')),
  )
  for (const tls of [{ minVersion: 'TLSv9' as never }, { ciphers: 'none' }]) {
    const errors = await Promise.all(
      [{}, { proxy: through }].map((way) =>
        connect('wss://127.0.0.1:9', { ...way, tls, handshakeTimeout: 5000 }).then(
          () => assert.fail('it should not have opened'),
          (error: NodeJS.ErrnoException) => error.code,
        ),
      ),
    )
    assert.match(errors[0] ?? '', /^ERR_(TLS|SSL)_/)
    assert.equal(errors[1], errors[0])
  }
})
