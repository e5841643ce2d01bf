// Connections that never finish their request cost memory and a descriptor each; node:http's own timeouts are dead in a
// server that only gets 'connection' events, unless they are woken. Each way to be slow must end in time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { connect } from 'node:tls'
import type { ListenOptions } from '../../src/server/listener.js'
import { cert, key } from '../support/certificate.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { serving, servingAll } from '../support/serving.js'
import { delay, SocketClient } from '../support/socketClient.js'

const TIMEOUT = 400
/** For the whole of a request that is no upgrade. */
const REQUEST_TIMEOUT = 1200
/** The coarse timers, and a busy machine. Node's default would take a minute. */
const LATEST = 5000

let port = 0

const server = servingAll(
  {
    handshakeTimeout: TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    message: (connection, message) => connection.send(message),
  },
  () => {
    port = server.address?.port ?? 0
  },
)

/** TLS over a connection that is there. */
async function secured({ socket }: SocketClient): Promise<SocketClient> {
  const over = connect({ socket, rejectUnauthorized: false })
  await once(over, 'secureConnect')
  return new SocketClient(over)
}

/** The milliseconds from now until the server ends the connection. */
async function lifetime(client: SocketClient): Promise<number> {
  const begin = performance.now()
  await client.end(LATEST)
  await client.destroy()
  return performance.now() - begin
}

describe('ended by the handshake timeout, and not before', { concurrency: true }, () => {
  test('a silent connection', async () => {
    const taken = await lifetime(await SocketClient.open(port))
    assert.ok(taken > TIMEOUT - 100, `after ${taken} ms`)
  })

  for (const length of [1, 20, upgradeRequest().length - 1]) {
    test(`a head of which ${length} bytes came`, async () => {
      const client = await SocketClient.open(port)
      client.write(upgradeRequest().slice(0, length))
      const taken = await lifetime(client)
      assert.ok(taken > TIMEOUT - 100, `after ${taken} ms`)
      assert.match(client.text, /^HTTP\/1\.1 408 /)
    })
  }

  test('a head that comes byte by byte', async () => {
    const client = await SocketClient.open(port)
    const trickle = setInterval(() => client.write('a'), 50)
    client.write('GET /')
    const taken = await lifetime(client).finally(() => clearInterval(trickle))
    assert.ok(taken > TIMEOUT - 100, `after ${taken} ms`)
  })

  test('headers that never stop', async () => {
    const client = await SocketClient.open(port)
    let count = 0
    const trickle = setInterval(() => client.write(`X-${count++}: y\r\n`), 50)
    client.write('GET / HTTP/1.1\r\n')
    await lifetime(client).finally(() => clearInterval(trickle))
  })

  test('a body that never comes', async () => {
    const client = await SocketClient.open(port)
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
    await client.response()
    const taken = await lifetime(client)
    assert.ok(taken > REQUEST_TIMEOUT - 100, `after ${taken} ms`)
  })
})

// A request that is handed to node:http by another lane, after TLS or a PROXY header, has what is left of its time.
describe('one time for the whole handshake, whatever it goes through', { concurrency: true }, () => {
  const LONG = 1500
  const listeners: Record<string, ListenOptions> = {
    'in pieces': {},
    'after TLS': { tls: { key, cert } },
    'after a PROXY header': { proxyProtocol: true },
  }
  for (const [name, listen] of Object.entries(listeners)) {
    for (const stage of ['the head', 'upgrade']) {
      test(`${name}: ${stage} comes too late`, async (t) => {
        const patient = await serving(
          t,
          {
            handshakeTimeout: LONG,
            upgrade: () => new Promise<undefined>(() => undefined),
            upgradeFailed: () => undefined,
          },
          listen,
        )
        const begin = performance.now()
        const plain = await SocketClient.open(patient.address?.port ?? 0)
        await delay(LONG / 2)
        if (listen.proxyProtocol === true) plain.write('PROXY UNKNOWN\r\n')
        const client = listen.tls === undefined ? plain : await secured(plain)
        await delay(LONG / 4)
        client.write(stage === 'upgrade' ? upgradeRequest() : 'GET /')
        await client.end(LATEST)
        const taken = performance.now() - begin
        assert.match(client.text, stage === 'upgrade' ? /^HTTP\/1\.1 503 / : /^HTTP\/1\.1 408 /)
        // Half as much again is what a new time for each stage would have taken, at least.
        assert.ok(taken > LONG - 150 && taken < LONG * 1.5, `after ${taken} ms`)
        await client.destroy()
      })
    }
  }
})

describe('not ended', { concurrency: true }, () => {
  test('an upload that takes longer than a handshake may, nor a slow answer to it', async (t) => {
    const web = await serving(t, {
      handshakeTimeout: TIMEOUT,
      request: async (request, response) => {
        let length = 0
        for await (const chunk of request) length += chunk.length
        await delay(TIMEOUT + 600)
        response.end(`stored ${length}`)
      },
    })
    const client = await SocketClient.open(web.address?.port ?? 0)
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n')
    for (let sent = 0; sent < 8; sent++) {
      await delay((TIMEOUT + 600) / 8)
      client.write('x')
    }
    await client.until(() => client.text.endsWith('stored 8'), 'the answer')
    client.write('HEAD / HTTP/1.1\r\nHost: x\r\nExpect: something else\r\n\r\n')
    await client.until(() => client.text.includes('417'), 'the second answer')
    await delay(TIMEOUT + 600)
    assert.equal(client.over, false, 'the connection is kept for the next request')
    await client.destroy()
  })

  test('a connection that waits for its next request, but by keepAliveTimeout', async (t) => {
    const web = await serving(t, { handshakeTimeout: TIMEOUT, keepAliveTimeout: 1000 })
    const client = await SocketClient.open(web.address?.port ?? 0)
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    const { head } = await client.response()
    assert.match(head, /\r\nKeep-Alive: timeout=1\r\n/)
    const taken = await lifetime(client)
    assert.ok(taken > 900, `after ${taken} ms`)
  })

  test('by default for longer than proxies keep theirs', async () => {
    const client = await SocketClient.open(port)
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.match((await client.response()).head, /\r\nKeep-Alive: timeout=65\r\n/)
    await client.destroy()
  })

  test('an upgraded connection that is idle for longer, in either lane', async () => {
    const text = upgradeRequest()
    for (const pieces of [[text], [text.slice(0, 10), text.slice(10)]]) {
      const client = await SocketClient.open(port)
      await client.writePieces(pieces.map((piece) => Buffer.from(piece)))
      await client.response()
      await delay(TIMEOUT + 900)
      client.write(masked(TEXT, 'still here'))
      const [frame] = await client.frames(1)
      assert.equal(frame?.payload.toString(), 'still here')
      await client.destroy()
    }
  })

  test('a slow request that finishes in time', async () => {
    const client = await SocketClient.open(port)
    const text = upgradeRequest()
    await client.writePieces(
      [text.slice(0, 10), text.slice(10, 50), text.slice(50)].map((piece) => Buffer.from(piece)),
      60,
    )
    assert.equal((await client.response()).status, 101)
    await client.destroy()
  })
})

test('0 is no limit', async (t) => {
  const patient = await serving(t, { handshakeTimeout: 0 })
  const silent = await SocketClient.open(patient.address?.port ?? 0)
  const halfway = await SocketClient.open(patient.address?.port ?? 0)
  halfway.write('GET / ')
  await delay(1200)
  assert.deepEqual([silent.over, halfway.over], [false, false])
  await patient.close()
  await silent.end()
  await halfway.end()
  await silent.destroy()
  await halfway.destroy()
})
