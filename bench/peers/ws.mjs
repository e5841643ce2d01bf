// The echo server of ws, with bufferutil, which it finds by itself; with `broadcast`, everyone gets what anyone says; with
// `documents`, large messages are parsed.
import 'bufferutil'
import { WebSocketServer } from 'ws'

const [port, mode] = process.argv.slice(2)
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  maxPayload: 256 << 20,
  perMessageDeflate: mode === 'deflate' && {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: 0,
  },
})
server.on('connection', (socket) =>
  socket.on('message', (data, binary) => {
    if (mode === 'documents' && data.length > 65_535) return socket.send(String(JSON.parse(data.toString()).length))
    if (mode !== 'broadcast') return socket.send(data, { binary })
    for (const client of server.clients) client.send(data, { binary })
  }),
)
server.on('listening', () => console.log('listening'))
