// Redirects are followed only where that is asked for, and credentials stay with the origin that they are meant for.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import { type ClientOptions, type ConnectError, connect } from '../../src/client.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

/** A server that redirects every request to where `target` says, and what it was sent. */
async function redirecting(t: TestContext, target: (path: string) => string) {
  const heads: IncomingHttpHeaders[] = []
  const server = createServer().on('upgrade', (request, socket) => {
    heads.push(request.headers)
    socket.end(`HTTP/1.1 302 Found\r\nLocation: ${target(request.url ?? '')}\r\n\r\n`)
  })
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { heads, port, url: `ws://127.0.0.1:${port}` }
}

/** A server that says what it was asked with, and its port. */
async function destination(t: TestContext) {
  const seen: (string | undefined)[] = []
  const server = await serving(t, {
    upgrade({ headers, target }) {
      seen.push(target, headers['authorization'], headers['cookie'], headers['x-api-key'], headers['x-plain'])
    },
    message: () => undefined,
  })
  return { seen, port: server.address?.port }
}

const secrets: ClientOptions = {
  headers: { Authorization: 'Bearer 1', 'X-Api-Key': '2', 'X-Plain': '3' },
  cookies: { session: '4' },
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => assert.fail('it should not have opened'),
    (reason: unknown) => reason as ConnectError,
  )
  return error.code
}

test('a redirect to another origin is followed without credentials', async (t) => {
  const { seen, port } = await destination(t)
  const from = await redirecting(t, () => `http://127.0.0.1:${port}/there?x=1`)
  const client = await connect(`ws://ada:secret@127.0.0.1:${from.port}/here`, { ...secrets, followRedirects: 1 })
  client.terminate()
  assert.deepEqual(seen, ['/there?x=1', undefined, undefined, undefined, '3'])
  assert.equal(from.heads[0]?.cookie, 'session=4')
})

test('a name and a password in the Location of a server are not sent', async (t) => {
  const { seen, port } = await destination(t)
  const from = await redirecting(t, () => `ws://eve:evil@127.0.0.1:${port}/`)
  const client = await connect(from.url, { followRedirects: 1 })
  client.terminate()
  assert.equal(seen[1], undefined)
})

test('a redirect within the origin keeps credentials, and a path may be relative', async (t) => {
  let asked = 0
  const from = await redirecting(t, () => (asked++ === 0 ? 'other' : '/end'))
  assert.equal(await codeOf(connect(`${from.url}/a/b`, { ...secrets, followRedirects: 1 })), 'ERR_CONNECT_REDIRECT')
  assert.deepEqual(
    from.heads.map(({ authorization, cookie }) => [authorization, cookie]),
    [
      ['Bearer 1', 'session=4'],
      ['Bearer 1', 'session=4'],
    ],
  )
})

test('a circle ends after as many redirects as are allowed', async (t) => {
  const from = await redirecting(t, (path) => path)
  assert.equal(await codeOf(connect(from.url, { followRedirects: 5 })), 'ERR_CONNECT_REDIRECT')
  assert.equal(from.heads.length, 6)
})

for (const target of ['ftp://x/', 'ws://', 'ws://x/#part', 'javascript:1']) {
  test(`a redirect to ${target} is refused`, async (t) => {
    const from = await redirecting(t, () => target)
    assert.equal(await codeOf(connect(from.url, { followRedirects: 3 })), 'ERR_CONNECT_REDIRECT')
  })
}

test('nothing leads from wss: to ws:', async (t) => {
  const { cert, key } = await import('../support/certificate.js')
  const { createServer: createSecure } = await import('node:https')
  const { port } = await destination(t)
  const server = createSecure({ cert, key }).on('upgrade', (_, socket) =>
    socket.end(`HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${port}/\r\n\r\n`),
  )
  server.listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port: from } = server.address() as AddressInfo
  const attempt = connect(`wss://127.0.0.1:${from}`, { tls: { ca: cert }, followRedirects: 3 })
  assert.equal(await codeOf(attempt), 'ERR_CONNECT_REDIRECT')
})

test('a client certificate is not shown to another origin, and the name that is asked for there is its own', async (t) => {
  const seen: unknown[] = []
  const serve = async (answer: () => string): Promise<number> => {
    const server = createTlsServer({ key, cert, requestCert: true, rejectUnauthorized: false }, (socket: TLSSocket) => {
      socket.on('error', () => undefined)
      seen.push(socket.getPeerCertificate().fingerprint256 === undefined ? 'nobody' : 'somebody', socket.servername)
      socket.once('data', () => socket.end(answer()))
    })
    server.listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  const last = await serve(() => 'HTTP/1.1 403 Forbidden\r\n\r\n')
  const first = await serve(() => `HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1:${last}/\r\n\r\n`)
  const tls = { key, cert, ca: cert, servername: 'localhost' }
  assert.equal(await codeOf(connect(`wss://127.0.0.1:${first}/`, { tls, followRedirects: 1 })), 'ERR_CONNECT_REFUSED')
  assert.deepEqual(seen, ['somebody', 'localhost', 'nobody', false])
})
