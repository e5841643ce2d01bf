// Topics over real sockets, by both transports: many subscribers, and one that does not read, under each policy.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { heapOfThread } from '../../src/codec/codec.js'
import type { OutputPolicy } from '../../src/connection/handlers.js'
import { route } from '../../src/server/options.js'
import { effort } from '../support/effort.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

/** A client of another make, and what it has got. */
async function listener(port: number, path = '/'): Promise<{ socket: WebSocket; got: string[] }> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  const got: string[] = []
  socket.on('message', (data) => void got.push(String(data)))
  await once(socket, 'open')
  return { socket, got }
}

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: everybody in a room hears everybody else, across routes, until they leave`, async (t) => {
    const server = await serving(t, {
      publicApi,
      open: (connection) => connection.subscribe('room'),
      message: (connection, message) => void connection.publish('room', message),
      close: (connection) => void connection.publish('room', 'somebody has left'),
      routes: { '/mute': route({ open: (connection) => connection.subscribe('room') }) },
    })
    const port = server.address?.port ?? 0
    const members = await Promise.all(Array.from({ length: 40 }, (_, n) => listener(port, n % 4 === 0 ? '/mute' : '/')))
    assert.equal(server.subscriberCount('room'), 40)
    for (const [n, { socket }] of members.entries()) {
      if (n % 4 > 0) for (let at = 0; at < 5; at++) socket.send(`${n}.${at}`)
    }
    await eventually(() => members.every(({ got }, n) => got.length === (n % 4 > 0 ? 29 * 5 : 30 * 5)), 'all have all')
    for (const [n, { got }] of members.entries()) {
      for (let from = 0; from < 40; from++) {
        const expected = from % 4 === 0 || from === n ? [] : [0, 1, 2, 3, 4].map((at) => `${from}.${at}`)
        assert.deepEqual(
          got.filter((text) => text.startsWith(`${from}.`)),
          expected,
          'in the order of each publisher',
        )
      }
    }
    members[1]?.socket.close()
    await eventually(() => members.every(({ got }, n) => n === 1 || got.at(-1) === 'somebody has left'), 'told')
    assert.equal(server.subscriberCount('room'), 39)
    for (const { socket } of members) socket.close()
    await eventually(() => server.connections.size === 0, 'all gone')
    assert.equal(server.subscriberCount('room'), 0)
    assert.equal(server.publish('room', 'nobody'), 0)
  })

  for (const outputPolicy of ['pause', 'drop', 'close'] satisfies OutputPolicy[]) {
    test(`by ${transport}: a subscriber that does not read, under the policy ${outputPolicy}, holds nobody back`, async (t) => {
      const codes: number[] = []
      const used = heapOfThread().used
      const server = await serving(t, {
        publicApi,
        outputPolicy,
        outputLimit: 1 << 20,
        outputCeiling: 4 << 20,
        closeTimeout: 300,
        open: (connection) => connection.subscribe('news'),
        close: (_, code) => void codes.push(code),
        error: () => undefined,
      })
      const port = server.address?.port ?? 0
      const reader = await listener(port)
      const deaf = await SocketClient.open(port)
      deaf.write(upgradeRequest())
      await deaf.response()
      deaf.socket.pause()
      const mostBuffered = (): number => Math.max(0, ...[...server.connections].map((one) => one.bufferedAmount))
      for (let n = 1; n <= effort({ quick: 100, full: 400 }); n++) {
        server.publish('news', `${n} `.padEnd(40_000, '.'))
        server.publish('news', Buffer.alloc(60_000))
        await eventually(() => reader.got.length === 2 * n, 'the reader has it')
        assert.ok(mostBuffered() <= (outputPolicy === 'pause' ? 5 << 20 : (1 << 20) + 200_000), `${mostBuffered()}`)
      }
      await eventually(() => codes.length === (outputPolicy === 'drop' ? 0 : 1), 'its end')
      assert.deepEqual(codes, { pause: [1006], drop: [], close: [1008] }[outputPolicy])
      await deaf.destroy()
      reader.socket.close()
      await eventually(() => server.connections.size === 0, 'all gone')
      await server.close()
      assert.ok(heapOfThread().used <= used + 300_000, 'at most a new outbox')
    })
  }
}

test('a broker hears of the first and the last subscriber of a topic, and of what is published', async (t) => {
  const calls: string[] = []
  let receive: (topic: string, payload: Uint8Array, isText: boolean) => void = () => undefined
  const server = await serving(t, {
    open: (connection) => connection.subscribe('news'),
    message: (connection, message) => void connection.publish('news', message),
    broker: {
      attach(given) {
        receive = given
      },
      subscribe: (topic) => void calls.push(`subscribe ${topic}`),
      unsubscribe: (topic) => void calls.push(`unsubscribe ${topic}`),
      publish: (topic, payload, isText) => void calls.push(`publish ${topic} ${Buffer.from(payload)} ${isText}`),
      statistics: { connected: true, published: 0, dropped: 0, received: 0, missed: 0 },
      close: async () => void calls.push('close'),
    },
  })
  const port = server.address?.port ?? 0
  const [anna, ben] = [await listener(port), await listener(port)]
  t.after(() => anna.socket.terminate())
  anna.socket.send('hällo')
  await eventually(() => ben.got.length === 1, 'it arrives')
  receive('news', Buffer.from('from elsewhere'), true)
  receive('news', Buffer.from([0x66, 0xff, 0x66]), true)
  receive('other', Buffer.from('nobody listens'), true)
  await eventually(() => ben.got.length === 3 && anna.got.length === 2, 'it arrives')
  assert.deepEqual(anna.got, ['from elsewhere', 'f\ufffdf'])
  server.publish('other', Buffer.from('bytes'))
  await server.close()
  assert.deepEqual(calls, [
    'subscribe news',
    'publish news hällo true',
    'publish other bytes false',
    'unsubscribe news',
    'close',
  ])
})
