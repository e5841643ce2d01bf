// A clock by GraphQL, at ws://127.0.0.1:9001/graphql: a query, and a subscription that ticks. Node.js 22.18 and later run it as it
// is: `node examples/graphql/server.ts`. Needs `npm install graphql graphql-ws`.
import { setTimeout as delay } from 'node:timers/promises'
import { buildSchema, GraphQLError } from 'graphql'
import { createServer, route } from 'millrace'
import { useServer } from './useServer.ts'

const schema = buildSchema(`
  type Query { time: String! }
  type Subscription { ticks(count: Int!, apart: Int = 1000): Int! }
`)

const roots = {
  query: { time: () => new Date().toISOString() },
  subscription: {
    async *ticks({ count, apart }: { count: number; apart: number }) {
      if (count > 1000) throw new GraphQLError('at most 1000')
      for (let ticks = 1; ticks <= count; ticks++) {
        await delay(apart)
        yield { ticks }
      }
    },
  },
}

const server = createServer({ routes: { '/graphql': route(useServer({ schema, roots })) } })
await server.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 9001) })
console.log(`listening on ws://127.0.0.1:${server.port}`)
process.once('SIGINT', () => server.close())
