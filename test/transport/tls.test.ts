// TLS fails in ways of its own: handshakes that are cut, never finish or are no handshakes, renegotiation, ends without
// close_notify, and options that are wrong. None of them may end the process, or leave anything behind.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, describe, test } from 'node:test'
import {
  type ConnectionOptions,
  createSecureContext,
  type TLSSocket,
  type TlsOptions,
  connect as tlsConnect,
} from 'node:tls'
import { createServer, type ServerOptions } from '../../src/index.js'
import type { Ending } from '../clients/recorder.js'
import { cert, key } from '../support/certificate.js'
import { masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { dialPlainly, Listening, transports } from '../support/places.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually, openSockets, SocketClient } from '../support/socketClient.js'

const options = { timeout: 60_000 }
const linux = process.platform === 'linux'
const place = { name: 'TLS', secure: true, unix: false }
const clients: SocketClient[] = []
let endings: Ending[] = []

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.destroy()))
})
const each = eachTest()
afterEach(() => {
  endings = []
})

async function listen(more: ServerOptions = {}): Promise<{ listening: Listening; port: number; left(): boolean }> {
  const listening = await Listening.start(place, {
    closeTimeout: 500,
    message: (connection, message) => connection.send(message),
    close: (_, code, reason) => endings.push({ code, reason }),
    ...more,
  })
  each.after(() => listening.server.close())
  const baseline = linux ? openSockets() : 0
  return { listening, port: listening.server.address?.port ?? 0, left: () => linux && openSockets() > baseline }
}

function kept(client: SocketClient): SocketClient {
  clients.push(client)
  return client
}

async function opened(listening: Listening, how: ConnectionOptions = {}): Promise<SocketClient> {
  const client = kept(await listening.dial(how))
  client.write(upgradeRequest())
  assert.equal((await client.response()).status, 101)
  return client
}

async function works(listening: Listening): Promise<void> {
  const client = await opened(listening)
  client.write(masked(TEXT, 'still here'))
  const [frame] = await client.frames(1)
  assert.equal(frame?.payload.toString(), 'still here')
  await client.destroy()
}

