// The echo server of uWebSockets.js, from the one place on npm that has its binaries.
import uws from '@trufflesuite/uws-js-unofficial'

const [port, deflate] = process.argv.slice(2)
uws
  .App()
  .ws('/*', {
    maxPayloadLength: 256 << 20,
    maxBackpressure: 256 << 20,
    idleTimeout: 0,
    compression: deflate === 'deflate' ? uws.SHARED_COMPRESSOR : uws.DISABLED,
    message: (socket, data, binary) => socket.send(data, binary, deflate === 'deflate'),
  })
  .listen('127.0.0.1', Number(port), (token) => (token ? console.log('listening') : process.exit(1)))
