// Rooms with crossws: ws://127.0.0.1:9001/lobby. Node.js 22.18 and later run it as it is: `node examples/crossws/server.ts`.
// Needs `npm install crossws`.
import { createServer } from 'node:http'
import { defineHooks } from 'crossws'
import { millraceAdapter } from './adapter.ts'

const hooks = defineHooks({
  open(peer) {
    peer.subscribe('room')
    peer.publish('room', `${peer} has come`)
  },
  message(peer, message) {
    peer.publish('room', message.text())
  },
  close(peer) {
    peer.publish('room', `${peer} has gone`)
  },
})

const sockets = millraceAdapter({ hooks, server: { maxMessage: 64 * 1024 } })
const http = createServer((_, response) => response.end('each path is a room'))
http.on('upgrade', sockets.handleUpgrade)
http.listen(Number(process.env['PORT'] ?? 9001), '127.0.0.1', () => {
  const address = http.address()
  if (typeof address === 'object') console.log(`listening on http://127.0.0.1:${address?.port}`)
})

process.once('SIGINT', async () => {
  http.close()
  await sockets.close(1001)
})
