// Express and WebSockets on the same port. Needs `npm install express`.
import { createServer as createHttpServer } from 'node:http'
import express from 'express'
import { createServer, route } from 'millrace'

const app = express()
app.get('/', (_, response) => response.send('<!doctype html><title>Express</title><p>Sockets are at /echo.'))

const echo = route({
  origins: ['self'],
  message: (connection, message) => connection.send(message),
})
const sockets = createServer({ routes: { '/echo': echo } }) // other paths are refused with 404

// Java's client and `curl --http2` offer h2c with every request: that is none for us, but one for Express. Node.js before
// 22.21 ignores this option; there, `createServer({ request: app, ... })` and `listen` do the same on every version.
const shouldUpgradeCallback = ({ headers }) => /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headers.upgrade ?? '')
const http = createHttpServer({ shouldUpgradeCallback }, app)
http.on('upgrade', (request, socket, head) => sockets.handleUpgrade(request, socket, head))

http.listen(Number(process.env.PORT ?? 9001), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`)
})

process.once('SIGINT', async () => {
  http.close() // no new connections
  await sockets.close() // Close to those that are open
})
