// The adapter of Nest: gateways get connections of millrace, and Nest's own ways with messages, answers and exceptions.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { Connection, Server } from '../../src/index.js'
import { WsClient } from '../clients/wsClient.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { refused, THOUGHT } from './adapterChecks.js'
import { Program } from './program.js'

type Decorator = (...target: unknown[]) => void
interface Application {
  useWebSocketAdapter(adapter: unknown): void
  listen(port: number, host: string): Promise<void>
  getHttpServer(): HttpServer
  close(): Promise<void>
}
interface Nest {
  readonly NestFactory: { create(module: unknown, options: object): Promise<Application> }
  readonly Module: (options: object) => Decorator
  readonly WebSocketGateway: (...options: unknown[]) => Decorator
  readonly WebSocketServer: () => Decorator
  readonly SubscribeMessage: (event: string) => Decorator
  readonly WsException: new (message: string) => Error
  readonly of: (...values: unknown[]) => unknown
}

describe('examples/nest', { skip: ecosystemMissing() }, () => {
  const told: unknown[] = []
  /** Clients that have come and not left. */
  const live = new Set<Connection>()
  let project: UserProject
  let nest: Nest
  let app: Application
  let port = 0
  let own = 0

  /** A gateway that answers `echo`, in each of the ways that Nest has. */
  function gateway(...options: unknown[]): new () => { readonly server: Server } {
    const { of, WsException } = nest
    class Gateway {
      declare server: Server
      handleConnection(client: Connection, request: IncomingMessage): void {
        live.add(client)
        told.push(['came', request.headers.cookie])
        client.subscribe('all')
      }
      handleDisconnect(client: Connection): void {
        live.delete(client)
        told.push(['left', client.isOpen])
      }
      echo(_: Connection, data: unknown): unknown {
        return { event: 'echo', data }
      }
      async later(_: Connection, data: unknown): Promise<unknown> {
        await delay(5)
        return { event: 'later', data }
      }
      many(): unknown {
        return of(1, 2, 3)
      }
      nothing(): void {}
      publish(_: Connection, data: unknown): void {
        this.server.publish('all', JSON.stringify(data))
      }
      refuse(): never {
        throw new WsException('not like that')
      }
      fail(): never {
        throw new Error('on purpose')
      }
      close(client: Connection): void {
        client.close(4001, 'bye')
      }
    }
    for (const name of ['echo', 'later', 'many', 'nothing', 'publish', 'refuse', 'fail', 'close'] as const) {
      nest.SubscribeMessage(name)(Gateway.prototype, name, Object.getOwnPropertyDescriptor(Gateway.prototype, name))
    }
    nest.WebSocketServer()(Gateway.prototype, 'server')
    nest.WebSocketGateway(...options)(Gateway)
    return Gateway
  }

  before(async () => {
    project = new UserProject('nest')
    const packages = ['reflect-metadata', '@nestjs/core', '@nestjs/common', '@nestjs/websockets', 'rxjs']
    const found: unknown[] = []
    for (const name of packages) found.push(await project.import(name))
    nest = Object.assign({}, ...found)
    const { MillraceAdapter } = (await project.import('./compiled/nest/adapter.js')) as {
      MillraceAdapter: new (app: Application, options: object) => unknown
    }
    own = await freePort()
    class Root {}
    const providers = [
      gateway({ path: '/a', maxMessage: 1000 }),
      gateway({ path: 'b' }),
      gateway(own, { path: '/own' }),
    ]
    nest.Module({ providers })(Root)
    app = await nest.NestFactory.create(Root, { logger: false })
    app.useWebSocketAdapter(new MillraceAdapter(app, { upgrade: decide }))
    await app.listen(0, '127.0.0.1')
    port = (app.getHttpServer().address() as AddressInfo).port
  })
  after(() => project.remove())

  const open = (path: string, options: object = {}): Promise<WsClient> =>
    WsClient.open(`ws://127.0.0.1:${port}${path}`, options)

  async function asks(client: WsClient, event: string, data?: unknown): Promise<unknown> {
    client.socket.send(JSON.stringify({ event, data }))
    return JSON.parse(String(await client.messages.next()))
  }

  test('answers are sent, those at once, promised ones, and each of several', async () => {
    const client = await open('/a')
    assert.deepEqual(await asks(client, 'echo', { text: 'grüß dich' }), { event: 'echo', data: { text: 'grüß dich' } })
    assert.deepEqual(await asks(client, 'later', 1), { event: 'later', data: 1 })
    assert.equal(await asks(client, 'many'), 1)
    assert.equal(await client.messages.next(), '2')
    assert.equal(await client.messages.next(), '3')
    client.socket.send(JSON.stringify({ event: 'nothing' }))
    for (const noise of ['no JSON', 'null', '1', '[]', '{"event":"unknown"}', '{"event":{}}']) client.socket.send(noise)
    assert.deepEqual(await asks(client, 'echo'), { event: 'echo' })
    await client.close(1000)
  })

  test('exceptions are sent as Nest has them, and the connection goes on', async () => {
    const client = await open('/a')
    assert.deepEqual(await asks(client, 'refuse', 7), {
      event: 'exception',
      data: { status: 'error', message: 'not like that', cause: { pattern: 'refuse', data: 7 } },
    })
    const { data } = (await asks(client, 'fail')) as { data: { message: string } }
    assert.equal(data.message, 'Internal server error')
    assert.deepEqual(await asks(client, 'echo', 1), { event: 'echo', data: 1 })
    client.socket.send(JSON.stringify({ event: 'close' }))
    assert.deepEqual(await client.ended, { code: 4001, reason: 'bye' })
  })

  test('each gateway has its path, its limits and its own clients; those of other ports, too', async () => {
    const [a, b, other] = [await open('/a?x=1'), await open('/b'), await WsClient.open(`ws://127.0.0.1:${own}/own`)]
    a.socket.send(JSON.stringify({ event: 'publish', data: 'to all of a' }))
    assert.equal(await a.messages.next(), '"to all of a"')
    b.socket.send(JSON.stringify({ event: 'echo', data: 'x'.repeat(2000) }))
    assert.equal(String(await b.messages.next()).length, 2026)
    a.socket.send('x'.repeat(2000))
    assert.equal((await a.ended).code, 1009)
    assert.deepEqual(await asks(other, 'echo', 1), { event: 'echo', data: 1 })
    assert.equal(b.messages.left, 0)
    for (const client of [b, other]) await client.close(1000)
    assert.equal((await refused(`ws://127.0.0.1:${port}/own`)).statusCode, 404)
    assert.equal((await refused(`ws://127.0.0.1:${own}/`)).statusCode, 404)
  })

  test('the request is at hand, and it is told who leaves', async () => {
    await eventually(() => live.size === 0, 'those of other tests have left')
    told.length = 0
    const client = await open('/a', { headers: { cookie: 'a=1' } })
    client.socket.terminate()
    await eventually(() => told.length === 2, 'both')
    assert.deepEqual(told, [
      ['came', 'a=1'],
      ['left', false],
    ])
  })

  test('the option upgrade refuses, sets headers, or fails', async () => {
    const response = await refused(`ws://127.0.0.1:${port}/a`, { headers: { 'x-ask': 'refuse' } })
    assert.equal(response.statusCode, 402)
    assert.equal((await refused(`ws://127.0.0.1:${port}/a`, { headers: { 'x-ask': 'fail' } })).statusCode, 500)
    const client = await SocketClient.open(port)
    const request = upgradeRequest({ 'X-Ask': 'think' }, 'GET /a HTTP/1.1')
    client.write(Buffer.concat([latin1(request), masked(TEXT, '{"event":"echo","data":1}')]))
    assert.match((await client.response()).head, /\r\nX-Thought: much\r\n/)
    assert.equal(String((await client.frame(0)).payload), '{"event":"echo","data":1}')
    await client.destroy()
  })

  test('clients that die while it thinks leave nothing behind', async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => SocketClient.open(port)))
    for (const client of clients) client.write(upgradeRequest({ 'X-Ask': 'think' }, 'GET /a HTTP/1.1'))
    await delay(THOUGHT / 2)
    for (const [at, client] of clients.entries()) client.socket[at % 2 === 0 ? 'destroy' : 'resetAndDestroy']()
    await delay(2 * THOUGHT)
    await eventually(() => live.size === 0, 'each that came has left')
    const client = await open('/a')
    assert.deepEqual(await asks(client, 'echo', 1), { event: 'echo', data: 1 })
    await client.close(1000)
  })

  test('app.close says Close to all, and ends', async () => {
    const clients = [await open('/a'), await open('/b'), await WsClient.open(`ws://127.0.0.1:${own}/own`)]
    const closing = app.close()
    for (const client of clients) assert.equal((await client.ended).code, 1001)
    await closing
    await assert.rejects(open('/a'))
  })

  test('server.ts is a chat', async (t) => {
    const program = await Program.start([project.path('nest/server.js')])
    t.after(() => program.kill())
    const url = `ws://127.0.0.1:${program.port}/chat`
    const [anna, ben] = [await WsClient.open(url), await WsClient.open(url)]
    anna.socket.send('{"event":"say","data":"hello"}')
    for (const client of [anna, ben]) assert.equal(await client.messages.next(), '{"event":"said","data":"hello"}')
    anna.socket.send('{"event":"say","data":1}')
    assert.match(String(await anna.messages.next()), /"message":"say something"/)
    anna.socket.send('{"event":"count","data":2}')
    assert.equal(await anna.messages.next(), '{"event":"counted","data":1}')
    await ben.close()
    assert.equal(await anna.messages.next(), '{"event":"counted","data":2}')
    assert.equal(await anna.messages.next(), '{"event":"left"}')
    program.interrupt()
    assert.equal((await anna.ended).code, 1001)
    assert.equal(await program.lives(10_000), false)
  })
})

async function decide({ headers }: IncomingMessage): Promise<unknown> {
  switch (headers['x-ask']) {
    case 'refuse':
      return { status: 402, body: 'pay first' }
    case 'fail':
      throw new Error('no database')
    case 'think':
      await delay(THOUGHT)
      return { headers: { 'X-Thought': 'much' } }
    default:
      return undefined
  }
}

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
