// An echo server: sends every message back. Try it with `node examples/echo.mjs`.
import { createServer } from 'millrace'

const server = createServer({
  message(connection, message) {
    connection.send(message) // as text or binary, as it came, and without a copy
  },
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001) })
console.log(`listening on ws://127.0.0.1:${server.address.port}`)

// Says Close to every peer; the process ends when all have ended.
process.once('SIGINT', () => server.close())
