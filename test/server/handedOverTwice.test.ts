// Two libraries with listeners on one HTTP server, or one with two, hand the same socket over twice. Two connections over it would
// talk into each other: the client would see what is no frame, and nobody why.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

type Upgrade = [request: IncomingMessage, socket: Duplex, head: Buffer]

for (const { transport, publicApi } of transports) {
  describe(`handed over twice, over ${transport}`, () => {
    /** A server that echoes, and notes what happens. */
    function echoing(t: TestContext, told: string[], upgrade = (): unknown => undefined): Server {
      const server = createServer<unknown>({
        publicApi,
        closeTimeout: 500,
        upgrade: upgrade as () => undefined,
        open: () => void told.push('open'),
        message: (connection, message) => void connection.send(message),
        close: (_, code) => void told.push(`close ${code}`),
        error: (_, error) => void told.push(String(error)),
      })
      t.after(() => server.close())
      return server
    }

    async function dial(t: TestContext, upgraded: (...upgrade: Upgrade) => void): Promise<SocketClient> {
      const http = createHttpServer()
      http.on('upgrade', upgraded)
      await once(http.listen(0, '127.0.0.1'), 'listening')
      const client = await SocketClient.open((http.address() as AddressInfo).port)
      t.after(() => client.destroy())
      t.after(() => http.close())
      client.write(upgradeRequest())
      return client
    }

    const again = (server: Server, upgrade: Upgrade): void =>
      assert.throws(() => server.handleUpgrade(...upgrade), {
        name: 'Error',
        code: 'ERR_UPGRADE_TWICE',
        message: /once/,
      })

    async function echoes(client: SocketClient): Promise<void> {
      assert.equal((await client.response()).status, 101)
      for (const [at, text] of ['one', 'two'].entries()) {
        client.write(masked(TEXT, text))
        assert.equal(String((await client.frame(at)).payload), text)
      }
    }

    test('to one server or to two, at once: the second call throws, and the first connection works', async (t) => {
      const told: string[] = []
      const [one, two] = [echoing(t, told), echoing(t, told)]
      const client = await dial(t, (...upgrade) => {
        one.handleUpgrade(...upgrade)
        again(one, upgrade)
        again(two, upgrade)
      })
      await echoes(client)
      assert.deepEqual(told, ['open'])
      assert.equal(two.connections.size, 0)
    })

    test('later, when the connection is open, and when it has ended', async (t) => {
      const told: string[] = []
      const server = echoing(t, told)
      let upgraded: Upgrade | undefined
      const client = await dial(t, (...upgrade) => {
        upgraded = upgrade
        server.handleUpgrade(...upgrade)
      })
      await echoes(client)
      assert.ok(upgraded !== undefined)
      again(server, upgraded)
      await client.destroy()
      await eventually(() => told.length === 2, 'the end')
      again(server, upgraded)
    })

    test('while upgrade is pending', async (t) => {
      const told: string[] = []
      const server = echoing(t, told, () => delay(50))
      const client = await dial(t, (...upgrade) => {
        server.handleUpgrade(...upgrade)
        setTimeout(() => again(server, upgrade), 20)
      })
      await echoes(client)
      assert.deepEqual(told, ['open'])
    })

    test('after a refusal, which the client gets', async (t) => {
      const told: string[] = []
      const server = echoing(t, told)
      const client = await dial(t, (...upgrade) => {
        server.handleUpgrade(...upgrade, { status: 401, body: 'no' })
        again(server, upgrade)
      })
      assert.equal((await client.response()).status, 401)
      await client.end()
      assert.deepEqual(told, [])
    })

    test('not counted: a call that has thrown', async (t) => {
      const server = echoing(t, [])
      const client = await dial(t, (...upgrade) => {
        assert.throws(() => Reflect.apply(server.handleUpgrade, server, [...upgrade, null]), TypeError)
        server.handleUpgrade(...upgrade)
      })
      await echoes(client)
    })

    test('after an answer of the application to the client: nothing is opened', async (t) => {
      const told: string[] = []
      const server = echoing(t, told)
      const client = await dial(t, (request, socket, head) => {
        socket.end('HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n', () => {
          server.handleUpgrade(request, socket, head)
        })
      })
      assert.equal((await client.response()).status, 402)
      await client.end()
      assert.deepEqual(told, [])
      assert.equal(server.connections.size, 0)
    })
  })
}
