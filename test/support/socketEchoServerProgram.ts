// A program of its own, run by tests under limits of the system: an echo server that tells its port, and on the end of
// its standard input closes and reports the warnings it got.
import { createServer } from '../../src/index.js'

const warnings: string[] = []
process.on('warning', ({ name, message }) => warnings.push(`${name}: ${message}`))

const server = createServer({
  closeTimeout: 1000,
  handshakeTimeout: 2000,
  message: (connection, message) => connection.send(message),
})
await server.listen({ host: '127.0.0.1' })
console.log(JSON.stringify({ port: server.address?.port }))
process.stdin.on('end', async () => {
  await server.close()
  console.log(JSON.stringify({ warnings }))
})
process.stdin.resume()
