// A long message that is being compressed or inflated elsewhere when its connection ends, or breaks a limit: what was sent
// leaves before Close, what nobody waits for is given up, and nothing stays behind.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { before, describe, type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection, Server, ServerOptions } from '../../src/index.js'
import { codecThreads } from '../../src/pool/codecThreads.js'
import { type ClientOptions, DeflateClient, orders } from '../support/deflateClient.js'
import { slowly, workers, working } from '../support/deflateWorkers.js'
import { CLOSE } from '../support/frames.js'
import { overHttp2 } from '../support/http2Bridge.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { eachTest, serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const MEBIBYTE = 1024 * 1024
const LONG = orders.repeat(4)
const STANDALONE: ClientOptions = {
  offer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  clientNoContextTakeover: true,
  serverNoContextTakeover: true,
}

interface Place {
  readonly server: Server
  readonly peer: DeflateClient
  readonly socket: SocketClient
  readonly connection: Connection
}

async function place(t: TestContext, options: ServerOptions, client?: ClientOptions): Promise<Place> {
  let socket: SocketClient | undefined
  t.after(() => socket?.destroy())
  const server = await serving(t, { deflate: true, closeTimeout: 1000, ...options })
  socket = await SocketClient.open(server.port ?? 0)
  const peer = await DeflateClient.upgraded(socket, client)
  const [connection] = server.connections
  assert.ok(connection !== undefined)
  return { server, peer, socket, connection }
}

/** A message of which every part is long on the wire, too. */
function random(length: number): Buffer {
  return Buffer.from(new Random(seed).bytes(length))
}

for (const { transport, publicApi } of transports) {
  for (const who of workers) {
    describe(`with ${who}, over ${transport}`, () => {
      const each = eachTest()
      // What a thread makes once stays: an outbox, tables, the engine for messages that stand alone.
      before(async () => {
        const server = await serving(each, {
          deflate: true,
          publicApi,
          message: (to, message) => void to.send(message),
        })
        const socket = await SocketClient.open(server.port ?? 0)
        const peer = await DeflateClient.upgraded(socket)
        for (const data of ['short', LONG, random(300_000)]) {
          await peer.send(data)
          await peer.next()
        }
        socket.destroy()
      })

      test('what was sent leaves before Close, compressed', async (t) => {
        working(t, who, slowly)
        const { peer, connection } = await place(t, { publicApi })
        for (let count = 0; count < 3; count++) connection.send(`${count}${LONG}`)
        connection.send('short')
        connection.close(4000, 'done')
        for (let count = 0; count < 3; count++) {
          const { data, compressed } = await peer.next()
          assert.equal(data, `${count}${LONG}`)
          assert.equal(compressed, true)
        }
        assert.equal((await peer.next()).data, 'short')
        assert.equal((await peer.next()).opcode, CLOSE)
      })

      for (const end of ['terminate', 'destroy'] as const) {
        test(`nothing stays behind when the ${end === 'terminate' ? 'server' : 'client'} ends the connection`, async (t) => {
          working(t, who, slowly)
          const heap = heapOfThread()
          const held = heap.used
          const { peer, socket, connection } = await place(t, { publicApi })
          connection.send(LONG)
          connection.send(LONG)
          await peer.send(random(200_000))
          if (end === 'terminate') connection.terminate()
          else socket.destroy()
          await eventually(() => !connection.isOpen && heap.used <= held, 'all of it is given back')
        })
      }

      // Over HTTP/2, the message is inflated in pieces as they come, and delivered by then.
      const ended = 'no message is delivered when its connection has been ended meanwhile'
      test(ended, { skip: overHttp2 }, async (t) => {
        working(t, 'threads', slowly)
        let messages = 0
        const { peer, connection } = await place(t, { publicApi, message: () => void messages++ })
        await peer.send(random(150_000))
        await delay(20) // the message is with the thread, or has not come yet
        connection.terminate()
        await delay(120)
        assert.equal(messages, 0)
      })

      test('longer messages than may be are refused at the limit', async (t) => {
        working(t, who)
        const { peer } = await place(t, { publicApi, maxMessage: 100_000 })
        const bytes = random(100_001)
        peer.client.write(peer.frames(1, await peer.compressed(bytes)))
        const { opcode, data } = await peer.next()
        assert.equal(opcode, CLOSE)
        assert.equal(Buffer.from(data).readUInt16BE(), 1009)
      })

      test('what is no DEFLATE amid a long message ends with 1007', async (t) => {
        working(t, who)
        const { peer } = await place(t, { publicApi })
        const packed = await peer.compressed(random(200_000))
        packed.fill(0xff, 100_000)
        peer.client.write(peer.frames(2, packed))
        const { opcode, data } = await peer.next()
        assert.equal(opcode, CLOSE)
        assert.equal(Buffer.from(data).readUInt16BE(), 1007)
      })

      for (const at of [10, 150_000]) {
        test(`text of which byte ${at} is no UTF-8 ends with 1007`, async (t) => {
          working(t, who)
          const { peer } = await place(t, { publicApi })
          const text = Buffer.from(random(150_000).toString('base64'))
          text[at] = 0xff
          peer.client.write(peer.frames(1, await peer.compressed(text)))
          const { opcode, data } = await peer.next()
          assert.equal(opcode, CLOSE)
          assert.equal(Buffer.from(data).readUInt16BE(), 1007)
        })
      }

      test('long messages of many get their turn when they do not fit all at once', async (t) => {
        working(t, who)
        const codes: string[] = []
        const server = await serving(t, {
          deflate: true,
          closeTimeout: 100,
          publicApi,
          maxMessage: 2 * MEBIBYTE,
          payloadMemory: 8 * MEBIBYTE,
          message: (connection, message) => void connection.send(`${message.byteLength}`),
          error: (_connection, error) => codes.push(Reflect.get(Object(error), 'code')),
        })
        const sockets: SocketClient[] = []
        t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
        const bytes = random(2 * MEBIBYTE)
        const peers: DeflateClient[] = []
        for (let count = 0; count < 12; count++) {
          const socket = await SocketClient.open(server.port ?? 0)
          sockets.push(socket)
          peers.push(await DeflateClient.upgraded(socket, STANDALONE))
        }
        await Promise.all(peers.map((peer) => peer.send(bytes)))
        for (const peer of peers) assert.equal((await peer.next()).data, `${bytes.length}`)
        assert.deepEqual(codes, [])
      })
    })
  }
}

test('threads that are ended amid their work are replaced, and their work is done', async (t) => {
  const { peer, connection } = await place(t, { message: (to, message) => void to.send(message) })
  const bytes = random(400_000)
  const ended = setInterval(() => void codecThreads()?.close(), 3)
  t.after(() => clearInterval(ended))
  connection.send(LONG)
  assert.equal((await peer.next()).data, LONG)
  for (let count = 0; count < 5; count++) {
    await peer.send(bytes)
    assert.ok(Buffer.from((await peer.next()).data).equals(bytes))
  }
})
