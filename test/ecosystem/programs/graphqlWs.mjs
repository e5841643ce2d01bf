// graphql-ws: useServer on a WebSocketServer of the user's, with its own client: queries, subscriptions, errors and ends.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { GraphQLInt, GraphQLObjectType, GraphQLSchema, GraphQLString } from 'graphql'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { Client, done, listen, open, until, ws } from './support.mjs'

let returned = 0
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString, resolve: () => 'world' } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      count: {
        type: GraphQLInt,
        subscribe: async function* () {
          for (let at = 0; at < 5; at++) yield { count: at }
        },
      },
      endless: {
        type: GraphQLInt,
        subscribe: async function* () {
          try {
            for (let at = 0; ; at++) {
              await new Promise((resolve) => setTimeout(resolve, 1))
              yield { endless: at }
            }
          } finally {
            returned++
          }
        },
      },
    },
  }),
})
const http = createServer()
const wss = new ws.WebSocketServer({ server: http, path: '/graphql' })
const codes = []
const disposable = useServer({ schema, onClose: (_, code) => codes.push(code) }, wss, 30)
const port = await listen(http)
const url = `ws://127.0.0.1:${port}/graphql`
const client = createClient({ url, webSocketImpl: Client })

const query = client.iterate({ query: '{ hello }' })
assert.deepEqual((await query.next()).value, { data: { hello: 'world' } })
const counts = []
for await (const { data } of client.iterate({ query: 'subscription { count }' })) counts.push(data.count)
assert.deepEqual(counts, [0, 1, 2, 3, 4])
for await (const { data } of client.iterate({ query: 'subscription { endless }' })) if (data.endless === 3) break
await until(() => returned === 1, 'the subscription has ended')
await assert.rejects(async () => {
  for await (const result of client.iterate({ query: '{ nothing }' })) if (result.errors) throw result.errors[0]
})

// Another subprotocol, and what is no message of the protocol.
await assert.rejects(open(`ws://127.0.0.1:${port}/other`), /400/)
const bare = new Client(url, 'foo')
bare.on('error', () => undefined)
const code = await new Promise((resolve) => bare.on('close', resolve))
assert.ok(code === 4406 || code === 1006, `closed with ${code}`)
const wrong = await open(url, 'graphql-transport-ws')
const closed = once(wrong.client, 'close')
wrong.client.send('no JSON')
assert.equal((await closed)[0], 4400)

// A client that does not answer pings is ended by the keep-alive of 30 ms.
const silent = await open(url, 'graphql-transport-ws', { autoPong: false })
assert.equal((await once(silent.client, 'close'))[0], 1006)

const going = new Promise((resolve) => client.on('closed', ({ code }) => resolve(code)))
const subscription = client.iterate({ query: 'subscription { endless }' })
await subscription.next()
subscription.next().catch(() => undefined)
await disposable.dispose()
assert.equal(await going, 1001)
assert.ok(codes.length > 0)
done()
