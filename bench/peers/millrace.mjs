// The echo server of millrace, as this repository builds it; with `broadcast`, everyone gets what anyone says;
// with `documents`, large messages are parsed, in the pool; with `deflate`, messages are compressed for those who offer
// it; with `tls`, it has a key and a certificate.
import { readFileSync } from 'node:fs'
import { createServer } from '../../dist/src/index.js'

const [port, mode, key, cert] = process.argv.slice(2)
const server = createServer({
  maxMessage: 256 * 1024 * 1024,
  deflate: mode === 'deflate',
  ...(mode === 'documents' && { large: { module: new URL('./documents.mjs', import.meta.url) } }),
  ...(mode === 'broadcast' && { open: (connection) => connection.subscribe('all') }),
  message(connection, message) {
    if (mode === 'broadcast') server.publish('all', message)
    else connection.send(message)
  },
})
const tls = mode === 'tls' && { tls: { key: readFileSync(key), cert: readFileSync(cert) } }
await server.listen({ host: '127.0.0.1', port: Number(port), ...tls })
console.log('listening')
