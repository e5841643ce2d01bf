// Thousands of peers that begin a handshake and never finish it: each may cost a descriptor and a little memory until the
// handshake timeout, and nothing after it. Meanwhile the others must be served.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { effort } from '../support/effort.js'
import { inEveryLane } from '../support/everyLane.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { LimitedServer } from '../support/limitedServer.js'
import { delay, SocketClient } from '../support/socketClient.js'

const COUNT = effort({ quick: 600, full: 10_000 })
const AT_ONCE = 200
const TIMEOUT = effort({ quick: 2500, full: 15_000 })
const linux = process.platform === 'linux'

/** What the peers have sent when they stop: in the first lane nothing, in the second a part of a request. */
const beginnings = ['', 'GET / HTTP/1.1\r\nHost: x\r\n']

async function open(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined).unref()
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket.resume()
}

describe('half-open handshakes', { skip: linux ? false : 'needs many descriptors' }, () => {
  for (const publicApi of [false, true]) {
    test(`${COUNT} at once (${publicApi ? 'public API' : 'handles'})`, { timeout: 240_000 }, async (t) => {
      const server = await LimitedServer.start(0, { publicApi, handshakeTimeout: TIMEOUT, closeTimeout: 500 })
      t.after(() => server.kill())
      const before = await server.usage()
      const sockets: Socket[] = []
      for (let at = 0; at < COUNT; at += AT_ONCE) {
        const some = Array.from({ length: AT_ONCE }, (_, index) => open(server.port, beginnings[index % 2] ?? ''))
        sockets.push(...(await Promise.all(some)))
      }
      const during = await server.usage()
      const begin = performance.now()
      const client = await SocketClient.open(server.port)
      client.write(upgradeRequest())
      client.write(masked(TEXT, 'hi'))
      await client.frames(1, 10_000)
      assert.ok(performance.now() - begin < 10_000)
      await client.destroy()
      const each = (during.rss - before.rss) / COUNT
      assert.ok(each < 30_000, `${each} bytes for each`)
      let left = during
      for (let tries = 0; tries < 150 && left.descriptors > before.descriptors; tries++) {
        await delay(200)
        left = await server.usage()
      }
      assert.ok(left.descriptors <= before.descriptors, 'the timeout has ended all')
      assert.equal(left.connections, 0)
      assert.deepEqual(left.warnings, [])
      for (const socket of sockets) socket.destroy()
      assert.equal(await server.close(), 0)
    })
  }
})

describe('slow headers', () => {
  inEveryLane('one byte each 50 ms are cut off by the handshake timeout', async (trial) => {
    let asked = 0
    await trial.serve({ handshakeTimeout: 500, closeTimeout: 300, upgrade: () => void asked++ })
    const client = await trial.connect()
    const text = upgradeRequest()
    const begin = performance.now()
    let at = 0
    const trickle = setInterval(() => client.write(text[at++] ?? ''), 50)
    await client.end(6000).finally(() => clearInterval(trickle))
    const taken = performance.now() - begin
    assert.ok(taken > 400 && taken < 5000, `after ${taken} ms`)
    assert.match(client.text, /^HTTP\/1\.1 408 [\s\S]*handshakeTimeout is 500 ms$/)
    assert.equal(asked, 0)
  })

  inEveryLane('that come in time are served', async (trial) => {
    await trial.serve({ handshakeTimeout: 20_000 })
    const client = await trial.connect()
    await client.writePieces(
      [...upgradeRequest()].map((letter) => Buffer.from(letter)),
      1,
    )
    assert.equal((await client.response()).status, 101)
  })
})
