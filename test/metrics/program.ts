// An echo server with acceptors, run by tests as a process of its own, with its metrics on every path. `/end` ends the
// acceptor that answers, as if it had crashed. For each line of its input, the primary says what all have counted; `reload`
// has it reload first.
import cluster from 'node:cluster'
import { createInterface } from 'node:readline'
import { createServer, type Server } from '../../src/index.js'
import { prometheus } from '../../src/metrics.js'

const server: Server = createServer({
  message: (connection, message) => connection.send(message),
  request(request, response) {
    if (request.url === '/end') process.exit(7)
    return metrics.handle(request, response)
  },
})
const metrics = prometheus(server)
await server.listen({ host: '127.0.0.1', acceptors: 2, log: () => undefined })
if (cluster.isPrimary) {
  const say = async (): Promise<void> => {
    console.log(JSON.stringify({ port: server.port, metrics: await server.metrics() }))
  }
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'reload') server.reload().then(say)
    else say()
  })
  await say()
}
