// A program of its own, run by tests of NODE_DEBUG: an echo server that tells its port, ends when its standard input does,
// and does what a message says: stop reading for a moment, or fail.
import { createServer } from '../../src/index.js'

const server = createServer({
  message(connection, message) {
    if (message.text() === 'pause') {
      connection.pause()
      setTimeout(() => connection.resume(), 20)
    } else if (message.text() === 'fail') throw new Error('as it was told')
    else connection.send(message)
  },
  error() {},
})
await server.listen({ host: '127.0.0.1', port: 0 })
console.log(server.address?.port)
process.stdin.on('end', () => server.close())
process.stdin.resume()
