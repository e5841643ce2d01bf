// The echo server of Bun, run by Bun itself; with `broadcast`, everyone gets what anyone says; with
// `documents`, large messages are parsed.
const [port, mode, key, cert] = process.argv.slice(2)
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  ...(mode === 'tls' && { tls: { key: Bun.file(key), cert: Bun.file(cert) } }),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no upgrade', { status: 426 })),
  websocket: {
    maxPayloadLength: 256 << 20,
    backpressureLimit: 256 << 20,
    idleTimeout: 0,
    perMessageDeflate: mode === 'deflate',
    ...(mode === 'broadcast' && { open: (socket) => socket.subscribe('all') }),
    message: (socket, data) => {
      if (mode === 'broadcast') return server.publish('all', data)
      if (mode === 'documents' && data.length > 65_535) return socket.send(String(JSON.parse(data).length))
      return socket.send(data, mode === 'deflate')
    },
  },
})
console.log('listening')
