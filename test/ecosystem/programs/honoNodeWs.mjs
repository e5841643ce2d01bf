// @hono/node-ws, which adds its listeners in a microtask: what comes with the request must not be lost.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { serve } from '@hono/node-server'
import { createNodeWebSocket } from '@hono/node-ws'
import { Hono } from 'hono'
import { done, open, until } from './support.mjs'

const app = new Hono()
const { injectWebSocket, upgradeWebSocket } = createNodeWebSocket({ app })
const events = []
app.get(
  '/echo',
  upgradeWebSocket((context) => ({
    onOpen: (_, socket) => socket.send(`hello ${context.req.query('name')}`),
    onMessage: ({ data }, socket) => socket.send(data),
    onClose: ({ code }) => events.push(code),
  })),
)
app.get('/', (context) => context.text('plain'))
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
injectWebSocket(server)
await once(server, 'listening')
const { port } = server.address()

const { client, messages, next } = await open(`ws://127.0.0.1:${port}/echo?name=you`)
client.send('text')
client.send(Buffer.from([1, 2, 3]))
await next(3)
assert.deepEqual(messages, ['hello you', 'text', Buffer.from([1, 2, 3])])
client.close(4000)
await until(() => events.includes(4000), 'the close')
assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'plain')

// A frame in the segment of the request.
const bare = connect(port, '127.0.0.1')
const head = [
  'GET /echo?name=early HTTP/1.1',
  'Host: a',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]
bare.write(
  Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69])]),
)
let text = ''
bare.on('data', (chunk) => (text += chunk.toString('latin1')))
await until(() => text.endsWith('hello early\x81\x02hi'), 'the early frame is echoed')
bare.destroy()
done()
