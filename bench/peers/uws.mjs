// The echo server of uWebSockets.js, from the places on npm that have its binaries; with `broadcast`, everyone gets what
// anyone says; with `documents`, large messages are parsed. With `version`, it says which build it has loaded, and ends.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { platform, arch, versions } = process
const binary = `uws_${platform}_${arch}_${versions.modules}.node`
/** The newest build first. The second package has a server in JavaScript for where its binary is not: that is no peer. */
const builds = { uwebsockets: binary, '@trufflesuite/uws-js-unofficial': `binaries/${binary}` }

function newestBuild() {
  const problems = []
  for (const [name, file] of Object.entries(builds)) {
    try {
      return { uws: require(`${name}/${file}`), name }
    } catch ({ message }) {
      problems.push(`${name}: ${message.split('\n', 1)[0]}`)
    }
  }
  throw new Error(`no build of uWebSockets.js loads on Node.js ${versions.node} (${problems.join('; ')})`)
}

const [port, mode, key, cert] = process.argv.slice(2)
const { uws, name } = newestBuild()
if (port === 'version') console.log(`${name} ${require(`./node_modules/${name}/package.json`).version}`)
else if (mode !== undefined) serve()

/** One for all connections, without context takeover; or with it, and for each connection its own. */
function compressor() {
  if (process.env.UWS_COMPRESSION !== 'dedicated') return uws.SHARED_COMPRESSOR
  return uws.DEDICATED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR
}

function serve() {
  const app = mode === 'tls' ? uws.SSLApp({ key_file_name: key, cert_file_name: cert }) : uws.App()
  app
    .ws('/*', {
      maxPayloadLength: 256 << 20,
      maxBackpressure: 256 << 20,
      idleTimeout: 0,
      compression: mode === 'deflate' ? compressor() : uws.DISABLED,
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
}
