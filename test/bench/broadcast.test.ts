// The broadcast load: a server that forgets one connection, or says something twice, must not get a figure. The servers
// here are of ws, because what loads millrace should not be tried on millrace alone.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { type BroadcastOptions, broadcast } from '../../bench/support/loads.js'

const CONNECTIONS = 20
const PIPELINE = 4

/** What a server does when a message has come, instead of sending it to everyone. */
type Behaviour = (everyone: WebSocket[], message: Buffer) => void

async function serve(t: TestContext, behaviour: Behaviour): Promise<BroadcastOptions> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  server.on('connection', (socket) => {
    socket.on('message', (message: Buffer) => behaviour([...server.clients], message))
  })
  await once(server, 'listening')
  const url = new URL(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const pace = { duration: 0.05, warmup: 0.02, patience: 500 }
  return { url, connections: CONNECTIONS, size: 125, pipeline: PIPELINE, verify: false, ...pace }
}

function toAll(everyone: WebSocket[], message: Buffer): void {
  for (const client of everyone) client.send(message)
}

for (const verify of [false, true]) {
  test(`counts whole batches, and only those of the measured time${verify ? ', looking at every byte' : ''}`, async (t) => {
    let received = 0
    let before = 0
    let after = 0
    const options = await serve(t, (everyone, message) => {
      received++
      toAll(everyone, message)
    })
    const { messages, messagesPerSecond } = await broadcast(
      { ...options, verify },
      () => {
        before = received
      },
      () => {
        after = received
      },
    )
    assert.ok(before > 0 && after > before)
    assert.equal(messages, (after - before) * CONNECTIONS)
    assert.equal(messages % (PIPELINE * CONNECTIONS), 0)
    assert.ok(messagesPerSecond > 0 && messagesPerSecond <= messages / options.duration)
  })
}

const wrong: readonly (readonly [string, Behaviour, RegExp])[] = [
  ['forgets a connection', (all, message) => toAll(all.slice(1), message), /^4 of 80 deliveries did not come$/],
  [
    'forgets one connection and tells another twice',
    (all, message) => toAll([...all.slice(1), ...all.slice(-1)], message),
    /delivered more than was published/,
  ],
  ['answers with other bytes', (all) => toAll(all, Buffer.alloc(125)), /is not what was sent/],
  ['says nothing', () => undefined, /^80 of 80 deliveries did not come$/],
  ['closes a connection', (all) => all[3]?.close(), /sent Close/],
  ['breaks a connection', (all) => all[3]?.terminate(), /ended the connection|broke/],
]

for (const [title, behaviour, reason] of wrong) {
  test(`fails for a server that ${title}`, async (t) => {
    const options = await serve(t, behaviour)
    const verify = title.includes('bytes')
    await assert.rejects(broadcast({ ...options, verify }), (error: Error) => {
      assert.match(error.message, reason)
      return true
    })
  })
}

test('fails where nobody listens', async (t) => {
  const options = await serve(t, toAll)
  await assert.rejects(broadcast({ ...options, url: new URL('ws://127.0.0.1:1/') }), /nobody listens/)
})
