// A Unix socket is the usual way from a proxy on the same machine. It is a file: it must be found, be refused when it is
// taken, have the rights that were asked for, and be gone afterwards. And it must be as fast as TCP.
import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { createServer, type Server, type ServerOptions } from '../../src/index.js'
import { bindings } from '../../src/internals/node.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { WsClient } from '../clients/wsClient.js'
import { cert, key } from '../support/certificate.js'
import { masked, TEXT } from '../support/frames.js'
import { countHandovers } from '../support/httpHandovers.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { dialPlainly, dialSecurely, freePath, transports } from '../support/places.js'
import { eachTest } from '../support/serving.js'

const options = { timeout: 30_000 }
const skip = process.platform === 'win32' ? 'Windows has pipes instead' : false

const each = eachTest()

function make(more: ServerOptions = {}): Server {
  const server = createServer({
    closeTimeout: 500,
    message: (connection, message) => connection.send(message),
    ...more,
  })
  each.after(() => server.close())
  return server
}

/** How many writes go through the handle, and not through a stream, while `work` runs. */
async function handleWrites(work: () => Promise<void>): Promise<number> {
  const original = HandleTransport.prototype.write
  let writes = 0
  HandleTransport.prototype.write = function (pointer, length) {
    writes++
    return original.call(this, pointer, length)
  }
  await work().finally(() => {
    HandleTransport.prototype.write = original
  })
  return writes
}

describe('a Unix socket', { ...options, skip }, () => {
  test('is served by its handle, in both lanes, and by the public API where that is asked for', options, async () => {
    for (const { publicApi } of transports) {
      const path = freePath()
      await make({ publicApi }).listen({ path })
      for (const inPieces of [false, true]) {
        countHandovers()
        const writes = await handleWrites(async () => {
          const client = await dialPlainly({ path })
          const text = Buffer.from(upgradeRequest())
          await client.writePieces(inPieces ? [text.subarray(0, 20), text.subarray(20)] : [text])
          client.write(masked(TEXT, 'x'))
          await client.frames(1)
          await client.destroy()
        })
        const privately = !publicApi && bindings() !== undefined
        assert.equal(writes > 0, privately, 'writes go through the handle')
        assert.equal(countHandovers() === 0, privately && !inPieces, 'node:http is not needed')
      }
    }
  })

  test('its file is there while the server listens, and gone afterwards', options, async () => {
    const path = freePath()
    const server = make()
    await server.listen({ path })
    assert.deepEqual(server.addresses, [path])
    assert.equal(server.address, undefined)
    assert.ok(statSync(path).isSocket())
    await server.close()
    assert.equal(existsSync(path), false)
    await assert.rejects(dialPlainly({ path }), { code: 'ENOENT' })
  })

  test('a taken path rejects, and whoever has it goes on', options, async () => {
    const path = freePath()
    await make().listen({ path })
    const second = make()
    await assert.rejects(second.listen({ path }), { code: 'EADDRINUSE' })
    await assert.rejects(second.listen({ path, tls: { key, cert } }), { code: 'EADDRINUSE' })
    await second.close()
    const client = await WsClient.open(`ws+unix:${path}:/`)
    client.socket.send('still here')
    assert.equal(await client.messages.next(), 'still here')
    await client.close(1000)
    await make().listen({ path: freePath() })
  })

  test('a path that cannot be rejects', options, async () => {
    await assert.rejects(make().listen({ path: '/nowhere/at/all.sock' }), { code: /ENOENT|EACCES/ })
  })

  test('everybody may connect where that is asked for', options, async () => {
    const [closed, open] = [freePath(), freePath()]
    const server = make()
    await server.listen({ path: closed })
    await server.listen({ path: open, readableAll: true, writableAll: true })
    assert.equal(statSync(open).mode & 0o666, 0o666)
    assert.notEqual(statSync(closed).mode & 0o666, 0o666)
  })
})

describe('several listeners of one server', { ...options, skip }, () => {
  for (const { transport, publicApi } of transports) {
    test(`TCP, TLS and a Unix socket at once, over ${transport}`, options, async () => {
      const path = freePath()
      const secures: boolean[] = []
      const server = make({ publicApi, open: ({ request }) => secures.push(request.secure) })
      await server.listen({ host: '127.0.0.1' })
      await server.listen({ host: '127.0.0.1', tls: { key, cert } })
      await server.listen({ path })
      assert.equal(server.addresses.length, 3)
      const ports = server.addresses.flatMap((address) => (typeof address === 'string' ? [] : [address.port]))
      const clients = await Promise.all([
        dialPlainly({ host: '127.0.0.1', port: ports[0] ?? 0 }),
        dialSecurely({ host: '127.0.0.1', port: ports[1] ?? 0 }),
        dialPlainly({ path }),
      ])
      for (const [at, client] of clients.entries()) {
        client.write(upgradeRequest())
        client.write(masked(TEXT, `client ${at}`))
        const [frame] = await client.frames(1)
        assert.equal(frame?.payload.toString(), `client ${at}`)
      }
      assert.deepEqual(secures, [false, true, false])
      assert.equal(server.connections.size, 3)
      await server.close()
      assert.deepEqual(server.addresses, [])
      for (const client of clients) {
        await client.end()
        await client.destroy()
      }
      for (const port of ports) {
        const code = await new Promise((resolve) => {
          connect(port, '127.0.0.1').on('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        })
        assert.equal(code, 'ECONNREFUSED')
      }
    })
  }

  test('one that fails leaves the others alone', options, async () => {
    const server = make()
    await server.listen({ host: '127.0.0.1' })
    await assert.rejects(server.listen({ host: '127.0.0.1', port: server.address?.port ?? 0 }), { code: 'EADDRINUSE' })
    await assert.rejects(server.listen({ host: '127.0.0.1', tls: {} }), TypeError)
    assert.equal(server.addresses.length, 1)
    const client = await WsClient.open(`ws://127.0.0.1:${server.address?.port}`)
    await client.close(1000)
  })
})
