// The helper for Hono: upgrades go through the app's middleware, and the sockets are millrace's.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Connection, Server } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { delay } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { type Application, checkAdapter, FLOOD, queues, refused, THOUGHT } from './adapterChecks.js'
import { Program } from './program.js'

interface Context {
  readonly req: { header(name: string): string | undefined }
  header(name: string, value: string, options?: { readonly append: boolean }): void
  text(body: string, status?: number): Response
}
type Next = () => Promise<void>
type Middleware = (c: Context, next: Next) => unknown
interface Socket {
  readonly raw: Connection
  readonly readyState: number
  readonly protocol: string
  readonly url: URL
  send(data: string | ArrayBuffer | Uint8Array, options?: { readonly compress?: boolean }): void
  close(code?: number, reason?: string): void
}
interface Events {
  onOpen?(event: Event, ws: Socket): unknown
  onMessage?(event: { readonly data: string | ArrayBuffer }, ws: Socket): unknown
  onClose?(event: { readonly code: number; readonly reason: string; readonly wasClean: boolean }, ws: Socket): unknown
  onError?(event: { readonly error: unknown }, ws: Socket): unknown
}
interface Hono {
  readonly fetch: (request: Request) => Response
  get(path: string, ...handlers: Middleware[]): void
  use(path: string, handler: Middleware): void
}
interface Helper {
  upgradeWebSocket(events: (c: Context) => Events | Promise<Events>): Middleware
  injectWebSocket(http: HttpServer): void
  readonly server: Server
}

let project: UserProject
const seen: unknown[] = []

async function start(): Promise<Application> {
  const { Hono } = (await project.import('hono')) as { Hono: new () => Hono }
  const { serve } = (await project.import('@hono/node-server')) as { serve(options: object): HttpServer }
  const { createWebSockets } = (await project.import('./compiled/hono/helper.js')) as {
    createWebSockets(app: Hono, options: object): Helper
  }
  const { closed, errors } = queues()
  const app = new Hono()
  const { upgradeWebSocket, injectWebSocket, server } = createWebSockets(app, { closeTimeout: 500 })
  const echo: Events = {
    async onMessage({ data }, ws) {
      if (data === 'close') return ws.close(4001, 'bye')
      if (data === 'throw') throw new Error('on purpose')
      if (data !== 'flood') return ws.send(data, { compress: false })
      for (let sent = 0; sent < FLOOD; sent += 65_536) ws.send(new ArrayBuffer(65_536))
      while (ws.raw.bufferedAmount > 0) await delay(10)
      ws.send('drained')
    },
    onClose({ code, reason, wasClean }, ws) {
      seen.push(wasClean, ws.readyState)
      closed.push({ code, reason })
    },
    onError: ({ error }) => errors.push(error),
  }
  const upgrade = upgradeWebSocket(async () => echo)
  app.get('/page', (c) => c.text('a page'))
  app.get('/echo', upgrade, (c) => c.text('no upgrade', 426))
  app.get('/slow', async (_, next) => delay(THOUGHT).then(next as Next), upgrade)
  app.use('/refused', async (c) => {
    c.header('X-Why', 'price')
    return c.text('pay first', 402)
  })
  app.get('/failing', () => Promise.reject(new Error('no database')), upgrade)
  app.use('/cookies', async (c, next) => {
    await next()
    for (const cookie of ['a=1', 'b=2']) c.header('Set-Cookie', cookie, { append: true })
  })
  app.get(
    '/cookies',
    upgradeWebSocket((c) => ({ ...echo, onOpen: (_, ws) => ws.send(c.req.header('cookie') ?? '') })),
  )
  app.use('/protocol', async (c, next) => {
    await next()
    c.header('Sec-WebSocket-Protocol', 'chat')
  })
  app.get(
    '/protocol',
    upgradeWebSocket(() => ({
      ...echo,
      onOpen: (_, ws) => void seen.push(ws.protocol, ws.readyState, ws.url.pathname),
    })),
  )
  const http = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  injectWebSocket(http)
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return {
    port,
    closed,
    errors,
    connections: () => server.connections.size,
    async end() {
      http.close()
      await server.close()
    },
  }
}

describe('examples/hono', { skip: ecosystemMissing() }, () => {
  before(() => {
    project = new UserProject('hono')
  })
  after(() => project.remove())

  describe('the helper', () => {
    checkAdapter(start, { hasUrl: true })

    test('the context has what a WSContext has', async () => {
      assert.deepEqual(
        seen.filter((one) => typeof one === 'string'),
        ['chat', '/protocol'],
      )
      assert.ok(seen.includes(true) && seen.includes(false) && seen.includes(1) && seen.includes(3))
    })
  })

  describe('server.ts', () => {
    let program: Program
    before(async () => {
      program = await Program.start([project.path('hono/server.js')])
    })
    after(() => program.kill())

    test('publishes to everybody else in a room, and lets nobody in without the token', async () => {
      const url = `ws://127.0.0.1:${program.port}/rooms/lobby`
      assert.equal((await refused(url)).statusCode, 401)
      const [anna, ben] = await Promise.all(['1', '2'].map(() => WsClient.open(`${url}?token=secret`)))
      assert.ok(anna !== undefined && ben !== undefined)
      anna.socket.send('hello')
      assert.equal(await ben.messages.next(), 'hello')
      ben.socket.send(Buffer.from([1]))
      assert.deepEqual(await anna.messages.next(), Buffer.from([1]))
      program.interrupt()
      assert.equal((await anna.ended).code, 1001)
      assert.equal(await program.lives(10_000), false)
    })
  })
})
