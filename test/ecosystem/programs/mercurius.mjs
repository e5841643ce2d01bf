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
await new Promise((resolve) => setTimeout(resolve, 300))
for (const value of [1, 2]) await app.graphql(`mutation { tell(value: ${value}) }`, { pubsub: app.graphql.pubsub })
await told
assert.deepEqual(values, [1, 2])
await client.dispose()
await app.close()
done()
