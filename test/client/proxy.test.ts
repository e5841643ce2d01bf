// Through an HTTP proxy: what it forwards, and what it refuses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type ConnectError, connect } from '../../src/client.js'
import { tcpServer } from '../load/peers.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

/** A proxy that forwards, or answers with `refusal`; and what it was asked for. */
async function proxy(t: TestContext, refusal?: string) {
  const asked: unknown[] = []
  const open = new Set<Duplex>()
  const server = createServer().on('connect', ({ url, headers }, socket) => {
    asked.push(url, headers['proxy-authorization'])
    open.add(socket.on('error', () => undefined))
    if (refusal !== undefined) return socket.end(refusal)
    const [host, port] = String(url).split(':')
    const further = connectTcp(Number(port), host, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
    open.add(further.on('error', () => socket.destroy()))
    return further.pipe(socket).pipe(further)
  })
  server.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  await once(server, 'listening')
  return { asked, port: (server.address() as AddressInfo).port }
}

for (const secure of [false, true]) {
  test(`a connection over ${secure ? 'wss:' : 'ws:'} through a proxy that asks who it is`, async (t) => {
    const echo = { message: (connection: { send(text: string): unknown }) => void connection.send('got it') }
    const server = await serving(t, echo, secure ? { tls: { key, cert } } : {})
    const { asked, port } = await proxy(t)
    const answer = new Promise<string>((resolve, reject) => {
      connect(`${secure ? 'wss' : 'ws'}://127.0.0.1:${server.address?.port}/`, {
        proxy: `http://ada:secret@127.0.0.1:${port}`,
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

test('a proxy whose answer does not end, and one that gives a byte at a time, are given up', async (t) => {
  let taken = 0
  const endless = await tcpServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const more = (): void => {
      taken += 8192
      if (!socket.destroyed) socket.write(`X: ${'x'.repeat(8187)}\r\n`, () => setImmediate(more))
    }
    more()
  })
  const slow = await tcpServer(t, (socket) => {
    const timer = setInterval(() => socket.write('H'), 20)
    socket.once('close', () => clearInterval(timer))
  })
  const failure = (proxy: string, handshakeTimeout: number): Promise<ConnectError> =>
    connect('ws://127.0.0.1:9/', { proxy: proxy.replace('ws:', 'http:'), handshakeTimeout }).then(
      () => assert.fail('it should not have opened'),
      (reason: unknown) => reason as ConnectError,
    )
  const tooLong = await failure(endless, 5000)
  assert.equal(tooLong.code, 'ERR_CONNECT_UNREACHABLE')
  assert.match(tooLong.message, /the proxy answers with a head of more than 16384 bytes/)
  assert.ok(taken < 8 * 1024 * 1024, `${taken} bytes`)
  assert.equal((await failure(slow, 150)).code, 'ERR_CONNECT_TIMEOUT')
})
