// The client over HTTP/2: connections to one server share a session, and where a server does not offer it, that is an error
// or HTTP/1.1, as the option says.
import assert from 'node:assert/strict'
import { createServer as createHttp2Server, createSecureServer, type Http2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect } from '../../src/client.js'
import { createServer, type ListenOptions, type ServerOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { deferred } from '../support/everyLane.js'
import { serving } from '../support/serving.js'
import { eventually } from '../support/socketClient.js'

const tls = { ca: cert }
const secure: ListenOptions = { tls: { key, cert } }

/** A server that echoes and counts its TCP connections by their ports. */
async function echoing(t: TestContext, listen: ListenOptions, options: ServerOptions = {}) {
  const server = await serving(
    t,
    { closeTimeout: 200, message: (connection, message) => connection.send(message), ...options },
    listen,
  )
  return { server, url: `${listen.tls === undefined ? 'ws' : 'wss'}://127.0.0.1:${server.port}` }
}

/** Sends, and resolves with what comes back and how it ended. */
async function exchange(url: string, options: Parameters<typeof connect>[1], text: string) {
  const { promise, resolve } = deferred<{ echo: string; code: number }>()
  let echo = ''
  const connection = await connect(url, {
    ...options,
    message(peer, message) {
      echo = message.text()
      peer.close(4001, 'bye')
    },
    close: (_, code) => resolve({ echo, code }),
  })
  connection.send(text)
  return promise
}

const ways: readonly (readonly [string, ListenOptions, 'auto' | boolean, string])[] = [
  ['over TLS', { ...secure, http2: true }, true, '2.0'],
  ['over TLS, if the server offers it', { ...secure, http2: true }, 'auto', '2.0'],
  ['over TLS, where the server does not offer it', secure, 'auto', '1.1'],
  ['without TLS', { http2: 'cleartext' }, true, '2.0'],
  ['without TLS, where nothing can be offered', { http2: 'cleartext' }, 'auto', '1.1'],
]

for (const [name, listen, http2, version] of ways) {
  test(`http2: ${http2} ${name} is HTTP/${version}`, async (t) => {
    const versions: string[] = []
    const statuses: number[] = []
    const { url } = await echoing(t, listen, {
      deflate: true,
      open: ({ request }) => void versions.push(request.httpVersion),
    })
    const upgrade = ({ status }: { readonly status: number }): void => void statuses.push(status)
    const text = 'long'.repeat(50_000)
    assert.deepEqual(await exchange(url, { http2, tls, upgrade, deflate: true }, text), { echo: text, code: 4001 })
    assert.deepEqual([versions, statuses], [[version], [version === '2.0' ? 200 : 101]])
  })
}

test('connections to one server are streams of one session, which ends with the last', async (t) => {
  const sessions = new Set<unknown>()
  const streams: unknown[] = []
  const http2 = createSecureServer({ key, cert, settings: { enableConnectProtocol: true } })
  const server = createServer({ closeTimeout: 200 })
  http2.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  http2.on('stream', (stream, headers) => {
    streams.push(stream)
    server.handleStream(stream, headers)
  })
  const port = await listening(t, http2)
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => connect(`wss://127.0.0.1:${port}/`, { http2: true, tls })),
  )
  assert.deepEqual([sessions.size, streams.length, server.connections.size], [1, 20, 20])
  for (const connection of connections) connection.close()
  await eventually(() => sessions.size === 0, 'the end of the session')
  await connect(`wss://127.0.0.1:${port}/`, { http2: true, tls })
  assert.equal(sessions.size, 1)
  await server.close()
})

test('a stream more than a session may have goes to another session', async (t) => {
  const { server, url } = await echoing(t, { ...secure, http2: true }, { maxStreams: 2 })
  await connect(url, { http2: true, tls })
  await Promise.all([1, 2, 3, 4].map(() => connect(url, { http2: true, tls })))
  assert.equal(server.connections.size, 5)
})

test('a server that does not offer it is an error in words', async (t) => {
  const { url } = await echoing(t, secure)
  const refused = { code: /^ERR_CONNECT_/, message: /does not speak HTTP\/2/ }
  await assert.rejects(connect(url, { http2: true, tls }), refused)
  const plain = await echoing(t, {})
  await assert.rejects(connect(plain.url, { http2: true }), refused)
  const http2 = createHttp2Server()
  const port = await listening(t, http2)
  await assert.rejects(connect(`ws://127.0.0.1:${port}`, { http2: true }), { message: /does not offer WebSockets/ })
  await assert.rejects(connect(url, { http2: true, proxy: 'http://127.0.0.1:1' }), { code: 'ERR_OPTION_CONFLICT' })
})

test('a refusal, a redirect, and an attempt that is given up', async (t) => {
  const { url, server } = await echoing(
    t,
    { http2: 'cleartext' },
    {
      upgrade({ path }) {
        if (path === '/no') return { status: 401, body: 'no' }
        if (path === '/old') return { status: 302, headers: { Location: '/new' } }
        if (path === '/never') return new Promise(() => undefined)
        return undefined
      },
    },
  )
  await assert.rejects(connect(`${url}/no`, { http2: true }), { code: 'ERR_CONNECT_REFUSED', message: /401/ })
  const moved = await connect(`${url}/old`, { http2: true, followRedirects: 1 })
  assert.equal(moved.request.path, '/new')
  await assert.rejects(connect(`${url}/old`, { http2: true }), { code: 'ERR_CONNECT_REFUSED' })
  const never = connect(`${url}/never`, { http2: true, handshakeTimeout: 100 })
  await assert.rejects(never, { code: 'ERR_CONNECT_TIMEOUT' })
  assert.equal(server.connections.size, 1)
})

test('handleStream refuses what is no WebSocket, and what it is given twice', async (t) => {
  const server = createServer({ closeTimeout: 200 })
  const http2 = createHttp2Server({ settings: { enableConnectProtocol: true } })
  const thrown: unknown[] = []
  http2.on('stream', (stream, headers) => {
    server.handleStream(stream, headers, headers[':path'] === '/given' ? { status: 403 } : undefined)
    try {
      server.handleStream(stream, headers)
    } catch (error) {
      thrown.push(Reflect.get(Object(error), 'code'))
    }
  })
  const port = await listening(t, http2)
  await assert.rejects(connect(`ws://127.0.0.1:${port}/given`, { http2: true }), { message: /403/ })
  assert.deepEqual(thrown, ['ERR_UPGRADE_TWICE'])
  assert.throws(() => server.handleStream({} as never, {}), { code: 'ERR_ARGUMENT_KIND' })
  await server.close()
})

async function listening(t: TestContext, http2: Http2Server | ReturnType<typeof createSecureServer>): Promise<number> {
  const sessions = new Set<{ destroy(): void }>()
  http2.on('session', (session) => sessions.add(session))
  t.after(() => {
    for (const session of sessions) session.destroy()
    http2.close()
  })
  await new Promise<void>((resolve) => http2.listen(0, '127.0.0.1', () => resolve()))
  return (http2.address() as AddressInfo).port
}
