// Express middleware decides who may connect: whatever it puts on the request (a session, a user) is there when the socket opens.
// Log in with `curl -i -X POST 'http://127.0.0.1:9001/login?user=anna'`. Needs `npm install express`.
import { createServer as createHttpServer } from 'node:http'
import express from 'express'
import { createServer } from 'millrace'
import { createSession, userOf } from './database.mjs'

/** Any middleware that reads a request: express-session and passport.authenticate work in the same way. */
async function session(request, _, next) {
  const id = /(?:^|; )session=([^;]*)/.exec(request.headers.cookie ?? '')?.[1]
  request.user = id && (await userOf(id))
  next()
}

const app = express()
app.use(session)
app.get('/', (request, response) => response.send(`hello ${request.user ?? 'stranger'}`))
app.post('/login', async (request, response) => {
  response.cookie('session', await createSession(request.query.user), { httpOnly: true, sameSite: 'strict' })
  response.status(204).end()
})

const sockets = createServer({
  origins: ['self'], // browsers send cookies with requests of any site's page
  open: (connection) => connection.send(`hello ${connection.data.user}`),
  message: (connection, message) => connection.send(`${connection.data.user}: ${message.text()}`),
})

const http = createHttpServer(app)
http.on('upgrade', (request, socket, head) => {
  socket.on('error', () => socket.destroy()) // nobody else listens until it is handed over
  session(request, {}, () => {
    const answer = request.user ? { data: { user: request.user } } : { status: 401, body: 'log in first' }
    sockets.handleUpgrade(request, socket, head, answer)
  }).catch((error) => {
    console.error(error)
    sockets.handleUpgrade(request, socket, head, { status: 500 })
  })
})

http.listen(Number(process.env.PORT ?? 9001), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`)
})

process.once('SIGINT', async () => {
  http.close()
  await sockets.close()
})