/** A TLS client, and the socket below it. */
async function above(port: number): Promise<{ raw: SocketClient; client: SocketClient }> {
  const raw = kept(await dialPlainly({ host: '127.0.0.1', port }))
  const socket = tlsConnect({ socket: raw.socket, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  return { raw, client: kept(new SocketClient(socket)) }
}

/** The first bytes of a real TLS handshake. */
async function clientHello(): Promise<Buffer> {
  const { createServer: createNetServer } = await import('node:net')
  const server = createNetServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = tlsConnect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  client.on('error', () => undefined)
  const [socket] = await once(server, 'connection')
  const [bytes] = await once(socket, 'data')
  client.destroy()
  socket.destroy()
  server.close()
  return bytes
}

for (const { transport, publicApi } of transports) {
  describe(`TLS, over ${transport}`, options, () => {
    const cuts: Record<string, (client: SocketClient) => unknown> = {
      destroyed: (client) => client.socket.destroy(),
      reset: (client) => client.socket.resetAndDestroy(),
      'half-closed': (client) => client.socket.end(),
    }
    for (const [how, cut] of Object.entries(cuts)) {
      test(`${how} amid the handshake`, options, async () => {
        const { listening, port, left } = await listen({ publicApi })
        const hello = await clientHello()
        for (const length of [0, 1, 5, 60, hello.length]) {
          const client = kept(await dialPlainly({ host: '127.0.0.1', port }))
          client.write(hello.subarray(0, length))
          await delay(20)
          cut(client)
          if (how === 'half-closed') await client.end()
          await client.destroy()
        }
        await eventually(() => !left(), 'nothing is left')
        await works(listening)
      })
    }

    test('plain HTTP on the TLS port is cut, and nothing else happens', options, async () => {
      const { listening, port, left } = await listen({ publicApi })
      for (const text of [upgradeRequest(), 'GET / HTTP/1.1\r\n\r\n', '\0'.repeat(100)]) {
        const client = kept(await dialPlainly({ host: '127.0.0.1', port }))
        client.write(text)
        await client.end()
        assert.doesNotMatch(client.text, /HTTP/)
        await client.destroy()
      }
      await eventually(() => !left(), 'nothing is left')
      await works(listening)
    })

    test('a handshake that never finishes is ended in time, silent or dripping', options, async () => {
      const { listening, port, left } = await listen({ publicApi, handshakeTimeout: 700 })
      const hello = await clientHello()
      const silent = kept(await dialPlainly({ host: '127.0.0.1', port }))
      const dripping = kept(await dialPlainly({ host: '127.0.0.1', port }))
      const dripped = dripping.writePieces(
        Array.from(hello, (byte) => Buffer.of(byte)),
        100,
      )
      await silent.end(5000)
      await dripping.end(5000)
      await Promise.all([silent.destroy(), dripping.destroy(), dripped])
      await eventually(() => !left(), 'nothing is left')
      await works(listening)
    })

    test('after the handshake, half a request is ended in time', options, async () => {
      const { listening } = await listen({ publicApi, handshakeTimeout: 700 })
      const client = kept(await listening.dial())
      client.write('GET / HTTP/1.1\r\n')
      await client.end(5000)
    })

    for (const [how, cut] of Object.entries(cuts)) {
      test(`${how} amid the request, or amid a frame, above and below TLS`, options, async () => {
        const { listening, port, left } = await listen({ publicApi })
        for (const below of how === 'reset' ? [true] : [true, false]) {
          const early = await above(port)
          early.client.write(upgradeRequest().slice(0, 40))
          await delay(20)
          cut(below ? early.raw : early.client)
          const late = await above(port)
          late.client.write(upgradeRequest())
          await late.client.response()
          late.client.write(masked(TEXT, 'cut').subarray(0, 6))
          await delay(20)
          cut(below ? late.raw : late.client)
          await eventually(() => endings.length > 0, 'the end')
          assert.deepEqual(endings.splice(0), [{ code: 1006, reason: '' }])
          for (const { raw, client } of [early, late]) await Promise.all([raw.destroy(), client.destroy()])
        }
        await eventually(() => !left(), 'nothing is left')
        assert.equal(listening.server.connections.size, 0)
      })
    }

    test('an end without close_notify is the end', options, async () => {
      const { listening, port } = await listen({ publicApi })
      const { raw, client } = await above(port)
      client.write(upgradeRequest())
      await client.response()
      raw.socket.destroy() // a FIN below TLS
      await eventually(() => endings.length > 0, 'the end')
      assert.deepEqual(endings, [{ code: 1006, reason: '' }])
      assert.equal(listening.server.connections.size, 0)
    })

    test('bytes that are no TLS, amid the connection, end it', options, async () => {
      const { listening, port } = await listen({ publicApi })
      const { raw, client } = await above(port)
      client.write(upgradeRequest())
      await client.response()
      raw.write('this is not encrypted, and no record either')
      await eventually(() => endings.length > 0, 'the end')
      assert.deepEqual(endings, [{ code: 1006, reason: '' }])
      raw.socket.destroy()
      await works(listening)
    })

    test('renegotiation, once and in a flood, harms nobody else', options, async () => {
      const { listening, left } = await listen({ publicApi })
      const client = await opened(listening, { maxVersion: 'TLSv1.2' })
      const socket = client.socket as TLSSocket
      // Resolves whether it is refused, is done, or ends the connection.
      const renegotiate = (): Promise<unknown> =>
        new Promise((resolve) => {
          client.socket.once('close', resolve)
          if (socket.renegotiate({ rejectUnauthorized: false }, resolve) !== true) resolve('refused')
        })
      for (let times = 0; times < 8 && !client.closed; times++) {
        await Promise.race([renegotiate(), delay(2000)])
        if (times === 0 && !client.over) {
          client.write(masked(TEXT, 'after it'))
          await client.until(() => client.over || client.text.includes('after it'), 'an echo, or the end')
        }
      }
      await works(listening)
      await client.destroy()
      await eventually(() => listening.server.connections.size === 0, 'the end')
      await eventually(() => !left(), 'nothing is left')
    })

    test('server.close ends handshakes that are under way, at once', options, async () => {
      const { listening, port, left } = await listen({ publicApi, handshakeTimeout: 60_000 })
      const halfway = kept(await dialPlainly({ host: '127.0.0.1', port }))
      halfway.write((await clientHello()).subarray(0, 50))
      const idle = kept(await listening.dial())
      const connected = await opened(listening)
      await delay(50)
      await listening.server.close()
      await Promise.all([halfway.end(2000), idle.end(2000), connected.end(2000)])
      await Promise.all([halfway, idle, connected].map((client) => client.destroy()))
      await eventually(() => !left(), 'nothing is left')
    })
  })
}

describe('the options of TLS', options, () => {
  const wrong: Record<string, [TlsOptions, RegExp]> = {
    none: [{}, /key and a certificate/],
    'a key without a certificate': [{ key }, /key and a certificate/],
    'a certificate without a key': [{ cert }, /key and a certificate/],
    'a key that is none': [{ key: 'x', cert }, /PEM|DECODER|unsupported/i],
    'a certificate that is none': [{ key, cert: 'x' }, /PEM|no start line/i],
    'a version that is none': [{ key, cert, minVersion: 'TLSv9' as 'TLSv1.3' }, /TLS/],
  }
  for (const [name, [tls, message]] of Object.entries(wrong)) {
    test(`${name}: listen rejects`, options, async () => {
      const server = createServer()
      each.after(() => server.close())
      await assert.rejects(server.listen({ host: '127.0.0.1', tls }), { message })
      assert.deepEqual(server.addresses, [])
      await server.listen({ host: '127.0.0.1', tls: { key, cert } }) // and can be told better
    })
  }

  for (const [name, tls] of Object.entries<TlsOptions>({
    'an SNICallback alone': { SNICallback: (_, done) => done(null, createSecureContext({ key, cert })) },
    'an ALPNCallback': { key, cert, ALPNCallback: ({ protocols }) => protocols[0] },
  })) {
    test(`${name} will do`, options, async () => {
      const server = await serving(each, {}, { tls })
      const socket = tlsConnect({
        port: server.address?.port ?? 0,
        servername: 'localhost',
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
      })
      await once(socket, 'secureConnect')
      const client = kept(new SocketClient(socket))
      client.write(latin1(upgradeRequest()))
      assert.equal((await client.response()).status, 101)
    })
  }

  test('ALPN: HTTP/1.1 is agreed on, and HTTP/2 alone is refused', options, async () => {
    const { listening } = await listen()
    const client = await opened(listening, { ALPNProtocols: ['h2', 'http/1.1'] })
    assert.equal((client.socket as TLSSocket).alpnProtocol, 'http/1.1')
    await assert.rejects(listening.dial({ ALPNProtocols: ['h2'] }), /no application protocol|ECONNRESET|alert/i)
  })

  test('clients without a certificate are refused where one is required', options, async () => {
    const server = await serving(each, {}, { tls: { key, cert, ca: cert, requestCert: true } })
    const port = server.address?.port ?? 0
    const ask = async (how: ConnectionOptions): Promise<SocketClient> => {
      const socket = tlsConnect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...how })
      const client = kept(new SocketClient(socket))
      client.write(upgradeRequest())
      await client.until(() => client.text.includes('101') || client.over, 'an answer or the end')
      return client
    }
    assert.equal((await ask({})).text, '')
    assert.match((await ask({ key, cert })).text, /101/)
  })
})
