// A socket that is reset while it ends: its handle must not stay open.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import process from 'node:process'
import { type TestContext, test } from 'node:test'
import { transportOf } from '../../src/transport/adopt.js'
import { resetSocket } from '../../src/transport/resetSocket.js'
import { privateApiForbidden } from '../support/privateApi.js'
import { settle } from '../support/settle.js'
import { Recorder } from '../support/socketHandles.js'

const timeout = 20_000
/** Bytes that no system takes while the peer reads nothing. */
const MUCH = 50_000_000

/** A socket whose peer reads nothing. */
async function toDeaf(t: TestContext): Promise<Socket> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const accepted = once(server, 'connection')
  const socket = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
  await once(socket, 'connect')
  const [peer] = (await accepted) as [Socket]
  t.after(() => {
    peer.destroy()
    server.close()
  })
  socket.on('error', () => undefined)
  return socket
}

test('a socket whose end has not left is closed by its reset', { timeout }, async (t) => {
  const socket = await toDeaf(t)
  const closed = once(socket, 'close')
  socket.end()
  process.nextTick(() => process.nextTick(() => resetSocket(socket)))
  await closed
  assert.ok(socket.destroyed)
})

for (const publicApi of [false, true]) {
  const skip = !publicApi && privateApiForbidden
  test(`a transport of ${publicApi ? 'the public' : 'the private'} API that is reset while its end waits is closed`, {
    timeout,
    skip,
  }, async (t) => {
    const socket = await toDeaf(t)
    const transport = transportOf(socket, publicApi)
    const recorder = new Recorder()
    transport.open(recorder)
    const closed = once(socket, 'close')
    transport.writeViews([Buffer.alloc(MUCH)])
    transport.end()
    await settle()
    transport.reset()
    await closed
    await settle()
    assert.equal(recorder.events.at(-1), 'closed')
  })
}
