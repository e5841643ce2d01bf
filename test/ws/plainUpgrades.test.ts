// A plain upgrade request passes by the HTTP parser, with the option `port` and on a server of node:http's. Nobody may notice: the
// request, its socket and the server's count of connections are those of node:http, and so is all that happens to requests that
// are not plain.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, IncomingMessage, type Server, type ServerOptions } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { requestMaker } from '../../src/internals/lateRequest.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { ACCEPTED, ask, type Engine, end, engines, head, KEY, portOf, same } from './serverEngines.js'

const FACTS = [
  ...['method', 'url', 'httpVersion', 'httpVersionMajor', 'httpVersionMinor', 'complete', 'upgrade', 'aborted'],
  ...['rawHeaders', 'headers', 'headersDistinct', 'rawTrailers', 'trailers', 'readable', 'readableEnded', 'destroyed'],
] as const

/** Who listens: the server itself, or one of node:http before which, or after which, the other is made. */
const PLACES = ['port', 'server', 'server that listens'] as const
type Place = (typeof PLACES)[number]

async function listening({ Server }: Engine, place: Place = 'port') {
  if (place === 'port') {
    const server = new Server({ port: 0, host: '127.0.0.1' })
    return { server, port: await portOf(server), http: Reflect.get(server, '_server') as Server }
  }
  const http = createServer((_request, response) => response.writeHead(426, { 'Content-Length': 8 }).end('Required'))
  if (place !== 'server') await once(http.listen(0, '127.0.0.1'), 'listening')
  const server = new Server({ server: http })
  if (place === 'server') http.listen(0, '127.0.0.1')
  const port = await portOf(http)
  server.once('close', () => http.close())
  return { server, port, http }
}

/** What a program can see of a request and of its socket. */
function factsOf(request: IncomingMessage, own: unknown): unknown[] {
  const { socket } = request
  const places = [socket.remoteAddress, socket.remoteFamily, socket.localAddress, socket.allowHalfOpen]
  return [FACTS.map((name) => request[name as 'url']), socket === own, request.connection === socket, ...places]
}

const REQUESTS: Readonly<Record<string, string>> = {
  'a plain one': head({ Cookie: 'a=b; c=d', 'X-Blanks': '  a b  ', 'X-Empty': '' }, 'GET /path?a=b HTTP/1.1'),
  'one with a header twice': head({ 'X-A': '1', 'x-a': '2', Cookie: 'a', cookie: 'b' }),
  'one with bytes above ASCII': head({ 'X-A': 'ä' }),
  'one of version 8': head({ 'Sec-WebSocket-Version': '8' }),
}

describe('the request is as node:http makes it', () => {
  for (const place of PLACES) {
    for (const [name, request] of Object.entries(REQUESTS)) {
      same(`${name}, ${place}`, async (engine) => {
        const { server, port, http } = await listening(engine, place)
        const said: unknown[] = []
        server.on('connection', (socket, request) => said.push(factsOf(request, Reflect.get(socket, '_socket'))))
        // More than once: a head that has come before is read in another way.
        for (const key of [KEY, KEY, 'AQIDBAUGBwgJCgsMDQ4PEA=='])
          said.push(await ask(port, request.replace(KEY, key), ACCEPTED))
        server.on('connection', () => http.getConnections((_error, count) => said.push(count)))
        await ask(port, request, ACCEPTED)
        await end(server)
        return said
      })
    }
  }

  same('and its body ends, for whoever reads it', async (engine) => {
    const { server, port } = await listening(engine)
    const ended = once(server, 'connection').then(async ([, request]) => {
      let bytes = 0
      for await (const chunk of request) bytes += chunk.length
      return bytes
    })
    await ask(port, head(), ACCEPTED)
    const bytes = await ended
    await end(server)
    return bytes
  })
})

describe('what is not plain is for node:http', () => {
  for (const place of PLACES) {
    same(`a head in pieces, after a while, ${place}`, async (engine) => {
      const { server, port } = await listening(engine, place)
      const socket = connect(port, '127.0.0.1')
      await sleep(20)
      const bytes = head()
      for (let at = 0; at < bytes.length; at += 40) {
        socket.write(bytes.slice(at, at + 40))
        await sleep(1)
      }
      const [answer] = await once(socket, 'data')
      socket.destroy()
      await end(server)
      return String(answer)
    })

    same(`requests for the web, one after the other, ${place}`, async (engine) => {
      const { server, port } = await listening(engine, place)
      const web = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
      const answer = await ask(port, `${web}${web}`, /426 [\s\S]*426 [\s\S]*Required$/)
      await end(server)
      return answer.replaceAll(/^Date: .*\r\n/gm, '')
    })

    same(`a client that says nothing and goes, ${place}`, async (engine) => {
      const { server, port, http } = await listening(engine, place)
      const socket = connect(port, '127.0.0.1')
      socket.end()
      await once(socket.resume(), 'close')
      const count = await new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
      await end(server)
      return count
    })
  }

  same('all connections, where somebody listens to them or limits them', async (engine) => {
    const { server, port, http } = await listening(engine)
    const said: unknown[] = []
    http.on('connection', (socket: Socket) => said.push(socket.remoteAddress))
    said.push(await ask(port, head(), ACCEPTED))
    http.removeAllListeners('connection')
    await end(server)
    return said
  })
})

