// Only users who have logged in may connect: the server looks up their cookie in a database before the connection opens. Log in
// with `curl -i -X POST 'http://127.0.0.1:9001/login?user=anna'`; the answer has the cookie.
import { createServer } from 'millrace'
import { createSession, userOf } from './database.mjs'

async function login(request, response) {
  const [path, query] = request.url.split('?', 2)
  const user = new URLSearchParams(query).get('user')
  if (request.method !== 'POST' || path !== '/login' || !user) return response.writeHead(404).end()
  const session = await createSession(user)
  // Add `; Secure` behind TLS.
  response.writeHead(204, { 'Set-Cookie': `session=${session}; HttpOnly; SameSite=Strict; Path=/` }).end()
}

const server = createServer({
  // Browsers send cookies with requests of any site's page. So: only ours.
  origins: ['self'],

  async upgrade(request) {
    const { session } = request.cookies
    // The signal aborts the look-up when the client leaves, or handshakeTimeout is over.
    const user = session === undefined ? undefined : await userOf(session, request.signal)
    return user === undefined ? { status: 401, body: 'log in first' } : { data: { user } }
  },

  // The database failed: the client has been answered 500. Without this it goes to standard error.
  upgradeFailed(request, error) {
    if (!request.signal.aborted) console.error('look-up failed', error)
  },

  open(connection) {
    connection.send(`hello ${connection.data.user}`)
  },

  // Everything that is no upgrade comes here.
  request(request, response) {
    login(request, response).catch((error) => {
      console.error('login failed', error)
      response.writeHead(500).end()
    })
  },
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001) })
console.log(`listening on http://127.0.0.1:${server.address.port}`)
