// Where there is no memory to compress what is sent, it is sent as it is: whichever allocation is refused, every message
// arrives, and what follows is inflated right, because the peer knows all that the window holds.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection, Server } from '../../src/index.js'
import { DeflateClient, orders } from '../support/deflateClient.js'
import { working } from '../support/deflateWorkers.js'
import { Refusals } from '../support/refusals.js'
import { eachTest, serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const LONG = orders.repeat(3)

/** What is sent, one after the other, and what that is. */
const WAYS: Readonly<Record<string, (connection: Connection) => readonly string[]>> = {
  'short messages': (connection) => {
    const texts = [500, 3000, 900].map((length) => orders.slice(0, length))
    for (const text of texts) connection.send(text)
    return texts
  },
  'messages with a draft of their own': (connection) => {
    const texts = [50_000, 60_000].map((length) => orders.slice(length / 10, length))
    for (const text of texts) connection.send(text)
    return texts
  },
  'messages for a thread': (connection) => {
    const texts = [LONG, orders.slice(0, 2000), `${orders}${LONG}`]
    for (const text of texts) connection.send(text)
    return texts
  },
  // Once a message has begun to be compressed, the rest of it must be, too: without memory, the connection would end.
  'a message in fragments': (connection) => {
    connection.sendFragment(orders.slice(0, 40_000), false)
    connection.sendFragment('', true)
    return [orders.slice(0, 40_000)]
  },
}

describe('without memory to compress', () => {
  const each = eachTest()
  let refusals: Refusals
  before(() => {
    refusals = new Refusals()
  })
  after(() => refusals.restore())

  async function trial(server: Server, send: (connection: Connection) => readonly string[], at: number): Promise<void> {
    const socket = await SocketClient.open(server.port ?? 0)
    const peer = await DeflateClient.upgraded(socket)
    const [connection] = server.connections
    assert.ok(connection !== undefined)
    refusals.refuse(at, at)
    for (const text of send(connection)) {
      const { data } = await peer.next()
      assert.ok(data === text, `allocation ${at} was refused: ${data.length} bytes for ${text.length}`)
    }
    refusals.stop()
    connection.send(orders.slice(0, 1500))
    assert.equal((await peer.next()).data, orders.slice(0, 1500))
    socket.destroy()
    await eventually(() => server.connections.size === 0, 'the connection ends')
  }

  for (const [name, send] of Object.entries(WAYS)) {
    test(`${name} arrive, whichever allocation is refused`, async (t) => {
      working(t, 'threads')
      const server = await serving(each, { deflate: true, closeTimeout: 100 })
      await trial(server, send, Infinity)
      const { used } = heapOfThread()
      let at = 1
      do await trial(server, send, at++)
      while (refusals.refused > 0)
      assert.ok(at > 2, 'nothing was refused')
      await eventually(() => heapOfThread().used <= used, 'nothing stays behind')
    })
  }
})
