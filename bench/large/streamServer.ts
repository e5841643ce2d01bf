// millrace's side of the streaming rows, in a process of its own: hashes messages while they arrive, and sends a message
// as long as a text message asks for.
// usage: streamServer PORT
import { createHash } from 'node:crypto'
import { createServer } from '../../src/index.js'
import { BLOCK, HASH, repeated } from './pattern.js'

const CHUNK = 256 * 1024

async function* chunks(length: number): AsyncGenerator<Buffer> {
  yield* repeated(BLOCK.subarray(0, CHUNK), length)
}

const server = createServer({
  async stream(connection, message) {
    const hash = createHash(HASH)
    for await (const chunk of message) hash.update(chunk)
    connection.send(hash.digest('hex'))
  },
  message: (connection, message) => connection.sendStream(chunks(Number(message.text()))),
})
await server.listen({ host: '127.0.0.1', port: Number(process.argv[2]) })
console.log('listening')
