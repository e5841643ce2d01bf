// tRPC: applyWSSHandler on a WebSocketServer of the user's, with its own client.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC, tracked } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { Client, done, listen, until, ws } from './support.mjs'

const t = initTRPC.create()
const any = (value) => value
let ended = 0
const router = t.router({
  hello: t.procedure.input(any).query(({ input }) => `hello ${input}`),
  add: t.procedure.input(any).mutation(({ input }) => input.a + input.b),
  count: t.procedure.input(any).subscription(async function* ({ signal }) {
    try {
      for (let at = 0; !signal.aborted; at++) {
        yield tracked(String(at), at)
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    } finally {
      ended++
    }
  }),
})
const http = createServer()
const wss = new ws.WebSocketServer({ server: http })
const handler = applyWSSHandler({
  wss,
  router,
  createContext: () => ({}),
  keepAlive: { enabled: true, pingMs: 30, pongWaitMs: 2000 },
})
const port = await listen(http)

const connection = createWSClient({ url: `ws://127.0.0.1:${port}`, WebSocket: Client })
const client = createTRPCClient({ links: [wsLink({ client: connection })] })
assert.equal(await client.hello.query('you'), 'hello you')
assert.equal(await client.add.mutate({ a: 1, b: 2 }), 3)
const all = await Promise.all(Array.from({ length: 50 }, (_, at) => client.add.mutate({ a: at, b: 1 })))
assert.deepEqual(
  all,
  Array.from({ length: 50 }, (_, at) => at + 1),
)
await assert.rejects(client.nothing.query())

const values = []
const subscription = client.count.subscribe(0, { onData: ({ data }) => values.push(data) })
await until(() => values.length >= 5, 'five values')
subscription.unsubscribe()
await until(() => ended === 1, 'the subscription has ended')
assert.deepEqual(values.slice(0, 5), [0, 1, 2, 3, 4])
// Some rounds of the keep-alive.
await new Promise((resolve) => setTimeout(resolve, 150))
assert.equal(await client.hello.query('again'), 'hello again')
handler.broadcastReconnectNotification()
await new Promise((resolve) => setTimeout(resolve, 50))
assert.equal(await client.hello.query('back'), 'hello back')
await connection.close()
done()
