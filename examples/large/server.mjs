// Large JSON documents that do not hold up other messages: large.mjs parses messages of 64 KiB and more in a pool of threads.
// The thread reads a message where it lies, in shared memory; only the reply is copied. Try it with
// `node examples/large/server.mjs`.
import { createServer } from 'millrace'

const server = createServer({
  message(connection, message) {
    connection.send(`${message.byteLength} bytes, handled at once`)
  },
  large: { module: new URL('./large.mjs', import.meta.url), timeout: 10_000 },
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001) })
console.log(`listening on ws://127.0.0.1:${server.address.port}`)
process.once('SIGINT', () => server.close())
