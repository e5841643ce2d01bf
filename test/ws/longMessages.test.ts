// Long messages of millrace/ws are compressed by threads, or in slices, and everything keeps its order: messages, pings,
// Blobs, Close, and the callbacks.
import assert from 'node:assert/strict'
import { Blob, Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { type ClientOptions, DeflateClient, orders } from '../support/deflateClient.js'
import { dying, slowly, workers, working } from '../support/deflateWorkers.js'
import { CLOSE, PING } from '../support/frames.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { end, engines, portOf } from './serverEngines.js'

const LONG = orders.repeat(4)
const ALONE: ClientOptions = {
  offer: 'permessage-deflate; server_no_context_takeover',
  serverNoContextTakeover: true,
}

async function place(t: TestContext, client: ClientOptions = {}) {
  const [, facade] = engines
  assert.ok(facade !== undefined)
  const server = new facade.Server({ port: 0, host: '127.0.0.1', perMessageDeflate: { threshold: 0 } })
  t.after(() => end(server))
  const opened = new Promise<InstanceType<typeof import('ws').WebSocket>>((resolve) =>
    server.once('connection', resolve),
  )
  const socket = await SocketClient.open(await portOf(server))
  t.after(() => socket.destroy())
  const peer = await DeflateClient.upgraded(socket, client)
  return { ws: await opened, peer, socket }
}

for (const who of workers) {
  for (const [kind, client] of [
    ['with', {}],
    ['without', ALONE],
  ] as const) {
    describe(`long messages ${kind} takeover, compressed by ${who}`, () => {
      test('leave in order with all else, and so do the callbacks', async (t) => {
        const tasks = working(t, who, slowly)
        const { ws, peer } = await place(t, client)
        const called: number[] = []
        const call = (at: number) => (error?: Error | null) => void called.push(error ? -1 : at)
        ws.send(LONG, call(0))
        assert.ok(ws.bufferedAmount >= LONG.length)
        ws.send('short', call(1))
        ws.ping('ping', false, call(2))
        ws.send(Buffer.from(`2${LONG}`), call(3))
        ws.send(new Blob([`3${LONG}`]), call(4))
        ws.send(LONG, { compress: false }, call(5))
        ws.send('first, ', { fin: false }, call(6))
        ws.send(`last ${LONG}`, call(7))
        ws.send(`4${LONG}`, call(8))
        ws.close(4000, 'done')
        const expected = [LONG, 'short', 'ping', `2${LONG}`, `3${LONG}`, LONG, `first, last ${LONG}`, `4${LONG}`]
        for (const [at, text] of expected.entries()) {
          const { data, compressed, opcode } = await peer.next()
          assert.equal(data.toString(), text)
          assert.equal(compressed, at !== 2 && at !== 5)
          assert.equal(opcode === PING, at === 2)
        }
        assert.equal((await peer.next()).opcode, CLOSE)
        assert.deepEqual(called, [0, 1, 2, 3, 4, 5, 6, 7, 8])
        assert.equal(ws.bufferedAmount, 0)
        // Whole messages, one of them from a Blob, and the long fragment.
        assert.equal(tasks.filter((task) => task === 'fast').length, who === 'threads' ? 5 : 0)
      })

      test('in fragments leave in order with all else, whichever of the fragments are long', async (t) => {
        const tasks = working(t, who, slowly)
        const { ws, peer } = await place(t, client)
        const called: number[] = []
        const call = (at: number) => () => void called.push(at)
        ws.send(`first ${LONG}`, { fin: false }, call(0))
        ws.ping('ping', false, call(1))
        ws.send('short', { fin: false }, call(2))
        ws.send(new Blob([`blob ${LONG}`]), { binary: false, fin: false }, call(3))
        ws.send(`last ${LONG}`, call(4))
        ws.send(LONG, { compress: false, fin: false }, call(5))
        ws.send(LONG, call(6))
        ws.send(`whole ${LONG}`, call(7))
        assert.equal((await peer.next()).opcode, PING)
        for (const [at, text] of [
          `first ${LONG}shortblob ${LONG}last ${LONG}`,
          LONG + LONG,
          `whole ${LONG}`,
        ].entries()) {
          const { data, compressed } = await peer.next()
          assert.equal(data, text)
          assert.equal(compressed, at !== 1)
        }
        await eventually(() => called.length === 8, 'all callbacks are called')
        assert.deepEqual(called, [0, 1, 2, 3, 4, 5, 6, 7])
        assert.equal(tasks.filter((task) => task === 'fast').length, who === 'threads' ? 4 : 0)
      })

      test('are given up with their connection, and nothing stays behind', async (t) => {
        working(t, who, slowly)
        await place(t, client)
        const held = heapOfThread().used
        for (const ending of ['terminate', 'destroy'] as const) {
          const { ws, socket } = await place(t, client)
          const errors: (string | undefined)[] = []
          ws.send(LONG, { fin: ending === 'destroy' }, (error) => errors.push(error?.message))
          ws.send('behind', (error) => errors.push(error?.message))
          if (ending === 'terminate') ws.terminate()
          else socket.destroy()
          await eventually(() => errors.length === 2 && heapOfThread().used <= held, 'all of it is given back')
          // What is written before the client's end is seen has left.
          if (ending === 'terminate')
            assert.deepEqual(errors, Array(2).fill('The socket was closed while data was being compressed'))
        }
      })
    })
  }
}

test('long messages are right also if every thread dies amid its work', async (t) => {
  working(t, 'threads', dying)
  const { ws, peer } = await place(t)
  for (const mark of ['1', '2', '3', '4', '5']) ws.send(mark + LONG)
  for (const mark of ['1', '2', '3', '4', '5']) assert.equal((await peer.next()).data, mark + LONG)
})
