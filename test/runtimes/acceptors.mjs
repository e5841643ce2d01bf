// A server with two acceptors, which greets with its pid, publishes what it is sent, and ends when its input does:
// `acceptors.mjs DIST`.
import cluster from 'node:cluster'
import { pathToFileURL } from 'node:url'

const { createServer } = await import(pathToFileURL(`${process.argv[2]}/src/index.js`).href)
const server = createServer({
  open(connection) {
    connection.subscribe('news')
    connection.send(String(process.pid))
  },
  message(_, message) {
    server.publish('news', message.text())
  },
})
await server.listen({ port: 0, host: '127.0.0.1', acceptors: 2, log() {} })
if (cluster.isPrimary) {
  console.log(server.port)
  process.stdin.on('end', async () => {
    await server.close()
    process.exit(0)
  })
  process.stdin.resume()
}
