// An echo server with TLS: wss://. KEY and CERT are the names of PEM files. This command makes a pair to try:
// openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem
import { readFile } from 'node:fs/promises'
import { createServer } from 'millrace'

const { KEY, CERT, PORT = '9001' } = process.env
if (KEY === undefined || CERT === undefined) {
  console.error('usage: KEY=key.pem CERT=cert.pem node examples/tls.mjs')
  process.exit(2)
}

const server = createServer({
  open(connection) {
    connection.send(connection.request.secure ? 'this is TLS' : 'this is not TLS')
  },
  message(connection, message) {
    connection.send(message)
  },
})

// The options are those of node:tls: `ca` and `requestCert` for client certificates, which `request.tls` shows to
// `upgrade`, `SNICallback` for several names.
const [key, cert] = await Promise.all([readFile(KEY), readFile(CERT)])
await server.listen({ host: '127.0.0.1', port: Number(PORT), tls: { key, cert } })
console.log(`listening on wss://127.0.0.1:${server.address.port}`)
