// A server under measurement that echoes over one version of HTTP: usage: server VERSION TLS. Over HTTP/1.1, it does so by the
// public API alone; over HTTP/2, as servers do by default.
import { createServer } from '../../src/index.js'
import { cert, key } from '../../test/support/certificate.js'
import { measured } from '../support/measured.js'

const [version, secure] = process.argv.slice(2)
const server = createServer({ publicApi: version !== '2', message: (connection, message) => connection.send(message) })
const tls = secure === 'tls' ? { tls: { key, cert } } : {}
const http2 = version === '2' ? { http2: secure === 'tls' ? true : ('cleartext' as const) } : {}
await server.listen({ host: '127.0.0.1', ...tls, ...http2 })
measured(() => server.address)
