// The echo server of millrace, as this repository builds it; with `broadcast`, everyone gets what anyone says.
import { createServer, prepare } from '../../dist/src/index.js'

const [port, mode] = process.argv.slice(2)
const server = createServer({
  maxMessage: 256 * 1024 * 1024,
  message(connection, message) {
    if (mode !== 'broadcast') return void connection.send(message)
    const prepared = prepare(message)
    for (const other of server.connections) other.send(prepared)
    prepared.release()
  },
})
await server.listen({ host: '127.0.0.1', port: Number(port) })
console.log('listening')
