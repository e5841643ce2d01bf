// What the application may replace or add to a server of the facade is used as by ws: options that are changed later, methods,
// classes, the lines of the response, and the answer to a bad request.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ServerOptions, WebSocket as WsClient } from 'ws'
import { ACCEPTED, ask, type Engine, end, engines, head, KEY, portOf, same } from './serverEngines.js'

async function listening({ Server }: Engine, options: ServerOptions = {}) {
  const server = new Server({ port: 0, host: '127.0.0.1', ...options })
  return { server, port: await portOf(server) }
}

describe('what may be replaced is used', () => {
  same('shouldHandle', async (engine) => {
    const { server, port } = await listening(engine, { path: '/never' })
    server.shouldHandle = ({ url }) => url === '/mine'
    const said = [
      await ask(port, head({}, 'GET /mine HTTP/1.1'), ACCEPTED),
      await ask(port, head({}, 'GET /never HTTP/1.1')),
    ]
    await end(server)
    return said
  })

  same('options', async (engine) => {
    const { server, port } = await listening(engine)
    const said: unknown[] = []
    const request = head({ 'Sec-WebSocket-Protocol': 'a, b', 'Sec-WebSocket-Extensions': 'permessage-deflate' })
    said.push(await ask(port, request, ACCEPTED))
    server.options.handleProtocols = () => 'b'
    server.options.perMessageDeflate = { serverNoContextTakeover: true }
    said.push(await ask(port, request, ACCEPTED))
    server.options.handleProtocols = () => false
    server.options.perMessageDeflate = false
    server.options.path = '/other'
    said.push(await ask(port, request))
    await end(server)
    return said
  })

  same('handleUpgrade of a class that extends it', async ({ Server }) => {
    const said: unknown[] = []
    class Own extends Server {
      override handleUpgrade(...given: Parameters<InstanceType<typeof Server>['handleUpgrade']>): void {
        said.push('handleUpgrade', given.length, typeof given[3])
        super.handleUpgrade(...given)
      }
    }
    const server = new Own({ port: 0, host: '127.0.0.1' })
    server.on('connection', (_socket, { url }) => said.push(url))
    said.push(await ask(await portOf(server), head({}, 'GET /own HTTP/1.1'), ACCEPTED))
    await end(server)
    return said
  })

  same('emit, which tells of each connection', async ({ Server }) => {
    const said: unknown[] = []
    class Own extends Server {
      override emit(event: string, ...values: unknown[]): boolean {
        said.push(event, values.length)
        return super.emit(event, ...values)
      }
    }
    const server = new Own({ port: 0, host: '127.0.0.1' })
    await ask(await portOf(server), head(), ACCEPTED)
    await end(server)
    return said
  })
})

describe('the option WebSocket', () => {
  same('names the class of the sockets, which may extend the one that there is', async ({ Server }) => {
    const { WebSocket: Base = assert.fail() } = new Server({ noServer: true }).options
    const said: unknown[] = []
    class Own extends Base {
      readonly own = 5
      override send(...given: unknown[]): void {
        said.push(given[0])
        Reflect.apply(super.send, this, [`own ${given[0]}`, ...given.slice(1)])
      }
    }
    const server = new Server({ port: 0, host: '127.0.0.1', WebSocket: Own })
    server.on('connection', (socket) => {
      said.push(socket.constructor === Own, socket.own, socket instanceof Base)
      socket.send('hello')
    })
    said.push(await ask(await portOf(server), head(), /own hello$/))
    await end(server)
    return said
  })

  test('may be the class of ws itself', async () => {
    const server = new (engines[1]?.Server ?? assert.fail())({ port: 0, host: '127.0.0.1', WebSocket: WsClient })
    server.on('connection', (socket, { url, socket: connection }) => {
      assert.ok(socket instanceof WsClient)
      socket.send(`${url} ${socket.protocol}`)
      const again = { headers: {}, method: 'GET' }
      Object.assign(again.headers, { upgrade: 'websocket', 'sec-websocket-key': KEY, 'sec-websocket-version': '13' })
      assert.throws(
        () => Reflect.apply(server.handleUpgrade, server, [again, connection, Buffer.alloc(0), () => 0]),
        /more than once/,
      )
    })
    const answer = await ask(await portOf(server), head({ 'Sec-WebSocket-Protocol': 'p' }, 'GET /x HTTP/1.1'), /\/x p$/)
    assert.match(answer, /^HTTP\/1\.1 101 /)
    await end(server)
  })
})

describe('headers', () => {
  same('may be changed by whoever listens', async (engine) => {
    const { server, port } = await listening(engine, { perMessageDeflate: true })
    const said: unknown[] = []
    server.on('headers', (lines, { url }) => {
      said.push([...lines], url)
      lines.push('X-Own: ä')
      lines[0] = 'HTTP/1.1 101 Changed'
    })
    const request = head({ 'Sec-WebSocket-Extensions': 'permessage-deflate', 'Sec-WebSocket-Protocol': 'a' })
    said.push(await ask(port, request, ACCEPTED))
    await end(server)
    return said
  })
})

describe('wsClientError', () => {
  const bad = [head({ 'Sec-WebSocket-Key': 'x' }), head({ 'Sec-WebSocket-Version': '9' }), head({}, 'PUT / HTTP/1.1')]
  same('leaves it to the application to answer', async (engine) => {
    const { server, port } = await listening(engine)
    const said: unknown[] = []
    server.on('wsClientError', (error, socket, { method }) => {
      said.push(error.message, error.constructor === Error, method)
      socket.end('HTTP/1.1 418 Own\r\nConnection: close\r\n\r\n')
    })
    for (const request of bad) said.push(await ask(port, request))
    await end(server)
    return said
  })
})
