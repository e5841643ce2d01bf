// A client may send an upgrade behind requests that an application's own server has not answered yet. Their answers belong before the
// response: behind it, the client would take them for frames.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { masked, TEXT } from '../support/frames.js'
import { latin1, requestOf, upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const storage = new AsyncLocalStorage<string>()
const get = (path: string): string => requestOf(['Host: x'], `GET ${path} HTTP/1.1`)

for (const { transport, publicApi } of transports) {
  describe(`an upgrade behind other requests, over ${transport}`, () => {
    const told: unknown[] = []

    async function start(
      t: TestContext,
      answer: RequestListener,
    ): Promise<{ server: Server; http: HttpServer; client: SocketClient }> {
      told.length = 0
      const server = createServer({
        publicApi,
        closeTimeout: 500,
        open: () => void told.push(['open', storage.getStore()]),
        message: (connection, message) => void connection.send(message),
        close: (_, code) => void told.push(['close', code]),
      })
      const http = createHttpServer(answer)
      http.on('upgrade', (request, socket, head) => {
        storage.run('of the upgrade', () => server.handleUpgrade(request, socket, head))
      })
      await once(http.listen(0, '127.0.0.1'), 'listening')
      const client = await SocketClient.open((http.address() as AddressInfo).port)
      t.after(async () => {
        await client.destroy()
        http.close()
        await server.close()
      })
      return { server, http, client }
    }

    const slowly: RequestListener = async ({ url }, response) => {
      await delay(url === '/1' ? 60 : 20)
      response.end(`answer ${url}`)
    }

    test('its response comes after all of their answers, and no byte behind it is lost', async (t) => {
      const { client } = await start(t, slowly)
      client.write(
        Buffer.concat([latin1(get('/1') + get('/2') + get('/3') + upgradeRequest()), masked(TEXT, 'with it')]),
      )
      await delay(30)
      client.write(masked(TEXT, 'meanwhile'))
      await client.until(() => client.text.includes('meanwhile'), 'the echoes')
      const order = ['answer /1', 'answer /2', 'answer /3', ' 101 ', 'with it', 'meanwhile']
      const places = order.map((text) => client.text.indexOf(text))
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
      )
      assert.ok(!places.includes(-1))
      assert.equal(client.text.split('HTTP/1.1').length, 5)
      assert.deepEqual(told, [['open', 'of the upgrade']])
    })

    test('an answer that ends the connection, or a client that leaves meanwhile: nothing is opened', async (t) => {
      const { client, server } = await start(t, (_, response) => {
        setTimeout(() => response.writeHead(200, { Connection: 'close' }).end('the last'), 20)
      })
      client.write(get('/1') + upgradeRequest())
      await client.end()
      assert.match(client.text, /the last/)
      assert.doesNotMatch(client.text, / 101 /)
      const { client: leaving, server: other } = await start(t, slowly)
      leaving.write(get('/1') + upgradeRequest())
      await delay(20)
      leaving.socket.resetAndDestroy()
      await delay(80)
      assert.deepEqual(told, [])
      assert.equal(server.connections.size + other.connections.size, 0)
    })

    test('a request handler that hands its own request over is not waited for', async (t) => {
      const { client, http, server } = await start(t, (request) => {
        server.handleUpgrade(request, request.socket, Buffer.alloc(0))
      })
      http.removeAllListeners('upgrade') // so that node:http takes it for a request
      client.write(upgradeRequest())
      assert.equal((await client.response()).status, 101)
      client.write(masked(TEXT, 'hi'))
      assert.equal(String((await client.frame(0)).payload), 'hi')
      await client.destroy()
      await eventually(() => told.length === 2, 'the end')
    })
  })
}
