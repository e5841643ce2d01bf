// Connections that never finish their request cost memory and a descriptor each; node:http's own timeouts are dead in a
// server that only gets 'connection' events, unless they are woken. Each way to be slow must end in time.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createServer, type Server } from '../../src/server/server.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, SocketClient } from '../support/socketClient.js'
import { masked, TEXT } from '../support/wire.js'

const TIMEOUT = 400
/** The coarse timers, and a busy machine. Node's default would take a minute. */
const LATEST = 5000

let server: Server
let port = 0

before(async () => {
  server = createServer({ handshakeTimeout: TIMEOUT, message: (connection, message) => connection.send(message) })
  await server.listen({ host: '127.0.0.1' })
  port = server.address?.port ?? 0
})

after(() => server.close())

/** The milliseconds from now until the server ends the connection. */
async function lifetime(client: SocketClient): Promise<number> {
  const begin = performance.now()
  await client.end(LATEST)
  await client.destroy()
  return performance.now() - begin
}

describe('ended by the handshake timeout, and not before', () => {
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
    await lifetime(client)
  })
})

describe('not ended', () => {
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
  const patient = createServer({ handshakeTimeout: 0 })
  t.after(() => patient.close())
  await patient.listen({ host: '127.0.0.1' })
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
