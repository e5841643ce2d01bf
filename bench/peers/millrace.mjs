// The echo server of millrace, as this repository builds it.
import { createServer } from '../../dist/src/index.js'

const [port] = process.argv.slice(2)
const server = createServer({
  maxMessage: 256 * 1024 * 1024,
  message: (connection, message) => void connection.send(message),
})
await server.listen({ host: '127.0.0.1', port: Number(port) })
console.log('listening')
