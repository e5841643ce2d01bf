// Where Node's private API is missing, a socket is used as any Duplex. What differs from the fast transport is what
// nobody sees in a unit test: the socket's own options.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serving } from '../support/serving.js'
import { WsClient } from './wsClient.js'

process.env['MILLRACE_PUBLIC_API'] = '1' // before the first use, which is when it is read

test('small messages leave at once, without waiting for the acknowledgement of the last', async (t) => {
  const server = await serving(t, {
    message(connection, message) {
      connection.send(message)
      setImmediate(() => connection.send('two'))
    },
  })
  const client = await WsClient.open(`ws://127.0.0.1:${server.address?.port}`)
  const began = performance.now()
  for (let round = 0; round < 30; round++) {
    client.socket.send('one')
    assert.equal(await client.messages.next(), 'one')
    assert.equal(await client.messages.next(), 'two')
  }
  // With Nagle's algorithm, `two` waits for the acknowledgement of `one`, which the client's system delays by 40 ms.
  const time = performance.now() - began
  await client.close(1000)
  assert.ok(time < 400, `30 rounds took ${Math.round(time)} ms`)
})
