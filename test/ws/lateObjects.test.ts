// With the option `port` and on a server of node:http's, the request and the socket of a connection are made when somebody looks at them. Whenever that is, and
// however it is done, they are what they are on ws.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as HttpServer, IncomingMessage } from 'node:http'
import { connect, Socket } from 'node:net'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import type * as real from 'ws'
import { requestMaker } from '../../src/internals/lateRequest.js'
import { socketMaker } from '../../src/internals/lateSocket.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { ACCEPTED, type Engine, end, head, portOf, same } from './serverEngines.js'

type Listener = (ws: real.WebSocket, request: IncomingMessage, say: (...said: unknown[]) => void) => unknown

/** A server that listens by itself, or over one of node:http. */
async function listening({ Server }: Engine, place: 'port' | 'server') {
  if (place === 'port') {
    const server = new Server({ port: 0, host: '127.0.0.1' })
    await portOf(server)
    return { server, http: Reflect.get(server, '_server') as HttpServer }
  }
  const http = createServer()
  const server = new Server({ server: http })
  await once(http.listen(0, '127.0.0.1'), 'listening')
  server.once('close', () => http.close())
  return { server, http }
}

/** Opens a connection to a server with a listener, says something, and ends it; what the listener has said is the account. */
async function heard(engine: Engine, listener: Listener, place: 'port' | 'server'): Promise<unknown[]> {
  const { server, http } = await listening(engine, place)
  const port = await portOf(http)
  const said: unknown[] = []
  server.on('connection', (ws, request) => {
    ws.on('error', () => undefined)
    listener(ws, request, (...more) => said.push(...more))
  })
  for (let round = 0; round < 2; round++) {
    const socket = connect(port, '127.0.0.1')
    socket.write(head({ 'X-Own': 'a' }, 'GET /path HTTP/1.1'))
    const [answer] = await once(socket, 'data')
    assert.match(String(answer), ACCEPTED)
    await sleep(20)
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    await sleep(20)
    socket.destroy()
    await sleep(20)
  }
  said.push(await new Promise((resolve) => http.getConnections((_error, count) => resolve(count))))
  await end(server)
  return said
}

const kinds = (request: IncomingMessage): unknown[] => [
  request instanceof IncomingMessage,
  request.socket instanceof Socket,
  request.constructor === IncomingMessage,
  request.socket.constructor === Socket,
]

const LOOKS: Readonly<Record<string, Listener>> = {
  'at their kinds': (_ws, request, say) => say(...kinds(request)),
  'at the first line': (_ws, request, say) => say(request.method, request.url, request.httpVersion, request.headers),
  'at a request to be printed': (_ws, request, say) => say(inspect(request, { depth: 0 }).slice(0, 17)),
  'at what inherits from it': (_ws, request, say) => {
    const own = Object.create(request)
    own.url = '/own'
    say(own.headers['x-own'], own.url, request.url, own.socket === request.socket)
  },
  'by writing to it': (_ws, request, say) => {
    Reflect.set(request, 'own', 1)
    request.url = '/other'
    say(Reflect.get(request, 'own'), request.url, request.headers['x-own'], Object.keys(request).includes('url'))
  },
  'at a socket without the request': (ws, _request, say) => {
    const socket = Reflect.get(ws, '_socket') as Socket
    say(socket.remoteAddress, typeof socket.remotePort, socket.remoteFamily, socket.destroyed, socket.readyState)
    socket.on('close', (failed) => say('close', failed))
  },
  'when a message comes': (ws, request, say) =>
    ws.on('message', (data) => {
      const { socket } = request
      say(String(data), request.headers.host, socket.remoteAddress, Reflect.get(ws, '_socket') === socket)
      socket.once('close', () => say('close'))
    }),
  'after the end': (ws, request, say) =>
    ws.on('close', (code) => {
      const { socket } = request
      say(code, request.headers.host, socket.destroyed, socket.remoteAddress, socket.writable)
    }),
  'to end it': (ws, request, say) => {
    ws.on('close', (code) => say(code))
    setImmediate(() => request.socket.destroy())
  },
  'to pause it': (ws, request, say) => {
    ws.on('message', (data) => say(String(data)))
    request.socket.pause()
    setTimeout(() => request.socket.resume(), 30)
  },
}

describe('a look', () => {
  for (const place of ['port', 'server'] as const) {
    for (const [name, listener] of Object.entries(LOOKS))
      same(`${name}, ${place}`, (engine) => heard(engine, listener, place))
  }
})

test('who does not look has neither, and the server counts the connection all the same', async () => {
  const { WebSocketServer } = await import('../../src/ws/webSocketServer.js')
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const port = await portOf(server)
  const connected = once(server, 'connection')
  const client = connect(port, '127.0.0.1')
  client.write(head())
  const [, request] = await connected
  const { socket } = request
  const http = Reflect.get(server, '_server') as HttpServer
  const count = (): Promise<unknown> => new Promise((resolve) => http.getConnections((_error, found) => resolve(found)))
  assert.equal(await count(), 1)
  const closed = once(server, 'close')
  server.close()
  client.destroy()
  await closed
  assert.equal(await count(), 0)
  // Without the private API, Node makes both before anybody is asked.
  const isLate = privateApiForbidden === false
  assert.equal(socketMaker(socket) !== undefined, isLate, 'the socket is not made')
  assert.equal(requestMaker(request) !== undefined, isLate, 'the request is not made')
})
