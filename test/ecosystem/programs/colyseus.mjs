// Colyseus with its ws-transport: a room, messages both ways, a reconnection.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { Room, Server } from '@colyseus/core'
import { Client } from '@colyseus/sdk'
import { WebSocketTransport } from '@colyseus/ws-transport'
import { done, until } from './support.mjs'

const events = []
class Lobby extends Room {
  onCreate() {
    this.onMessage('echo', (client, value) => client.send('echo', value))
    this.onMessage('all', (_, value) => this.broadcast('all', value))
  }
  onJoin(client) {
    events.push(`join ${client.sessionId}`)
  }
  onLeave(client) {
    events.push(`leave ${client.sessionId}`)
  }
}
const http = createServer()
const server = new Server({
  greet: false,
  transport: new WebSocketTransport({ server: http, pingInterval: 50, pingMaxRetries: 20 }),
  gracefullyShutdown: false,
})
server.define('lobby', Lobby)
await server.listen(0, '127.0.0.1')
const { port } = http.address()
const client = new Client(`http://127.0.0.1:${port}`)
const rooms = [await client.joinOrCreate('lobby'), await client.joinOrCreate('lobby')]
assert.equal(rooms[0].roomId, rooms[1].roomId)
const told = []
for (const [at, room] of rooms.entries()) {
  for (const type of ['echo', 'all']) room.onMessage(type, (value) => told.push([at, type, value]))
}
rooms[0].send('echo', { text: 'é', list: [1, 2] })
await until(() => told.some(([, type]) => type === 'echo'), 'the echo')
assert.deepEqual(
  told.find(([, type]) => type === 'echo'),
  [0, 'echo', { text: 'é', list: [1, 2] }],
)
rooms[1].send('all', 'x'.repeat(2000))
await until(() => told.filter(([, type]) => type === 'all').length === 2, 'all are told')
// Some rounds of its pings.
await new Promise((resolve) => setTimeout(resolve, 300))
assert.equal(events.filter((event) => event.startsWith('join')).length, 2)
for (const room of rooms) await room.leave()
await until(() => events.filter((event) => event.startsWith('leave')).length === 2, 'both leave')
await server.gracefullyShutdown(false)
done()
