// socket.io: polling and its upgrade, rooms, binary, acknowledgements, recovery, and a broadcast to many.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import { io } from 'socket.io-client'
import { done, listen, until, ws } from './support.mjs'

const http = createServer()
const server = new Server(http, {
  ...(process.env.ENGINE === 'millrace, handed' ? { wsEngine: ws.WebSocketServer } : {}),
  perMessageDeflate: process.env.DEFLATE === '1',
  connectionStateRecovery: { maxDisconnectionDuration: 10_000, skipMiddlewares: true },
})
const port = await listen(http)
const url = `http://127.0.0.1:${port}`

server.on('connection', (socket) => {
  socket.on('echo', (...values) => values.pop()(...values))
  socket.on('join', (room, done) => {
    socket.join(room)
    done()
  })
  socket.on('to', (room, value) => socket.to(room).emit('told', value))
  socket.on('ask', async (done) => done(await socket.timeout(1000).emitWithAck('asked', 1)))
})

// Polling first, then the upgrade.
const first = io(url)
await once(first, 'connect')
if (first.io.engine.transport.name !== 'websocket') await once(first.io.engine, 'upgrade')
assert.equal(first.io.engine.transport.name, 'websocket')

// WebSocket from the beginning; the address is known in the callback.
const second = io(url, { transports: ['websocket'], forceNew: true })
await once(second, 'connect')
const sockets = await server.fetchSockets()
assert.ok(sockets.every(({ handshake }) => handshake.address.endsWith('127.0.0.1')))

// Acknowledgements with text, numbers and binary, both ways.
const bytes = Buffer.from([1, 2, 3])
assert.deepEqual(await second.emitWithAck('echo', 'text', 5, { deep: bytes }), 'text')
await new Promise((resolve) => {
  second.emit('echo', { deep: bytes, more: [bytes] }, 'é'.repeat(50_000), (one, two) => {
    assert.deepEqual(one, { deep: bytes, more: [bytes] })
    assert.equal(two.length, 50_000)
    resolve()
  })
})
first.on('asked', (value, answer) => answer(value + 1))
assert.equal(await first.emitWithAck('ask'), 2)

// Large binary.
const large = Buffer.alloc(900_000, 7)
await new Promise((resolve) => {
  second.emit('echo', large, (echo) => {
    assert.ok(large.equals(echo))
    resolve()
  })
})

// Rooms, and a broadcast to all that is made once.
const others = Array.from({ length: 20 }, () => io(url, { transports: ['websocket'], forceNew: true }))
await Promise.all(others.map((socket) => once(socket, 'connect')))
const told = []
for (const [at, socket] of [first, second, ...others].entries()) {
  socket.on('told', (value) => told.push([at, value]))
  socket.on('all', (...values) => told.push([at, ...values]))
}
await first.emitWithAck('join', 'room')
await second.emitWithAck('join', 'room')
second.emit('to', 'room', 'hello')
await until(() => told.length === 1, 'the room is told')
assert.deepEqual(told.splice(0), [[0, 'hello']])
server.emit('all', 'text', bytes)
server.to('room').emit('all', 'only the room')
await until(() => told.length === 24, 'all are told')
assert.equal(told.filter(([, text]) => text === 'text').length, 22)
assert.ok(told.filter(([, text]) => text === 'text').every(([, , binary]) => binary.equals(bytes)))

// Volatile, compressed or not, and many in order.
const numbers = []
second.on('number', (value) => numbers.push(value))
const secondOnServer = server.sockets.sockets.get(second.id)
for (let at = 0; at < 200; at++) secondOnServer.compress(at % 2 === 0).emit('number', at)
await until(() => numbers.length === 200, 'all numbers')
assert.deepEqual(
  numbers,
  Array.from({ length: 200 }, (_, at) => at),
)

// Recovery: what was told while a client was away arrives when it is back.
server.emit('all', 'offset')
await until(() => told.some(([at, text]) => at === 1 && text === 'offset'), 'the offset')
const { id } = second
const away = once(second, 'disconnect')
second.io.engine.close()
await away
server.to('room').emit('all', 'while away')
second.connect()
await once(second, 'connect')
assert.equal(second.recovered, true)
assert.equal(second.id, id)
await until(() => told.some(([at, text]) => at === 1 && text === 'while away'), 'what was missed')

// The reasons of an end, and the close of all.
const reason = once(secondOnServerNow(), 'disconnect')
second.disconnect()
assert.equal((await reason)[0], 'client namespace disconnect')
// A message that comes with one that is too large is heard.
const heard = []
server.sockets.sockets.get(others[0].id).on('log', (value) => heard.push(value.length))
const cut = once(others[0], 'disconnect')
others[0].emit('log', 'x')
others[0].emit('log', 'x'.repeat(2_000_000))
await cut
assert.deepEqual(heard, [1])

const gone = once(first, 'disconnect')
await new Promise((resolve) => server.close(resolve))
assert.equal((await gone)[0], 'transport close')
done()

function secondOnServerNow() {
  return server.sockets.sockets.get(second.id)
}
