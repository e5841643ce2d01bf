// The echo server of ws, with bufferutil, which it finds by itself.
import 'bufferutil'
import { WebSocketServer } from 'ws'

const [port, deflate] = process.argv.slice(2)
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(port),
  maxPayload: 256 << 20,
  perMessageDeflate: deflate === 'deflate' && {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: 0,
  },
})
server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
server.on('listening', () => console.log('listening'))
