// Messages that are longer than the memory, in both directions. A long message is hashed while it arrives. The text message
// `send SIZE` is answered with that many bytes, no faster than the client reads them. Try it with `node examples/streams.mjs`.
import { createHash } from 'node:crypto'
import { createServer } from 'millrace'

async function* zeros(length) {
  for (let left = length; left > 0; left -= 65_536) yield new Uint8Array(Math.min(left, 65_536))
}

const server = createServer({
  message(connection, message) {
    const [command, size] = message.text().split(' ')
    if (command === 'send') return connection.sendStream(zeros(Number(size)))
    connection.send('say "send 1000000", or send more than 64 KiB')
  },
  async stream(connection, message) {
    const hash = createHash('sha256')
    for await (const chunk of message) hash.update(chunk)
    connection.send(hash.digest('hex'))
  },
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001) })
console.log(`listening on ws://127.0.0.1:${server.address.port}`)
process.once('SIGINT', () => server.close())
