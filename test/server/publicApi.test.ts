// Where Node's private API is missing, the same server works with the public one: net.Server, node:http and Duplex.
// This file runs all of it that way, by the switch that exists for this.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bindings } from '../../src/internals/node.js'
import { BINARY, CLOSE, close, masked, TEXT } from '../support/frames.js'
import { countHandovers } from '../support/httpHandovers.js'
import { latin1, requestOf, SAMPLE_ACCEPT, upgradeRequest } from '../support/httpRequests.js'
import { serving, servingAll } from '../support/serving.js'
import { delay, eventually, isKeptAlive, openSockets, SocketClient } from '../support/socketClient.js'

// The detection runs on first use, so this comes in time.
process.env['MILLRACE_PUBLIC_API'] = '1'

const TIMEOUT = 600
const linux = process.platform === 'linux'
let port = 0
let baseline = 0

const server = servingAll(
  {
    handshakeTimeout: TIMEOUT,
    closeTimeout: 300,
    message: (connection, message) => connection.send(message),
  },
  () => {
    port = server.address?.port ?? 0
    baseline = linux ? openSockets() : 0
  },
)

test('the private API is not used', () => assert.equal(bindings(), undefined))

describe('the handshake', () => {
  test('whole and in pieces, through node:http', async () => {
    const text = upgradeRequest()
    for (const pieces of [[text], [text.slice(0, 20), text.slice(20)]]) {
      countHandovers()
      const client = await SocketClient.open(port)
      await client.writePieces(pieces.map(latin1))
      const { status, head } = await client.response()
      assert.equal(status, 101)
      assert.ok(head.includes(SAMPLE_ACCEPT))
      assert.equal(countHandovers(), 1)
      await client.destroy()
    }
  })

  for (const length of [5, 65_536, 300 * 1024, 1024 * 1024]) {
    test(`a frame of ${length} bytes in the same write`, async () => {
      const payload = Buffer.alloc(length, 'pattern of eleven')
      const bytes = Buffer.concat([latin1(upgradeRequest()), masked(BINARY, payload)])
      const client = await SocketClient.open(port)
      client.write(bytes)
      const [frame] = await client.frames(1)
      assert.ok(frame?.payload.equals(payload))
      await client.destroy()
    })
  }

  test('30,000 tiny frames in the same write', async () => {
    const texts = Array.from({ length: 30_000 }, (_, at) => String(at))
    const bytes = Buffer.concat([latin1(upgradeRequest()), ...texts.map((text) => masked(TEXT, text))])
    const client = await SocketClient.open(port)
    client.write(bytes)
    const frames = await client.frames(texts.length)
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString()),
      texts,
    )
    await client.destroy()
  })

  test('plain requests are answered', async () => {
    const client = await SocketClient.open(port)
    client.write(requestOf(['Host: x']) + requestOf(['Host: x']))
    await client.until(() => client.text.split('HTTP/1.1 426').length === 3, 'two answers')
    await client.destroy()
  })
})

describe('the end', () => {
  test('of a silent connection, and of half a request, comes in time', async () => {
    const clients = await Promise.all([SocketClient.open(port), SocketClient.open(port)])
    clients[1]?.write('GET / ')
    for (const client of clients) {
      await client.end(5000)
      await client.destroy()
    }
  })

  test('of refused peers that never close comes in time', async () => {
    if (linux) await eventually(() => openSockets() === baseline, 'only the listening socket is open')
    const clients = await Promise.all(Array.from({ length: 10 }, () => SocketClient.open(port)))
    for (const client of clients) client.write(upgradeRequest({ 'Sec-WebSocket-Version': '8' }))
    await Promise.all(clients.map((client) => client.end()))
    if (linux) await eventually(() => openSockets() === baseline + 10, "the server's descriptors are closed")
    await Promise.all(clients.map((client) => client.destroy()))
  })

  test('of a connection: the closing handshake, and a reset', async () => {
    const clients = await Promise.all([SocketClient.open(port), SocketClient.open(port)])
    for (const client of clients) {
      client.write(upgradeRequest())
      await client.response()
    }
    const [polite, rude] = clients
    await eventually(() => server.connections.size === 2, 'both are counted')
    polite?.write(close(1000))
    const frames = await polite?.frames(1)
    assert.equal(frames?.[0]?.opcode, CLOSE)
    polite?.socket.end()
    rude?.socket.resetAndDestroy()
    await eventually(() => server.connections.size === 0, 'both have ended')
    await Promise.all(clients.map((client) => client.destroy()))
  })

  test('of the server: close resolves with peers open', async (t) => {
    const closing = await serving(t, { closeTimeout: 300 })
    const clients = await Promise.all([0, 1, 2].map(() => SocketClient.open(closing.address?.port ?? 0)))
    clients[0]?.write(upgradeRequest())
    await clients[0]?.response()
    clients[1]?.write('GET / ')
    await delay(30)
    await closing.close()
    for (const client of clients) {
      await client.end()
      await client.destroy()
    }
  })
})

test('peers that vanish are noticed by the system, as with the private API', {
  skip: process.platform === 'linux' ? false : 'looks into /proc',
}, async () => {
  const client = await SocketClient.open(port)
  client.write(upgradeRequest())
  await client.response()
  await delay(50)
  assert.equal(isKeptAlive(port, client.socket.localPort ?? 0), true)
  await client.destroy()
})

test('a slow reader gets every byte', async () => {
  const client = await SocketClient.open(port)
  client.write(upgradeRequest())
  await client.response()
  client.socket.pause()
  const payloads = Array.from({ length: 40 }, (_, at) => Buffer.alloc(100_000, at))
  for (const payload of payloads) client.write(masked(BINARY, payload))
  await delay(200)
  client.socket.resume()
  const frames = await client.frames(payloads.length)
  for (const [at, payload] of payloads.entries()) assert.ok(frames[at]?.payload.equals(payload), `message ${at}`)
  await client.destroy()
})
