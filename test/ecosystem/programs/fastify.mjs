// @fastify/websocket: routes, a subprotocol, its clients, injectWS without a network, and the close of the server.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import { done, open, until } from './support.mjs'

const app = fastify()
await app.register(websocket, { options: { maxPayload: 1000 } })
app.get('/echo', { websocket: true }, (socket, request) => {
  socket.send(`hello ${request.query.name}`)
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
})
app.get('/refused', { websocket: true, preValidation: async (_, reply) => reply.code(401).send('no') }, () => undefined)
app.get('/', async () => 'plain')
await app.listen({ port: 0, host: '127.0.0.1' })
const { port } = app.server.address()

const { client, messages, next } = await open(`ws://127.0.0.1:${port}/echo?name=you`)
client.send('text')
client.send(Buffer.from('bytes'))
await next(3)
assert.deepEqual(messages, ['hello you', 'text', Buffer.from('bytes')])
assert.equal(app.websocketServer.clients.size, 1)
assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'plain')

await assert.rejects(open(`ws://127.0.0.1:${port}/refused`), /401/)

// Over maxPayload.
const closed = once(client, 'close')
client.send('x'.repeat(1001))
assert.equal((await closed)[0], 1009)

// Without a network: both sides are the engine's.
let told
const injected = await app.injectWS(
  '/echo?name=inject',
  {},
  {
    onInit: (socket) => socket.on('message', (data) => (told = String(data))),
  },
)
await until(() => told === 'hello inject', 'the greeting')
injected.send('around')
await until(() => told === 'around', 'the echo')
injected.close(4000, 'enough')
assert.equal((await once(injected, 'close'))[0], 4000)

const last = await open(`ws://127.0.0.1:${port}/echo`)
const ended = once(last.client, 'close')
await app.close()
await ended
done()
