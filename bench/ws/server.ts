// The same program on ws and on `millrace/ws`, in a process of its own.
// usage: server ENGINE MODE PLACE; the engine is `ws` or `millrace`, the place `http` or `port`. It answers to the
// questions below.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type * as ws from 'ws'
import { measured } from '../support/measured.js'

const [engine, mode, place] = process.argv.slice(2)
// The other one must not lie in its heap: from 8 MiB on, V8 marks the whole of it whenever much lies outside, such as long messages.
const engineModule = (await import(engine === 'ws' ? 'ws' : '../../src/ws.js')) as typeof ws
const { WebSocketServer } = engineModule

const options = { maxPayload: 64 * 1024 * 1024, perMessageDeflate: mode === 'deflate' && { threshold: 0 } }
const http = createServer()
const server = new WebSocketServer(
  place === 'port' ? { ...options, port: 0, host: '127.0.0.1' } : { ...options, server: http },
)
server.on('connection', (socket) => {
  socket.on('message', (data, binary) => {
    if (mode === 'room') tell(data as Buffer)
    else if (mode === 'callback') socket.send(data, { binary }, sent)
    else if (mode === 'text') socket.send(data.toString())
    else socket.send(data, { binary })
  })
})

/** The types of ws know neither the class nor the property. */
function tell(data: Buffer): void {
  const sender = Reflect.get(engineModule, 'Sender') as { frame(data: Buffer, options: object): Buffer[] }
  const frame = sender.frame(data, { readOnly: false, mask: false, rsv1: false, opcode: 2, fin: true })
  for (const client of server.clients) Reflect.get(client, '_sender').sendFrame(frame, sent)
}

if (place !== 'port') http.listen(0, '127.0.0.1')
if (server.address() === null) await once(server, 'listening')

function sent(error?: Error): void {
  if (error) throw error
}

measured(() => server.address())
