// Clients that open and are dropped by the thousand while the server sends to all that it has: none of them is left in
// `clients`, each of them is told its end once, and a client that stays gets every message.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocket as WsClient } from 'ws'
import { WebSocketServer } from '../../src/ws.js'
import { effort } from '../support/effort.js'
import { head, portOf } from './serverEngines.js'

const SOCKETS = effort({ quick: 300, full: 10_000 })
const AT_ONCE = 100

test(`${SOCKETS} sockets opened and dropped during a broadcast`, { timeout: 120_000 }, async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const port = await portOf(server)
  let [opened, ended, sent] = [0, 0, 0]
  server.on('connection', (socket) => {
    opened++
    socket.on('error', () => undefined)
    socket.on('close', () => ended++)
  })
  const staying = new WsClient(`ws://127.0.0.1:${port}`)
  const heard: string[] = []
  staying.on('message', (data) => heard.push(String(data)))
  await once(staying, 'open')
  const timer = setInterval(() => {
    const text = String(sent++)
    for (const client of server.clients ?? []) Reflect.apply(Reflect.get(client, 'send'), client, [text])
  }, 1)
  let wanted = SOCKETS
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (wanted-- > 0) await comeAndGo(port, wanted % 2 === 0)
    }),
  )
  clearInterval(timer)
  while (server.clients?.size !== 1 || heard.length < sent) await turn()
  assert.deepEqual(
    heard,
    Array.from({ length: sent }, (_, at) => String(at)),
  )
  assert.equal(ended, opened - 1)
  assert.ok(opened > SOCKETS / 2, `only ${opened} were opened`)
  staying.close()
  await new Promise<void>((resolve) => server.close(() => resolve()))
})

/** Opens, and is dropped: amid what it is sent, or without having read a word. */
async function comeAndGo(port: number, reads: boolean): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(head())
  await once(socket, reads ? 'data' : 'connect')
  socket.resetAndDestroy()
  await once(socket, 'close')
}
