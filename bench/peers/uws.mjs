// The echo server of uWebSockets.js, from the one place on npm that has its binaries; with `broadcast`, everyone gets
// what anyone says; with `documents`, large messages are parsed.
import uws from '@trufflesuite/uws-js-unofficial'

const [port, mode] = process.argv.slice(2)
const app = uws.App()
app
  .ws('/*', {
    maxPayloadLength: 256 << 20,
    maxBackpressure: 256 << 20,
    idleTimeout: 0,
    compression: mode === 'deflate' ? uws.SHARED_COMPRESSOR : uws.DISABLED,
    ...(mode === 'broadcast' && { open: (socket) => socket.subscribe('all') }),
    message: (socket, data, binary) => {
      if (mode === 'broadcast') return app.publish('all', data, binary)
      if (mode === 'documents' && data.byteLength > 65_535) {
        return socket.send(String(JSON.parse(Buffer.from(data).toString()).length))
      }
      return socket.send(data, binary, mode === 'deflate')
    },
  })
  .listen('127.0.0.1', Number(port), (token) => (token ? console.log('listening') : process.exit(1)))
