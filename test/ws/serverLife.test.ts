// How a server of the facade begins, is used by several at once, and ends: the same as with ws.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type ServerOptions, WebSocket as WsClient } from 'ws'
import { ACCEPTED, ask, type Engine, end, engines, head, portOf, same, thrownBy } from './serverEngines.js'

async function listening({ Server }: Engine, options: ServerOptions = {}) {
  const server = new Server({ port: 0, host: '127.0.0.1', ...options })
  const port = await portOf(server)
  return { server, port, url: `ws://127.0.0.1:${port}` }
}

async function opened(url: string, protocols?: string[]): Promise<WsClient> {
  const client = new WsClient(url, protocols)
  await once(client, 'open')
  return client
}

describe('a server begins', () => {
  const http = createServer()
  const wrong: Record<string, ServerOptions | undefined> = {
    nothing: undefined,
    '{}': {},
    'a port and a server': { port: 0, server: http },
    'a port and noServer': { port: 0, noServer: true },
    'a server and noServer': { server: http, noServer: true },
    'a port that is none': { port: 70_000 },
  }
  for (const [name, options] of Object.entries(wrong)) {
    same(`not with ${name}`, async ({ Server }) => thrownBy(() => new Server(options)))
  }

  same('with options that are its own, each with its default', async ({ Server }) => {
    const given: ServerOptions = { noServer: true, maxPayload: 5, perMessageDeflate: true }
    const { options } = new Server(given)
    const { WebSocket: socketClass, ...rest } = options
    return [rest, typeof socketClass, options === given]
  })

  same('by calling back before it emits listening', async ({ Server }) => {
    const said: string[] = []
    const server = new Server({ port: 0 }, () => said.push('callback'))
    server.on('listening', () => said.push('listening'))
    await portOf(server)
    await turn()
    await end(server)
    return said
  })

  same('and emits the error of a port that is taken', async (engine) => {
    const { server, port } = await listening(engine)
    const second = new engine.Server({ port, host: '127.0.0.1' })
    const [error] = await once(second, 'error')
    await end(server)
    return [error.code, error.syscall, second.address()]
  })

  same('with an address, but not without a server', async (engine) => {
    const { server } = await listening(engine)
    const address = server.address() as { address: string; family: string }
    const none = new engine.Server({ noServer: true })
    await end(server)
    return [
      address.address,
      address.family,
      thrownBy(() => none.address()),
      thrownBy(() => server.address()),
      server.address(),
    ]
  })
})

describe('a server ends', () => {
  same('when its clients have ended, which it does not make them do', async (engine) => {
    const { server, url } = await listening(engine)
    const said: unknown[] = []
    const client = await opened(url)
    server.on('close', () => said.push('close', server.clients.size))
    server.close((error) => said.push('callback', error))
    server.close((error) => said.push('again', error))
    await turn()
    said.push(client.readyState, server.clients.size)
    client.close()
    await once(server, 'close')
    server.close((error) => said.push(String(error)))
    await once(server, 'close')
    return said
  })

  for (const tracking of [true, false]) {
    same(`on the server of another, with clientTracking: ${tracking}`, async ({ Server }) => {
      const said: unknown[] = []
      const http = createServer((_request, response) => response.end('web'))
      const server = new Server({ server: http, clientTracking: tracking })
      server.on('listening', () => said.push('listening'))
      http.listen(0, '127.0.0.1')
      await once(http, 'listening')
      const client = await opened(`ws://127.0.0.1:${await portOf(http)}`)
      said.push(server.clients?.size)
      server.close(() => said.push('closed'))
      await turn()
      said.push(http.listening, http.listenerCount('upgrade'), http.listenerCount('error'), server.address())
      client.terminate()
      await turn()
      http.close()
      await once(http, 'close')
      await turn()
      return said
    })
  }

  same('and refuses with 503 what comes while it does', async ({ Server }) => {
    const http = createServer()
    const server = new Server({ noServer: true })
    http.on('upgrade', (request, socket, first) => {
      server.handleUpgrade(request, socket, first, () => assert.fail('it was upgraded'))
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    server.close()
    const answer = await ask(await portOf(http), head())
    http.close()
    return answer
  })
})

describe('clients', () => {
  same('are there while they are open, and are gone before listeners are told', async (engine) => {
    const { server, url } = await listening(engine)
    const said: unknown[] = []
    const connected = once(server, 'connection')
    const client = await opened(url)
    const [socket] = await connected
    said.push(server.clients.has(socket), server.clients.size, socket.listenerCount('close'))
    socket.on('close', () => said.push(server.clients.size))
    const closed = once(socket, 'close')
    client.terminate()
    await closed
    await end(server)
    return said
  })

  same('are not tracked with clientTracking: false', async (engine) => {
    const { server, url } = await listening(engine, { clientTracking: false })
    const client = await opened(url)
    const tracked = [server.clients, 'clients' in server]
    client.terminate()
    await new Promise((resolve) => server.close(resolve))
    return tracked
  })
})

describe('one HTTP server with several', () => {
  same('serves each at its path, and answers 400 elsewhere', async ({ Server }) => {
    const http = createServer((_request, response) => response.end('web'))
    const a = new Server({ noServer: true, path: '/a' })
    const b = new Server({ noServer: true, path: '/b' })
    const said: unknown[] = []
    http.on('upgrade', (request, socket, first) => {
      const server = a.shouldHandle(request) ? a : b
      server.handleUpgrade(request, socket, first, (client, same) => {
        said.push(server === a ? 'a' : 'b', same === request)
        server.emit('connection', client, request)
      })
    })
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const port = await portOf(http)
    for (const path of ['/a', '/b?c', '/c']) said.push(await ask(port, head({}, `GET ${path} HTTP/1.1`), ACCEPTED))
    said.push(await ask(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))
    await Promise.all([end(a), end(b)])
    http.close()
    return said
  })
})

test('there are two engines to compare', () => assert.equal(engines.length, 2))
