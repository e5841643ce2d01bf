// @hono/node-server 2, which takes a WebSocketServer of the user's.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Hono } from 'hono'
import { serve, upgradeWebSocket } from 'hono-node-server-2'
import { done, open, until, ws } from './support.mjs'

const app = new Hono()
const events = []
app.get(
  '/echo',
  upgradeWebSocket((context) => ({
    onOpen: (_, socket) => socket.send(`hello ${context.req.query('name')}`),
    onMessage: ({ data }, socket) => socket.send(data),
    onClose: ({ code }) => events.push(code),
  })),
)
const wss = new ws.WebSocketServer({ noServer: true })
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', websocket: { server: wss } })
await once(server, 'listening')
const url = `ws://127.0.0.1:${server.address().port}`
const { client, messages, next } = await open(`${url}/echo?name=you`)
client.send('text')
client.send(Buffer.from([1, 2, 3]))
await next(3)
assert.deepEqual(messages, ['hello you', 'text', Buffer.from([1, 2, 3])])
client.close(4000)
await until(() => events.includes(4000), 'the close')
await assert.rejects(open(`${url}/nothing`))
done()
