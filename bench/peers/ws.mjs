// The echo server of ws, with bufferutil, which it finds by itself; with `broadcast`, everyone gets what anyone says; with
// `documents`, large messages are parsed.
import 'bufferutil'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { WebSocketServer } from 'ws'

const [port, mode, key, cert] = process.argv.slice(2)
// What is no upgrade gets the answer of a WebSocketServer that has a port of its own.
const refuse = (_, response) => response.writeHead(426, { 'content-type': 'text/plain' }).end('Upgrade Required')
const http =
  mode === 'tls'
    ? createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, refuse)
    : createServer(refuse)
const server = new WebSocketServer({
  server: http,
  maxPayload: 256 << 20,
  // As it comes, but that short messages are compressed, too.
  perMessageDeflate: mode === 'deflate' && { threshold: 0 },
})
server.on('connection', (socket) => {
  socket.on('error', () => undefined) // what a client does wrong must not end the process
  socket.on('message', (data, binary) => {
    if (mode === 'documents' && data.length > 65_535) return socket.send(String(JSON.parse(data.toString()).length))
    if (mode !== 'broadcast') return socket.send(data, { binary })
    for (const client of server.clients) client.send(data, { binary })
  })
})
http.listen(Number(port), '127.0.0.1', () => console.log('listening'))
