// Many sockets come and go while the server sends to all of them: each is forgotten, each callback is called once, and what
// was kept for those who did not read is given back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { WebSocket, WebSocketServer } from '../../src/ws.js'
import { effort } from '../support/effort.js'
import { masked, TEXT } from '../support/frames.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const SOCKETS = effort({ quick: 300, full: 10_000 })
const AT_ONCE = 50
const text = 'x'.repeat(2000)

test(`${SOCKETS} sockets that are opened and dropped during broadcasts leave nothing behind`, async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const count = { opened: 0, closed: 0, sent: 0, called: 0 }
  server.on('connection', (socket) => {
    count.opened++
    socket.on('error', () => undefined)
    socket.on('close', () => count.closed++)
    socket.on('message', (data: Buffer) => {
      for (const client of server.clients ?? []) {
        assert.ok(client instanceof WebSocket)
        count.sent++
        client.send(data, { binary: false }, () => count.called++)
      }
    })
  })
  await wave(port, 0)
  await eventually(() => server.clients?.size === 0, 'the first have gone, and what they share is there')
  const before = heapOfThread().used
  for (let opened = AT_ONCE; opened < SOCKETS; opened += AT_ONCE) await wave(port, opened)
  await eventually(() => server.clients?.size === 0, 'all have gone')
  await eventually(() => count.called === count.sent, 'all callbacks')
  assert.equal(count.opened, SOCKETS)
  assert.equal(count.closed, SOCKETS)
  assert.ok(count.sent >= SOCKETS)
  await eventually(() => heapOfThread().used <= before, 'all memory is back')
  await new Promise((resolve) => server.close(resolve))
})

/** Some of them come, each says something, some read and some do not, and all go, each in one of three ways. */
async function wave(port: number, first: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: AT_ONCE }, () => SocketClient.upgraded(port)))
  for (const [at, client] of clients.entries()) {
    if (at % 4 === 0) client.socket.pause()
    client.write(masked(TEXT, text))
  }
  await Promise.all(
    clients.map(async (client, at) => {
      const way = (first + at) % 3
      if (way === 0) client.socket.resetAndDestroy()
      else if (way === 1) client.socket.end()
      await client.destroy()
    }),
  )
}
