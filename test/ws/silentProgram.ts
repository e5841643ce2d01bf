// Opens as many WebSockets as its second argument says, to the port of its first, and says nothing on them. It prints a line when
// all are open, one when each has been told something, and one when all have ended; it ends with its input.
import { SocketClient } from '../support/socketClient.js'

const [port = 0, count = 0] = process.argv.slice(2).map(Number)
const AT_ONCE = 100

process.stdin.resume().on('end', () => process.exit(0))
const clients: SocketClient[] = []
while (clients.length < count) {
  const more = Math.min(AT_ONCE, count - clients.length)
  clients.push(...(await Promise.all(Array.from({ length: more }, () => SocketClient.upgraded(port)))))
}
console.log('open')
for (const client of clients) await client.frames(1)
console.log('told')
for (const client of clients) await client.end(60_000)
console.log('ended')
