// The echo server of Bun, run by Bun itself.
const [port, deflate] = process.argv.slice(2)
Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('no upgrade', { status: 426 })),
  websocket: {
    maxPayloadLength: 256 << 20,
    backpressureLimit: 256 << 20,
    idleTimeout: 0,
    perMessageDeflate: deflate === 'deflate',
    message: (socket, data) => socket.send(data, deflate === 'deflate'),
  },
})
console.log('listening')
