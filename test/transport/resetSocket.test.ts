// A socket that is reset in the turn in which it ends: its handle must not stay open.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { test } from 'node:test'
import { resetSocket } from '../../src/transport/resetSocket.js'

test('a socket whose end has not left is closed by its reset', { timeout: 20_000 }, async (t) => {
  const server = createServer((peer) => peer.pause()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const accepted = once(server, 'connection')
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const [peer] = (await accepted) as [Socket]
  t.after(() => {
    peer.destroy()
    server.close()
  })
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.end()
  process.nextTick(() => process.nextTick(() => resetSocket(socket)))
  await closed
  assert.ok(socket.destroyed)
})
