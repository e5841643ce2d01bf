// Rooms with Hono: ws://127.0.0.1:9001/rooms/lobby?token=secret. Node.js 22.18 and later run it as it is: `node
// examples/hono/server.ts`. Needs `npm install hono @hono/node-server`.
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createWebSockets } from './helper.ts'

const app = new Hono()
const { upgradeWebSocket, injectWebSocket, server } = createWebSockets(app, { maxMessage: 64 * 1024 })

app.get('/', (c) => c.text('rooms are at /rooms/:room'))

app.use('/rooms/*', async (c, next) => {
  if (c.req.query('token') !== 'secret') return c.text('say who you are', 401)
  await next()
  c.header('X-Room', c.req.path)
})

app.get(
  '/rooms/:room',
  upgradeWebSocket((c) => {
    const room = c.req.param('room') ?? ''
    return {
      onOpen: (_, ws) => ws.raw?.subscribe(room),
      onMessage: ({ data }, ws) =>
        void ws.raw?.publish(room, typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer)),
    }
  }),
)

const http = serve(
  { fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 9001) },
  ({ port }) => {
    console.log(`listening on http://127.0.0.1:${port}`)
  },
)
injectWebSocket(http)

process.once('SIGINT', async () => {
  http.close()
  await server.close()
})