/** Servers of node:http whose requests or sockets are not what they are everywhere, or of which somebody is told. */
const OTHERS: Readonly<Record<string, (http: Server) => void>> = {
  'with a time': (http) => http.setTimeout(5000),
  'with a number of headers': (http) => Object.assign(http, { maxHeadersCount: 3 }),
  'with a number of connections': (http) => Object.assign(http, { maxConnections: 3 }),
  'whose connections somebody else takes': (http) => {
    const [listener] = http.listeners('connection')
    http.removeAllListeners('connection')
    http.on('connection', (socket) => Reflect.apply(listener as () => void, http, [socket]))
  },
}
const OPTIONS: Readonly<Record<string, ServerOptions>> = {
  'with a class of requests': { IncomingMessage: class extends IncomingMessage {} },
  'with keep-alive': { keepAlive: true },
  'with delays': { noDelay: false },
  'with headers joined': { joinDuplicateHeaders: true },
  'with room in its streams': { highWaterMark: 12_345 },
  'with long headers': { maxHeaderSize: 300 },
}
const seen = (request: IncomingMessage, http: Server): unknown[] => [
  request instanceof IncomingMessage && request.constructor === IncomingMessage,
  Object.keys(request.headers),
  [request.socket.readableHighWaterMark, request.socket.timeout ?? 0, Reflect.get(request.socket, 'server') === http],
]

describe('a server that is not plain gets its requests from node:http', () => {
  const cases = [
    ...Object.entries(OTHERS).map(([name, change]) => [name, {}, change] as const),
    ...Object.entries(OPTIONS).map(([name, options]) => [name, options, () => undefined] as const),
    ['as it comes', {}, () => undefined] as const,
  ]
  for (const [name, options, change] of cases) {
    same(name, async ({ Server, name: engine }) => {
      const http = createServer(options)
      change(http)
      const server = new Server({ server: http })
      http.listen(0, '127.0.0.1')
      const port = await portOf(http)
      const said: unknown[] = []
      server.on('connection', (_socket, request) => {
        const isFirst = said.length === 0 // a header that comes twice is for node:http everywhere
        const isLate = engine === 'millrace' && privateApiForbidden === false && name === 'as it comes'
        if (isFirst) assert.equal(requestMaker(request) !== undefined, isLate)
        said.push(seen(request, http))
      })
      const requests = [head(), head({ 'X-A': 'a', 'x-a': 'b' }), head({ 'X-Long': 'a'.repeat(300) })]
      for (const request of requests) said.push(await ask(port, request, /^HTTP[\s\S]*?\r\n\r\n/))
      await end(server)
      http.close()
      return said
    })
  }
})

test('a server that has more requests of the web than upgrades leaves them to node:http, until there are upgrades', async () => {
  const { server, port, http } = await listening(engines[1] as Engine, 'server')
  const late: boolean[] = []
  http.prependListener('upgrade', (request) => late.push(requestMaker(request) !== undefined))
  const web = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await ask(port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /Required$/)
  }
  const upgrade = (): Promise<string> => ask(port, head(), ACCEPTED)
  await upgrade()
  await web(40)
  for (let time = 0; time < 3; time++) await upgrade()
  await web(1)
  await upgrade()
  assert.deepEqual(
    late,
    [true, false, true, true, true].map((is) => is && privateApiForbidden === false),
  )
  await end(server)
})

describe('the asynchronous context is that in which the server listens', () => {
  for (const [name, wait, request, answer] of [
    ['of an upgrade', 0, head(), ACCEPTED],
    ['of a request of the web', 0, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /Required$/],
    ['of a request after a long silence', 800, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /Required$/],
  ] as const) {
    same(name, async ({ Server }) => {
      const context = new AsyncLocalStorage<string>()
      const said: unknown[] = []
      const http = createServer((_request, response) => {
        said.push(context.getStore())
        response.writeHead(426, { 'Content-Length': 8 }).end('Required')
      })
      const server = new Server({ server: http })
      server.on('connection', () => said.push(context.getStore()))
      const listened = once(http, 'listening')
      context.run('listens', () => http.listen(0, '127.0.0.1'))
      await listened
      const socket = connect(await portOf(http), '127.0.0.1')
      await once(socket, 'connect')
      await sleep(wait)
      socket.write(request)
      const [chunk] = await once(socket, 'data')
      assert.match(String(chunk), answer)
      socket.destroy()
      await end(server)
      http.close()
      return said
    })
  }
})

same('a server that listens again', async (engine) => {
  const { server, http, port } = await listening(engine, 'server')
  const said = [await ask(port, head(), ACCEPTED)]
  http.close()
  await once(http, 'close')
  http.listen(0, '127.0.0.1')
  said.push(await ask(await portOf(http), head(), ACCEPTED))
  await end(server)
  return said
})

test('a client that has said nothing when the server closes is left to node:http, which ends it from Node.js 26 on', async () => {
  const left: unknown[] = []
  for (const engine of engines) {
    const { server, port, http } = await listening(engine)
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    await sleep(20)
    const closed = once(server, 'close')
    server.close()
    await sleep(20)
    const count = await new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
    left.push(count)
    if (count === 1) {
      socket.write(head())
      const [answer] = await once(socket, 'data')
      assert.match(String(answer), /^HTTP\/1\.1 426 /)
    }
    socket.destroy()
    await closed
  }
  assert.equal(left[1], left[0])
})
