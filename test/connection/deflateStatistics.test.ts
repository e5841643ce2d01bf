// How many bytes compressed messages had before and after: for a connection, and for all of a server.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { createServer, prepare, type Server } from '../../src/index.js'
import { DeflateClient, orders } from '../support/deflateClient.js'
import { listening, serving } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

const LONG = orders.repeat(3)

test('all that is compressed counts, however it is sent, and nothing else', async (t) => {
  const sockets: SocketClient[] = []
  t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
  const news = prepare(orders.slice(0, 1000))
  const server: Server = await serving(t, {
    deflate: true,
    closeTimeout: 100,
    open(connection) {
      connection.subscribe('news')
      connection.send(orders.slice(0, 500))
      connection.send('short')
      connection.send(orders.slice(0, 700), { compress: false })
      connection.send(LONG)
      connection.sendFragment(orders.slice(0, 300), false)
      connection.sendFragment(orders.slice(0, 300), true)
      connection.send(news)
    },
    message: () => void server.publish('news', orders.slice(0, 2000)),
  })
  const plain = 500 + LONG.length + 600 + 1000 + 2000 + 2000
  for (const _ of [0, 1]) {
    const socket = await SocketClient.open(server.port ?? 0)
    sockets.push(socket)
    const peer = await DeflateClient.upgraded(socket)
    let compressed = 0
    for (let count = 0; count < 6; count++) {
      const message = await peer.next()
      if (message.compressed) compressed += message.wire
    }
    const before = [...server.connections].at(-1)?.deflateStatistics
    assert.deepEqual(before?.sent, { plain: plain - 4000, compressed })
    assert.deepEqual(before?.received, { plain: 0, compressed: 0 })
    const packed = [await peer.compressed(LONG), await peer.compressed('x')]
    for (const bytes of packed) {
      peer.client.write(peer.frames(1, bytes, 2))
      const news = await peer.next()
      assert.equal(news.compressed, true)
      compressed += news.wire
    }
    const after = [...server.connections].at(-1)?.deflateStatistics
    assert.deepEqual(after?.sent, { plain, compressed })
    assert.deepEqual(after?.received, { plain: LONG.length + 1, compressed: Buffer.concat(packed).length })
  }
  const [statistics] = await server.statistics()
  const all = [...server.connections].map((connection) => connection.deflateStatistics)
  const sum = (direction: 'sent' | 'received', which: 'plain' | 'compressed'): number =>
    all.reduce((total, one) => total + (one?.[direction][which] ?? 0), 0)
  assert.deepEqual(statistics?.deflate.sent, { plain: sum('sent', 'plain'), compressed: sum('sent', 'compressed') })
  const received = { plain: sum('received', 'plain'), compressed: sum('received', 'compressed') }
  assert.deepEqual(statistics?.deflate.received, received)
  assert.equal(received.plain, 2 * (LONG.length + 1))
})

test('there is nothing to count where no compression was agreed on', async (t) => {
  const server = await listening(
    t,
    createServer({ closeTimeout: 100, open: (connection) => void connection.send(LONG) }),
  )
  const socket = await SocketClient.open(server.port ?? 0)
  t.after(() => socket.destroy())
  const peer = await DeflateClient.upgraded(socket)
  assert.equal((await peer.next()).data, LONG)
  const [connection] = server.connections
  assert.equal(connection?.deflateStatistics, undefined)
  const [statistics] = await server.statistics()
  assert.deepEqual(statistics?.deflate.sent, { plain: 0, compressed: 0 })
})
