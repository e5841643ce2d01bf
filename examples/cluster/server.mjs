// One process for each processor, on one port. Try it with `node examples/cluster/server.mjs`. If you change this
// file and send SIGHUP to the process that prints that it listens, new processes run the new code. SIGTERM and Ctrl+C end it
// gracefully.
import cluster from 'node:cluster'
import { createServer } from 'millrace'

const server = createServer({
  open(connection) {
    connection.send(`served by ${process.pid}`)
  },
  message(connection, message) {
    connection.send(message)
  },
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001), acceptors: 'auto' })
if (cluster.isPrimary) console.log(`listening on ws://127.0.0.1:${server.address.port}`)
