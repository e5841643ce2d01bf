// Prepared messages and publications are compressed once for all connections that can read that. The others get them as
// they are, and nobody's own window is led astray.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { prepare, type ServerOptions } from '../../src/index.js'
import { type ClientOptions, DeflateClient } from '../support/deflateClient.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

const PLAIN = { offer: 'x-none' }
const news = JSON.stringify(Array.from({ length: 40 }, (_, at) => ({ at, symbol: `SYM${at % 7}`, price: at * 1.01 })))

for (const { transport, publicApi } of transports) {
  describe(`what many are sent over ${transport}`, () => {
    /** A server, and clients with these offers. */
    async function crowd(t: TestContext, options: ServerOptions, clients: readonly ClientOptions[]) {
      const sockets: SocketClient[] = []
      t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
      const server = await serving(t, { deflate: true, closeTimeout: 1000, ...options, publicApi })
      const peers: DeflateClient[] = []
      for (const client of clients) {
        const socket = await SocketClient.open(server.port ?? 0)
        sockets.push(socket)
        peers.push(await DeflateClient.upgraded(socket, client))
      }
      return { server, peers }
    }

    test('a prepared message is compressed where that was agreed on, and own messages go on behind it', async (t) => {
      const { server, peers } = await crowd(t, {}, [{}, PLAIN, {}])
      const message = prepare(news)
      const short = prepare('short')
      for (const connection of server.connections) {
        connection.send(`own ${news}`)
        connection.send(message)
        connection.send(short)
        connection.send(`own ${news}`)
        connection.send(message, { compress: false })
      }
      message.release()
      for (const [at, peer] of peers.entries()) {
        const expected = [`own ${news}`, news, 'short', `own ${news}`, news]
        const compressed = at === 1 ? [] : [true, true, false, true, false]
        for (const [index, data] of expected.entries()) {
          const received = await peer.next()
          assert.equal(received.data, data)
          assert.equal(received.compressed, compressed[index] ?? false)
        }
      }
    })

    test('a publication is compressed for those who can read it, in order with everything else', async (t) => {
      const small = { offer: 'permessage-deflate; server_max_window_bits=9', windowBits: 9 }
      const options: ServerOptions = { open: (connection) => connection.subscribe('news') }
      const { server, peers } = await crowd(t, options, [{}, PLAIN, small, {}])
      const expected: string[] = []
      for (let round = 0; round < 6; round++) {
        server.publish('news', `${round} ${news}`)
        server.publish('news', `${round}`)
        for (const connection of server.connections) connection.send(`own ${round} ${news}`)
        server.publish('news', `again ${round} ${news}`)
        expected.push(`${round} ${news}`, `${round}`, `own ${round} ${news}`, `again ${round} ${news}`)
        if (round % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      for (const [at, peer] of peers.entries()) {
        for (const [index, data] of expected.entries()) {
          const received = await peer.next()
          assert.equal(received.data, data)
          const isShort = index % 4 === 1
          const isOwn = index % 4 === 2
          assert.equal(received.compressed, !isShort && at !== 1 && (at !== 2 || isOwn), `${at}: ${index}`)
        }
      }
    })

    test('a long publication is compressed, too, and one to others than its sender', async (t) => {
      const options: ServerOptions = {
        open: (connection) => connection.subscribe('news'),
        message: (connection, message) => void connection.publish('news', message),
      }
      const { peers } = await crowd(t, options, [{}, {}, PLAIN])
      const long = news.repeat(100)
      await peers[0]?.send(long)
      await peers[1]?.send('back')
      assert.equal((await peers[1]?.next())?.data, long)
      assert.equal((await peers[2]?.next())?.data, long)
      assert.equal((await peers[0]?.next())?.data, 'back')
    })

    test('what is published amid a stream waits, and is not compressed', async (t) => {
      const { server, peers } = await crowd(t, {}, [{}])
      const [connection] = server.connections
      assert.ok(connection !== undefined)
      connection.subscribe('news')
      connection.send(`own ${news}`)
      const sent = connection.sendStream(
        (async function* () {
          yield news
          server.publish('news', news)
          yield news
        })(),
      )
      await sent
      connection.send(`own ${news}`)
      const [peer] = peers
      assert.equal((await peer?.next())?.data, `own ${news}`)
      assert.equal((await peer?.next())?.data, news + news)
      const published = await peer?.next()
      assert.equal(published?.data, news)
      assert.equal(published?.compressed, false)
      assert.equal((await peer?.next())?.data, `own ${news}`)
    })
  })
}
