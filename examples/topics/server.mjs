// Topics with a history, for the client for browsers beside this file and for the client of millrace: whoever loses the
// connection misses nothing. Messages that are no requests are published to all.
//   PORT=9001 node examples/topics/server.mjs
import { createServer, serveTopics } from 'millrace'

const server = createServer({
  topics: { history: { messages: 1000, maxAge: 300_000 }, envelope: true },
  message(connection, message) {
    if (serveTopics(connection, message, (topic) => topic.startsWith('public/'))) return
    server.publish('public/chat', message)
  },
})
await server.listen({ port: Number(process.env.PORT ?? 9001), host: '127.0.0.1' })
console.log(`listening on ws://127.0.0.1:${server.port}`)
