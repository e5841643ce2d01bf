// A message that never becomes whole leaves nothing behind on its socket, which the application may keep.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { WebSocketServer } from '../../src/ws.js'
import { eventually } from '../support/socketClient.js'

const MiB = 1024 * 1024
const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n\r\n'

const PEERS = 64

/** The header of a masked binary message of 224 KiB whose key is 0, and the first bytes of it. */
const HALF = Buffer.concat([Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 3, 0x80, 0, 0, 0, 0, 0]), Buffer.alloc(64 * 1024)])

/** Bytes of array buffers that are still referred to. */
function arrayBuffers(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().arrayBuffers
}

test('a closed socket that is kept does not keep the message that was arriving', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  t.after(() => server.close())
  await once(server, 'listening')
  const before = arrayBuffers()
  const { port } = server.address() as AddressInfo
  const sockets = []
  for (let count = 0; count < PEERS; count++) {
    const peer = connect(port, '127.0.0.1').on('error', () => undefined)
    peer.write(HANDSHAKE)
    const [socket] = await once(server, 'connection')
    socket.on('error', () => undefined)
    peer.write(HALF)
    sockets.push({ peer, socket })
  }
  await eventually(() => arrayBuffers() >= before + 12 * MiB, 'each message has memory of its own')
  const closed = sockets.map(({ socket }) => once(socket, 'close'))
  for (const { peer } of sockets) peer.destroy()
  await Promise.all(closed)
  // What a collection has found may be given back by a thread of V8 a little later.
  await eventually(() => arrayBuffers() < before + 6 * MiB, 'nothing of it is kept')
  assert.ok(sockets.every(({ socket }) => socket.readyState === 3))
})
