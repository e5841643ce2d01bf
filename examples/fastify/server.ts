// Rooms with Fastify: ws://127.0.0.1:9001/rooms/lobby?name=anna. Node.js 22.18 and later run it as it is: `node
// examples/fastify/server.ts`. Needs `npm install fastify`.
import Fastify from 'fastify'
import { millrace } from './plugin.ts'

const app = Fastify()
await app.register(millrace, { maxMessage: 64 * 1024 })

app.get('/', async () => 'rooms are at /rooms/:room')

app.websocket(
  '/rooms/:room',
  {
    open(connection) {
      const { room } = connection.data.request.params as { room: string }
      connection.subscribe(room)
    },
    message(connection, message) {
      const { params, query } = connection.data.request
      const { room } = params as { room: string }
      const { name } = query as { name: string }
      app.websockets.publish(room, `${name}: ${message.text()}`)
    },
  },
  { schema: { querystring: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } } },
)

const address = await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 9001) })
console.log(`listening on ${address}`)
process.once('SIGINT', () => app.close())
