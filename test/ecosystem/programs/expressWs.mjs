// express-ws: routes of express that are WebSockets.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import express from 'express'
import expressWs from 'express-ws'
import { done, open } from './support.mjs'

const { app, getWss } = expressWs(express())
const seen = []
app.use((request, _, next) => {
  seen.push(request.url)
  next()
})
app.ws('/echo/:name', (socket, request) => {
  socket.send(`hello ${request.params.name}`)
  socket.on('message', (data) => socket.send(`echo ${data}`))
})
app.ws('/all', (socket) => {
  socket.on('message', (data) => {
    for (const client of getWss().clients) client.send(String(data))
  })
})
app.get('/', (_, response) => response.send('plain'))
const server = app.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const url = `ws://127.0.0.1:${port}`

const one = await open(`${url}/echo/you`)
one.client.send('text')
await one.next(2)
assert.deepEqual(one.messages, ['hello you', 'echo text'])
assert.equal(getWss().clients.size, 1)
const two = await open(`${url}/all`)
two.client.send('to all')
await one.next(3)
await two.next()
assert.equal(two.messages[0], 'to all')
// Where no route is, express-ws closes what it has opened.
const nowhere = await open(`${url}/nowhere`)
await once(nowhere.client, 'close')
assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'plain')
assert.ok(seen.some((path) => path.startsWith('/echo/you/.websocket')))
done()
