// graphql-ws on a route of millrace, tried with the client of graphql-ws.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { createServer, type Route, type RouteOptions, route, type Server } from '../../src/index.js'
import { ecosystemMissing } from '../support/ecosystem.js'
import { CLOSE, closeStatus, masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'
import { UserProject } from '../support/userProject.js'
import { Program } from './program.js'

interface Client {
  iterate(
    request: object,
  ): AsyncIterableIterator<{ readonly data?: unknown; readonly errors?: readonly { message: string }[] }>
  dispose(): Promise<void>
}
interface GraphQL {
  createClient(options: object): Client
}
interface Context {
  readonly extra: { readonly connection: { readonly request: { readonly cookies: Readonly<Record<string, string>> } } }
}

const PROTOCOL = 'graphql-transport-ws'
/** How many results of 64 KiB the subscription `flood` has. */
const YIELDS = 500

describe('examples/graphql', { skip: ecosystemMissing() }, () => {
  let project: UserProject
  let graphql: GraphQL
  before(async () => {
    project = new UserProject('graphql')
    graphql = (await project.import('graphql-ws')) as GraphQL
  })
  after(() => project.remove())

  const clientOf = (port: number | undefined, options: object = {}): Client =>
    graphql.createClient({
      url: `ws://127.0.0.1:${port}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
      ...options,
    })

  describe('useServer', () => {
    const told: unknown[] = []
    let server: Server<undefined>
    let produced = 0
    let stopped = 0

    before(async () => {
      const { useServer } = (await project.import('./compiled/graphql/useServer.js')) as {
        useServer(options: object): RouteOptions
      }
      const { buildSchema } = (await project.import('graphql')) as { buildSchema(source: string): object }
      const schema = buildSchema(`
        type Query { echo(text: String!): String!, cookie: String! }
        type Subscription { ticks(count: Int!): Int!, never: Int!, flood: String! }`)
      const roots = {
        query: {
          echo: ({ text }: { text: string }) => text,
          cookie: (_: unknown, { extra }: Context) => extra.connection.request.cookies['session'] ?? '',
        },
        subscription: {
          async *ticks({ count }: { count: number }) {
            for (let ticks = 1; ticks <= count; ticks++) yield { ticks }
          },
          async *never() {
            try {
              for (;;) {
                await delay(5)
                yield { never: 1 }
              }
            } finally {
              stopped++
            }
          },
          async *flood() {
            for (produced = 0; produced < YIELDS; produced++) yield { flood: 'x'.repeat(65_536) }
          },
        },
      }
      const options = {
        schema,
        roots,
        context: (context: Context) => context,
        onConnect: ({ connectionParams }: { connectionParams?: { token?: string } }) => {
          if (connectionParams?.token === 'broken') throw new Error('on purpose')
          return connectionParams?.token !== 'wrong'
        },
        onDisconnect: (_: unknown, code: number, reason: string) => void told.push(['disconnect', code, reason]),
        onClose: (_: unknown, code: number, reason: string) => void told.push(['close', code, reason]),
      }
      const routes: Record<string, Route> = { '/graphql': route(useServer(options)) }
      server = await createServer({ routes, closeTimeout: 500 }).listen({ host: '127.0.0.1' })
    })
    after(() => server.close())

    test('answers queries, and sends what subscriptions yield in order', async () => {
      const client = clientOf(server.port)
      assert.deepEqual(await results(client, '{ echo(text: "grüß dich") }'), [{ echo: 'grüß dich' }])
      const ticks = await results(client, 'subscription { ticks(count: 300) }')
      assert.deepEqual(
        ticks,
        Array.from({ length: 300 }, (_, at) => ({ ticks: at + 1 })),
      )
      await client.dispose()
      await eventually(() => told.length === 2, 'it is told')
      assert.deepEqual(told.splice(0), [
        ['disconnect', 1000, 'Normal Closure'],
        ['close', 1000, 'Normal Closure'],
      ])
    })

    test('more subscriptions at once than handlers may be pending, each of which can be ended', async () => {
      const client = clientOf(server.port)
      const running = Array.from({ length: 300 }, () => client.iterate({ query: 'subscription { never }' }))
      for (const one of running) assert.deepEqual((await one.next()).value.data, { never: 1 })
      for (const one of running) await one.return?.()
      await eventually(() => stopped === 300, 'all have been ended')
      await client.dispose()
      await eventually(() => told.splice(0).length > 0, 'it is told')
    })

    test('the request is at hand, with its cookies', async () => {
      class WithCookie extends WebSocket {
        constructor(url: string, protocols: string) {
          super(url, protocols, { headers: { cookie: 'session=abc' } })
        }
      }
      const client = clientOf(server.port, { webSocketImpl: WithCookie })
      assert.deepEqual(await results(client, '{ cookie }'), [{ cookie: 'abc' }])
      await client.dispose()
      await eventually(() => told.splice(0).length > 0, 'it is told')
    })

    test('a client that does not read holds the subscription back', async () => {
      const client = await dial(PROTOCOL)
      client.write(masked(TEXT, init()))
      await client.frames(1)
      client.socket.pause()
      client.write(masked(TEXT, subscribe('subscription { flood }')))
      await eventually(() => produced > 0, 'it begins')
      await delay(200)
      const before = produced
      assert.ok(before < YIELDS / 2, `${before} results for a client that reads none`)
      client.socket.resume()
      await eventually(() => produced === YIELDS, 'the end')
      await client.destroy()
      await eventually(() => told.splice(0).length > 0, 'it is told')
    })

    const closes: [name: string, code: number, protocol: string, ...sent: string[]][] = [
      ['a client that offers another subprotocol', 4406, 'graphql-ws'],
      ['a message that is none', 4400, PROTOCOL, 'hello'],
      ['an operation before the connection is acknowledged', 4401, PROTOCOL, subscribe('{ cookie }')],
      ['two initialisations', 4429, PROTOCOL, init(), init()],
      ['a connection that onConnect refuses', 4403, PROTOCOL, init('wrong')],
      ['an onConnect that throws', 4500, PROTOCOL, init('broken')],
      [
        'an operation with the id of another',
        4409,
        PROTOCOL,
        init(),
        ...Array(2).fill(subscribe('subscription { never }')),
      ],
    ]
    for (const [name, code, protocol, ...sent] of closes) {
      test(`${name} is closed with ${code}`, async () => {
        const client = await dial(protocol)
        for (const [at, text] of sent.entries()) {
          client.write(masked(TEXT, text))
          // Nothing else may be asked for before the acknowledgement.
          if (sent.length > 2) await client.until(() => client.received.includes('connection_ack'), `ack, ${at}`)
        }
        await client.until(() => client.receivedFrames.some(({ opcode }) => opcode === CLOSE), 'Close')
        assert.equal(closeStatus(client.receivedFrames.find(({ opcode }) => opcode === CLOSE))?.code, code)
        await client.destroy()
      })
    }

    async function dial(protocol: string): Promise<SocketClient> {
      const client = await SocketClient.open(server.port ?? 0)
      client.write(upgradeRequest({ 'Sec-WebSocket-Protocol': protocol }, 'GET /graphql HTTP/1.1'))
      assert.equal((await client.response()).status, 101)
      return client
    }
  })

  describe('server.ts', () => {
    let program: Program
    before(async () => {
      program = await Program.start([project.path('graphql/server.js')])
    })
    after(() => program.kill())

    test('tells the time, ticks, and says what it refuses', async () => {
      const client = clientOf(program.port)
      assert.match(JSON.stringify(await results(client, '{ time }')), /"time":"\d{4}-/)
      assert.deepEqual(await results(client, 'subscription { ticks(count: 2, apart: 1) }'), [
        { ticks: 1 },
        { ticks: 2 },
      ])
      const refused = client.iterate({ query: 'subscription { ticks(count: 2000) }' })
      await assert.rejects(refused.next(), (errors) => JSON.stringify(errors).includes('at most 1000'))
      await client.dispose()
      program.interrupt()
      assert.equal(await program.lives(10_000), false)
    })
  })
})

function init(token?: string): string {
  return JSON.stringify({ type: 'connection_init', ...(token !== undefined && { payload: { token } }) })
}

function subscribe(query: string): string {
  return JSON.stringify({ id: '1', type: 'subscribe', payload: { query } })
}

async function results(client: Client, query: string): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const { data, errors } of client.iterate({ query })) {
    assert.equal(errors, undefined)
    all.push(data)
  }
  return all.map((data) => ({ ...Object(data) }))
}
