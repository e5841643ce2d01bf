// A program runs with the client of ws and with that of millrace/ws, against the same server, and what both see is compared.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import * as ws from 'ws'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import * as ours from '../../src/ws.js'

export type Client = ws.WebSocket
export type ClientClass = typeof ws.WebSocket

/** What a program has seen. */
export type Log = unknown[]

export const EVENTS = [
  'open',
  'upgrade',
  'redirect',
  'unexpected-response',
  'message',
  'ping',
  'pong',
  'error',
  'close',
]

/** Servers that do not end the connection are waited for, for a moment. */
export const QUICK: object = { closeTimeout: 50 }

/** Writes down each event of a client, in order. */
export function watch(client: Client, log: Log): void {
  for (const event of EVENTS) {
    client.on(event, (...values: unknown[]) => log.push([event, client.readyState, ...values.map(shown)]))
  }
}

export function shown(value: unknown): unknown {
  if (value instanceof Error) return [value.constructor.name, value.message, Reflect.get(value, 'code')]
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  const status: unknown = Object(value).statusCode
  return typeof status === 'number' ? status : typeof value === 'object' ? 'object' : value
}

/** Runs a program on both, which must see the same. Returns that. */
export async function same(run: (WebSocket: ClientClass, log: Log) => Promise<void>): Promise<Log> {
  const logs = await Promise.all(
    [ws.WebSocket, ours.WebSocket as unknown as ClientClass].map(async (WebSocket) => {
      const log: Log = []
      await run(WebSocket, log)
      return log
    }),
  )
  assert.deepEqual(logs[1], logs[0])
  return logs[0] ?? []
}

/** A server of ws that echoes. */
export async function echoing(t: TestContext, options: ws.ServerOptions = {}): Promise<string> {
  const server = new ws.WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  server.on('connection', (socket) => {
    socket.on('error', () => undefined)
    socket.on('message', (data, isBinary) => {
      if (String(data) === 'close') socket.close(4000, 'bye')
      else if (String(data) === 'cut') socket.terminate()
      else if (String(data) === 'ping') socket.ping('p')
      else socket.send(data, { binary: isBinary })
    })
  })
  t.after(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  if (options.server === undefined) await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return `ws://127.0.0.1:${port}`
}

/** A server that answers upgrades as it likes. */
export async function answering(
  t: TestContext,
  answer: (request: IncomingMessage, socket: Duplex, accept: string) => void,
): Promise<string> {
  const server: Server = createServer((_, response) => response.writeHead(401, { 'X-Why': 'no' }).end('body'))
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, socket) => {
    socket.on('error', () => undefined)
    answer(request, socket, acceptKey(request.headers['sec-websocket-key'] ?? ''))
  })
  server.listen(0, '127.0.0.1')
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export function ended(client: Client): Promise<unknown> {
  return new Promise((resolve) => client.once('close', resolve))
}
