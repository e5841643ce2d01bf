// Packages with little of their own: tinyws, koa-websocket, websocket-stream, the JSON stream that ShareDB uses.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import JsonStream from '@teamwork/websocket-json-stream'
import Koa from 'koa'
import koaWebsocket from 'koa-websocket'
import { tinyws } from 'tinyws'
import websocketStream from 'websocket-stream'
import { done, listen, open, until, ws } from './support.mjs'

// tinyws: an application of one function, which upgrades when it likes to; its fourth argument is a server of the user's.
const app = {
  handler: async (request, response) => {
    if (request.ws === undefined) return response.end('plain')
    const socket = await request.ws()
    socket.on('message', (data) => socket.send(`tiny ${data}`))
  },
}
const tiny = createServer((request, response) => app.handler(request, response))
tinyws(app, tiny, { paths: '/ws' }, new ws.WebSocketServer({ noServer: true }))
const tinyPort = await listen(tiny)
const one = await open(`ws://127.0.0.1:${tinyPort}/ws`)
one.client.send('hello')
await one.next()
assert.deepEqual(one.messages, ['tiny hello'])

// koa-websocket
const koa = koaWebsocket(new Koa())
koa.ws.use((context) => {
  context.websocket.send(`koa ${context.path}`)
  context.websocket.on('message', (data) => context.websocket.send(data.toString()))
})
const listening = koa.listen(0, '127.0.0.1')
await once(listening, 'listening')
const two = await open(`ws://127.0.0.1:${listening.address().port}/path`)
two.client.send('echo')
await two.next(2)
assert.deepEqual(two.messages, ['koa /path', 'echo'])

// websocket-stream, which extends the server of ws and uses arraybuffers.
const streams = createServer()
websocketStream.createServer({ server: streams }, (stream) => stream.pipe(stream))
const three = await open(`ws://127.0.0.1:${await listen(streams)}`)
three.client.send(Buffer.from('bytes'))
three.client.send(Buffer.alloc(100_000, 1))
await until(() => three.messages.reduce((sum, { length }) => sum + length, 0) === 100_005, 'the echo')
three.client.close(1000)
await once(three.client, 'close')

// The JSON stream
const json = createServer()
new ws.WebSocketServer({ server: json }).on('connection', (socket) => {
  const stream = new JsonStream(socket)
  stream.on('data', (value) => stream.write({ echo: value }))
})
const four = await open(`ws://127.0.0.1:${await listen(json)}`)
four.client.send('{"a":[1]}')
await four.next()
assert.deepEqual(four.messages, ['{"echo":{"a":[1]}}'])
const closed = once(four.client, 'close')
four.client.send('no JSON')
assert.equal((await closed.catch(() => [0]))[0], 1011)
done()
