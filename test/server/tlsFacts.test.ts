// With client certificates, `upgrade` decides by who it is: the request tells what TLS has found out. And a certificate
// expires while a server runs: the next one takes its place without a restart.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { createServer, type TlsFacts } from '../../src/index.js'
import { cert, key, otherCert, otherKey } from '../support/certificate.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { dialSecurely } from '../support/places.js'
import { serving } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

/** The CN of the certificate that a server shows. */
async function shown(port: number, servername = 'localhost'): Promise<unknown> {
  const client = await dialSecurely({ port, host: '127.0.0.1', servername })
  const name = (client.socket as TLSSocket).getPeerCertificate().subject.CN
  await client.destroy()
  return name
}

describe('request.tls', () => {
  test('tells who the client is, in upgrade and afterwards', async (t) => {
    const seen: (TlsFacts | undefined)[] = []
    const server = createServer<string>({
      upgrade({ tls }) {
        seen.push(tls)
        const name = tls?.authorized === true ? tls.peerCertificate?.subject['CN'] : undefined
        return typeof name === 'string' ? { data: name } : { status: 401 }
      },
      open(connection) {
        seen.push(connection.request.tls)
        connection.send(connection.data)
      },
    })
    t.after(() => server.close())
    const tls = { key, cert, ca: otherCert, requestCert: true, rejectUnauthorized: false }
    await server.listen({ host: '127.0.0.1', tls })
    const port = server.address?.port ?? 0
    const ask = async (options: object): Promise<SocketClient> => {
      const client = await dialSecurely({ port, host: '127.0.0.1', servername: 'localhost', ...options })
      client.write(upgradeRequest())
      return client
    }
    const anna = await ask({ key: otherKey, cert: otherCert, ALPNProtocols: ['http/1.1'] })
    assert.equal(String((await anna.frames(1))[0]?.payload), 'anna')
    assert.equal(seen[0], seen[1])
    assert.equal(seen[0]?.authorizationError, undefined)
    assert.equal(seen[0]?.peerCertificate?.subject['O'], 'Second')
    assert.equal(
      seen[0]?.peerCertificate?.raw.length,
      Buffer.from(otherCert.split('\n').slice(1, -2).join(''), 'base64').length,
    )
    assert.deepEqual(
      [seen[0]?.protocol, seen[0]?.servername, seen[0]?.alpnProtocol],
      ['TLSv1.3', 'localhost', 'http/1.1'],
    )
    assert.match(String(seen[0]?.cipher?.standardName), /^TLS_/)
    // Whoever signs for itself is not authorized, but can be seen.
    const stranger = await ask({ key, cert })
    assert.equal((await stranger.response()).status, 401)
    assert.equal(seen[2]?.authorized, false)
    assert.match(String(seen[2]?.authorizationError), /^[A-Z_]+$/)
    assert.equal(seen[2]?.peerCertificate?.subject['CN'], 'localhost')
    const nobody = await ask({})
    assert.equal((await nobody.response()).status, 401)
    assert.equal(seen[3]?.peerCertificate, undefined)
    await Promise.all([anna, stranger, nobody].map((client) => client.destroy()))
  })

  test('is undefined without TLS', async (t) => {
    for (const publicApi of [false, true]) {
      const seen: unknown[] = []
      const server = await serving(t, { publicApi, upgrade: ({ tls }) => void seen.push(tls) })
      const client = await SocketClient.open(server.address?.port ?? 0)
      client.write(upgradeRequest())
      assert.equal((await client.response()).status, 101)
      assert.deepEqual(seen, [undefined])
      await client.destroy()
    }
  })
})

describe('setSecureContext', () => {
  test('renews the certificate of every listener with TLS; connections go on', async (t) => {
    const server = createServer({ message: (connection, message) => connection.send(message) })
    t.after(() => server.close())
    for (let count = 0; count < 2; count++) await server.listen({ host: '127.0.0.1', tls: { key, cert } })
    await server.listen({ host: '127.0.0.1' })
    const [first = 0, second = 0] = server.addresses.map((one) => (typeof one === 'string' ? 0 : one.port))
    const old = await dialSecurely({ port: first, host: '127.0.0.1' })
    old.write(upgradeRequest())
    assert.equal((await old.response()).status, 101)
    server.setSecureContext({ key: otherKey, cert: otherCert })
    assert.deepEqual([await shown(first), await shown(second)], ['anna', 'anna'])
    old.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    assert.equal(String((await old.frames(1))[0]?.payload), 'hi')
    await old.destroy()
  })

  test('keeps what it is not given: the authorities of client certificates', async (t) => {
    const names: unknown[] = []
    const server = createServer({ upgrade: ({ tls }) => void names.push(tls?.authorized) })
    t.after(() => server.close())
    const tls = { key, cert, ca: otherCert, requestCert: true, rejectUnauthorized: true }
    await server.listen({ host: '127.0.0.1', tls })
    server.setSecureContext({ key: otherKey, cert: otherCert })
    const port = server.address?.port ?? 0
    const client = await dialSecurely({ port, host: '127.0.0.1', key: otherKey, cert: otherCert })
    client.write(upgradeRequest())
    assert.equal((await client.response()).status, 101)
    assert.deepEqual(names, [true])
    await client.destroy()
  })

  test('throws for what it can not use, and changes nothing', async (t) => {
    const server = createServer()
    t.after(() => server.close())
    assert.throws(() => server.setSecureContext({ key, cert }), /listens nowhere with TLS/)
    await server.listen({ host: '127.0.0.1', tls: { key, cert } })
    assert.throws(() => server.setSecureContext({ key, cert: otherCert }), {
      code: 'ERR_OSSL_X509_KEY_VALUES_MISMATCH',
    })
    assert.throws(() => server.setSecureContext({ key: 'nonsense', cert: 'nonsense' }))
    assert.equal(await shown(server.address?.port ?? 0), 'localhost')
  })
})
