// The Fastify plugin: upgrades go through Fastify's hooks and validation, and the sockets are millrace's.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Connection, Handlers, Server } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { delay } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { type Application, checkAdapter, FLOOD, queues, refused, THOUGHT } from './adapterChecks.js'
import { Program } from './program.js'

interface Request {
  readonly headers: Record<string, string>
}
interface Reply {
  code(status: number): Reply
  header(name: string, value: string | readonly string[]): Reply
  send(body: string): unknown
}
interface Upgraded {
  readonly request: Request
}
type Route = Handlers<Upgraded> & { protocol?(request: Request, offered: readonly string[]): string | undefined }
type Hook = (request: Request, reply: Reply) => Promise<unknown>
interface Fastify {
  register(plugin: unknown, options: object): Promise<void>
  get(url: string, handler: Hook): void
  websocket(url: string, route: Route, options?: { readonly preHandler?: Hook }): void
  listen(where: object): Promise<string>
  close(): Promise<void>
  readonly websockets: Server<Upgraded>
}

let project: UserProject

async function start(): Promise<Application> {
  const { default: create } = (await project.import('fastify')) as { default(): Fastify }
  const { millrace } = (await project.import('./compiled/fastify/plugin.js')) as { millrace: unknown }
  const { closed, errors } = queues()
  const app = create()
  await app.register(millrace, { closeTimeout: 500 })
  const flooded = new WeakSet<Connection<Upgraded>>()
  const echo: Route = {
    message(connection, message) {
      const text = message.text()
      if (text === 'close') return connection.close(4001, 'bye')
      if (text === 'throw') throw new Error('on purpose')
      if (text !== 'flood') return connection.send(message)
      for (let sent = 0; sent < FLOOD; sent += 65_536) connection.send(Buffer.alloc(65_536))
      flooded.add(connection)
    },
    drain: (connection) => void (flooded.delete(connection) && connection.send('drained')),
    close: (_, code, reason) => closed.push({ code, reason }),
    error: (_, error) => errors.push(error),
  }
  app.get('/page', async () => 'a page')
  app.websocket('/echo', echo)
  app.websocket('/slow', echo, { preHandler: () => delay(THOUGHT) })
  app.websocket('/refused', echo, {
    preHandler: async (_, reply) => reply.code(402).header('x-why', 'price').send('pay first'),
  })
  app.websocket('/failing', echo, {
    async preHandler() {
      throw new Error('no database')
    },
  })
  const cookies: Route = {
    ...echo,
    open: (connection) => connection.send(connection.data.request.headers['cookie'] ?? ''),
  }
  app.websocket('/cookies', cookies, {
    preHandler: async (_, reply) => void reply.header('set-cookie', ['a=1', 'b=2']),
  })
  app.websocket('/protocol', { ...echo, protocol: (_, offered) => offered.find((one) => one === 'chat') })
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const port = Number(new URL(address).port)
  return { port, closed, errors, connections: () => app.websockets.connections.size, end: () => app.close() }
}

describe('examples/fastify', { skip: ecosystemMissing() }, () => {
  before(() => {
    project = new UserProject('fastify')
  })
  after(() => project.remove())

  describe('the plugin', () => checkAdapter(start))

  describe('server.ts', () => {
    let program: Program
    before(async () => {
      program = await Program.start([project.path('fastify/server.js')])
    })
    after(() => program.kill())

    test('tells everybody in a room, and refuses what the schema refuses', async () => {
      const url = `ws://127.0.0.1:${program.port}/rooms/lobby`
      assert.equal((await refused(url)).statusCode, 400)
      const [anna, ben] = await Promise.all([WsClient.open(`${url}?name=anna`), WsClient.open(`${url}?name=ben`)])
      anna.socket.send('hello')
      for (const one of [anna, ben]) assert.equal(await one.messages.next(), 'anna: hello')
      await ben.close(1000)
      program.interrupt()
      assert.equal((await anna.ended).code, 1001)
      assert.equal(await program.lives(10_000), false)
    })
  })
})
