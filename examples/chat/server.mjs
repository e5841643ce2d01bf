// A chat with rooms. Start it with `node examples/chat/server.mjs`, and open the page that it names in two windows.
import { readFile } from 'node:fs/promises'
import { createServer, route } from 'millrace'

const page = await readFile(new URL('page.html', import.meta.url))

const room = route({
  origins: ['self'], // no other site's page may speak in the name of its visitors
  maxMessage: 4096,
  messageRate: 20, // messages per second and user
  outputPolicy: 'drop', // a user who reads too slowly misses messages; other users do not wait

  upgrade(request) {
    const name = request.query.get('name')?.trim()
    if (!name || name.length > 30) return { status: 400, body: 'say who you are: ?name=anna' }
    return { data: { name, room: request.params.room } }
  },

  open(connection) {
    const { name, room } = connection.data
    connection.subscribe(room)
    server.publish(room, JSON.stringify({ from: name, text: 'has come' }))
  },

  message(connection, message) {
    const { name, room } = connection.data
    if (message.isText) server.publish(room, JSON.stringify({ from: name, text: message.text() }))
  },

  close(connection) {
    const { name, room } = connection.data
    server.publish(room, JSON.stringify({ from: name, text: 'has gone' }))
  },
})

const server = createServer({
  routes: { '/rooms/:room': room },
  request: (_, response) => response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page),
})

await server.listen({ host: '127.0.0.1', port: Number(process.env.PORT ?? 9001) })
console.log(`listening on http://127.0.0.1:${server.address.port}`)
