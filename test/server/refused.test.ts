// A refused socket that stays open leaks a descriptor, and enough of them stop the whole server. However a peer
// behaves, every connection that is not upgraded must end. Descriptors are counted by the system, on Linux.
import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { createServer } from '../../src/index.js'
import { latin1, requestOf, upgradeRequest } from '../support/httpRequests.js'
import { serving, servingAll } from '../support/serving.js'
import { delay, eventually, openSockets, SocketClient } from '../support/socketClient.js'

const CLIENTS = 20
const CLOSE_TIMEOUT = 300
const linux = process.platform === 'linux'

let port = 0
let baseline = 0

const server = servingAll({ handshakeTimeout: 300, closeTimeout: CLOSE_TIMEOUT }, () => {
  port = server.address?.port ?? 0
  baseline = linux ? openSockets() : 0
})

// What the test before has left must be gone, or it would hide what this one leaves.
beforeEach(async () => {
  if (linux) await eventually(() => openSockets() === baseline, 'only the listening socket is open')
})

/** Connects many clients, lets each behave, and waits until only their own ends are open. */
async function allEnd(behave: (client: SocketClient) => Promise<void> | void): Promise<void> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => SocketClient.open(port)))
  if (linux) await eventually(() => openSockets() === baseline + 2 * CLIENTS, 'every client is accepted')
  await Promise.all(clients.map(behave))
  const own = clients.filter(({ closed }) => !closed).length
  if (linux) await eventually(() => openSockets() <= baseline + own, "the server's descriptors are closed")
  else await Promise.all(clients.map((client) => client.end()))
  await Promise.all(clients.map((client) => client.destroy()))
  if (linux) await eventually(() => openSockets() === baseline, 'all descriptors are closed')
}

const bad: Record<string, string> = {
  'a wrong version': upgradeRequest({ 'Sec-WebSocket-Version': '8' }),
  'a wrong key': upgradeRequest({ 'Sec-WebSocket-Key': 'x' }),
  'a wrong method': upgradeRequest({}, 'POST / HTTP/1.1'),
  'a body': upgradeRequest({ 'Content-Length': '5' }),
  nonsense: 'nonsense\r\n\r\n',
  'a method that nobody handles': requestOf(['Host: x'], 'CONNECT x:1 HTTP/1.1'),
}

for (const [name, text] of Object.entries(bad)) {
  describe(`refused for ${name}, in either lane`, () => {
    test('a peer that never closes', () => allEnd((client) => client.write(text)))

    test('a peer that never closes, in pieces', () =>
      allEnd((client) => client.writePieces([latin1(text.slice(0, 4)), latin1(text.slice(4))])))

    test('a peer that goes on sending', () =>
      allEnd(async (client) => {
        client.write(text)
        for (let sent = 0; sent < 40 && !client.closed; sent++) {
          client.write(Buffer.alloc(16_384, sent))
          await delay(10)
        }
      }))

    test('a peer that half-closes', () =>
      allEnd((client) => {
        client.write(text)
        client.socket.end()
      }))

    test('a peer that resets', () =>
      allEnd(async (client) => {
        client.write(text)
        client.socket.resetAndDestroy()
        await client.until(() => client.closed, 'closed')
      }))
  })
}

describe('connections that never become a request', () => {
  test('a peer that says nothing', () => allEnd(() => undefined))
  test('a peer that stops in the middle', () => allEnd((client) => client.write('GET / HT')))
  test('a peer that half-closes at once', () => allEnd((client) => void client.socket.end()))

  test('a peer that half-closes in the middle', () =>
    allEnd((client) => {
      client.write('GET / HT')
      client.socket.end()
    }))

  test('a peer that resets at once', () =>
    allEnd(async (client) => {
      client.socket.resetAndDestroy()
      await client.until(() => client.closed, 'closed')
    }))
})

test('a refused peer gets the whole answer before the end', async () => {
  const client = await SocketClient.open(port)
  client.write(upgradeRequest({ 'Sec-WebSocket-Version': '8' }))
  await client.end()
  const { status, head, rest } = await client.response()
  assert.equal(status, 426)
  assert.equal(rest.length, Number(/Content-Length: (\d+)/.exec(head)?.[1]))
  assert.equal(client.error, undefined)
  await client.destroy()
})

test('a refused peer that ends is not kept until the close timeout', async (t) => {
  const patient = await serving(t, { closeTimeout: 60_000 })
  for (const sent of ['', 'x'.repeat(300_000)]) {
    const client = await SocketClient.open(patient.address?.port ?? 0)
    client.write(upgradeRequest({ 'Sec-WebSocket-Version': '8' }) + sent)
    await client.end()
    client.socket.end()
    await client.until(() => client.closed, 'both sides have ended')
    assert.equal(client.error, undefined)
  }
  if (linux) await eventually(() => openSockets() === baseline + 1, "the server's descriptors are closed")
})

// Options say that 0 is no limit, and that any whole number is a time.
for (const closeTimeout of [0, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
  test(`with a close timeout of ${closeTimeout}, a refused peer may take its time`, async () => {
    const patient = createServer({ closeTimeout })
    await patient.listen({ host: '127.0.0.1' })
    const client = await SocketClient.open(patient.address?.port ?? 0)
    try {
      client.write(upgradeRequest({ 'Sec-WebSocket-Version': '8' }))
      assert.equal((await client.response()).status, 426)
      // A server that has closed already answers these with a reset.
      for (let count = 0; count < 3; count++) {
        await delay(30)
        client.write('more')
      }
      await delay(30)
      assert.equal(client.error, undefined)
    } finally {
      await client.destroy()
      await patient.close()
    }
  })
}
