// mercurius: subscriptions of GraphQL on fastify, by way of @fastify/websocket.
import assert from 'node:assert/strict'
import fastify from 'fastify'
import { createClient } from 'graphql-ws'
import mercurius from 'mercurius'
import { Client, done } from './support.mjs'

const app = fastify()
app.register(mercurius, {
  schema: 'type Query { a: Int } type Subscription { count: Int } type Mutation { tell(value: Int): Int }',
  resolvers: {
    Query: { a: () => 1 },
    Mutation: {
      tell: async (_, { value }, { pubsub }) => {
        await pubsub.publish({ topic: 'count', payload: { count: value } })
        return value
      },
    },
    Subscription: { count: { subscribe: (_, __, { pubsub }) => pubsub.subscribe('count') } },
  },
  subscription: true,
})
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address()
const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: Client, lazy: false })
const values = []
const told = new Promise((resolve, reject) => {
  client.subscribe(
    { query: 'subscription { count }' },
    {
      next: ({ data }) => {
        values.push(data.count)
        if (values.length === 2) resolve()
      },
      error: reject,
      complete: resolve,
    },
  )
})
// Nobody tells when a subscription is there: what is told before that is not for it.
for (let value = 1; values.length < 2; value++) {
  await app.graphql(`mutation { tell(value: ${value}) }`, { pubsub: app.graphql.pubsub })
  await new Promise((resolve) => setTimeout(resolve, 50))
}
await told
const [first, second] = values
assert.equal(second, first + 1)
await client.dispose()
await app.close()
done()
