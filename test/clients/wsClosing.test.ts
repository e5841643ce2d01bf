// How a connection ends is what applications decide on (reconnect or not?): code and reason must arrive in both
// directions, with a real client at the other end.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Connection } from '../../src/index.js'
import { createEchoServer } from '../support/echoServer.js'
import { listening } from '../support/serving.js'
import { binary } from './payloads.js'
import { longestReason, Recorder, travellingCodes } from './recorder.js'
import { WsClient } from './wsClient.js'

const options = { timeout: 30_000 }
let recorder: Recorder

before(async () => {
  recorder = await Recorder.listen()
})
after(() => recorder.close())

test("the client's code and reason reach the server, and the code comes back", options, async () => {
  for (const code of travellingCodes) {
    for (const reason of ['', 'auf Wiedersehen', longestReason]) {
      const client = await WsClient.open(recorder.url)
      // RFC 6455, section 5.5.1: the answer echoes the code.
      assert.deepEqual(await client.close(code, reason), { code, reason: '' })
      assert.deepEqual(await recorder.ended.next(), { code, reason })
    }
  }
})

test("the server's code and reason reach the client, and the code comes back", options, async () => {
  for (const code of travellingCodes) {
    for (const reason of ['', 'auf Wiedersehen', longestReason]) {
      const { client, connection } = await meet()
      connection.close(code, reason)
      assert.deepEqual(await client.ended, { code, reason })
      assert.equal((await recorder.ended.next()).code, code)
    }
  }
})

test('a Close without a code is 1005 on both sides', options, async () => {
  const client = await WsClient.open(recorder.url)
  assert.deepEqual(await client.close(), { code: 1005, reason: '' })
  assert.deepEqual(await recorder.ended.next(), { code: 1005, reason: '' })
})

test('an end without Close is 1006 on the other side', options, async () => {
  const leaving = await WsClient.open(recorder.url)
  leaving.socket.terminate()
  assert.deepEqual(await recorder.ended.next(), { code: 1006, reason: '' })

  const { client, connection } = await meet()
  connection.terminate()
  assert.deepEqual(await client.ended, { code: 1006, reason: '' })
  assert.deepEqual(await recorder.ended.next(), { code: 1006, reason: '' })
})

test('messages sent right before Close come back before it', options, async () => {
  const client = await WsClient.open(recorder.url)
  for (let seed = 0; seed < 20; seed++) client.socket.send(binary(seed * 10_000, seed))
  const ended = client.close(4321, 'done')
  for (let seed = 0; seed < 20; seed++) assert.deepEqual(await client.messages.next(), binary(seed * 10_000, seed))
  assert.deepEqual(await ended, { code: 4321, reason: '' })
  await recorder.ended.next()
})

test('a ping of the server is answered, and both go on', options, async () => {
  const { client, connection } = await meet()
  connection.ping('are you there?')
  connection.ping(binary(125))
  assert.equal((await client.pings.next()).toString(), 'are you there?')
  assert.deepEqual(await client.pings.next(), binary(125))
  client.socket.send('yes')
  assert.equal(await client.messages.next(), 'yes')
  await client.close(1000)
  await recorder.ended.next()
})

test('what breaks a rule is told the code of that rule', options, async () => {
  const unmasked = await WsClient.open(recorder.url)
  unmasked.socket.send('without a mask', { mask: false })
  assert.equal((await unmasked.ended).code, 1002)

  const invalid = await WsClient.open(recorder.url)
  invalid.socket.send(Buffer.from([0x63, 0xff]), { binary: false })
  assert.equal((await invalid.ended).code, 1007)

  const long = await WsClient.open(recorder.url)
  long.socket.send(Buffer.alloc(1_048_577))
  assert.equal((await long.ended).code, 1009)
})

test('a server that closes tells its clients 1001, and is gone', options, async (t) => {
  const server = await listening(t, createEchoServer())
  const url = `ws://127.0.0.1:${server.address?.port}`
  const clients = await Promise.all(Array.from({ length: 10 }, () => WsClient.open(url)))
  await server.close()
  for (const client of clients) assert.deepEqual(await client.ended, { code: 1001, reason: '' })
  assert.equal(server.connections.size, 0)
  await assert.rejects(WsClient.open(url), { code: 'ECONNREFUSED' })
})

/** A client, and the server's end of its connection; those of earlier tests are forgotten. */
async function meet(): Promise<{ client: WsClient; connection: Connection }> {
  while (recorder.opened.left > 0) await recorder.opened.next()
  const client = await WsClient.open(recorder.url)
  return { client, connection: await recorder.opened.next() }
}
