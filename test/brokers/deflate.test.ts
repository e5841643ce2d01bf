// What comes from a broker is compressed once in each process, for all of its subscribers that can read it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Hub } from '../../src/brokers/hub.js'
import { HubBroker } from '../../src/brokers/hubBroker.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import { Deflater } from '../../src/codec/deflater.js'
import { DeflateClient } from '../support/deflateClient.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'

const MEMBERS = 10
const news = 'all of this is said again, '.repeat(40)

test('a publication of another process is compressed once for all subscribers', async (t) => {
  const hub = new Hub()
  const primary = new HubBroker(hub)
  const [mine, theirs] = await socketPair(t)
  hub.join(theirs)
  const server = await serving(t, {
    deflate: true,
    broker: new LinkBroker(mine),
    open: (connection) => connection.subscribe('news'),
  })
  const sockets: SocketClient[] = []
  t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
  const peers: DeflateClient[] = []
  for (let at = 0; at <= MEMBERS; at++) {
    const socket = await SocketClient.open(server.port ?? 0)
    sockets.push(socket)
    peers.push(await DeflateClient.upgraded(socket, { offer: at === MEMBERS ? 'x-none' : 'permessage-deflate' }))
  }
  await eventually(() => hub.statistics.subscriptions === 1, 'it is subscribed')
  const deflate = t.mock.method(Deflater.prototype, 'deflate')
  primary.publish('news', Buffer.from(news), true)
  for (const [at, peer] of peers.entries()) {
    const { data, compressed, wire } = await peer.next()
    assert.equal(data, news)
    assert.equal(compressed, at < MEMBERS)
    assert.ok(at === MEMBERS || wire < news.length / 4)
  }
  assert.equal(deflate.mock.callCount(), 1)
  await primary.close()
})
