// What a server counts is what its clients have sent and got: each tier, each opcode, both directions, whole, in fragments,
// as streams, to topics and compressed. The clients count with code that is not millrace's.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { WebSocket } from 'ws'
import { type Metrics, prepare, type Server, type ServerOptions } from '../../src/index.js'
import { BINARY, masked, PING, PONG, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const TIERS = ['7bit', '16bit', '64bit'] as const
const LENGTHS = { '7bit': [0, 125], '16bit': [126, 65_535], '64bit': [65_536, 100_000] }

/** All numbers of a direction, without those that are 0: `text 7bit`. */
function counted(by: Metrics['messagesSent']): Record<string, number> {
  const all = TIERS.flatMap((tier) =>
    Object.entries(by[tier]).map(([opcode, count]): [string, number] => [`${opcode} ${tier}`, count]),
  )
  return Object.fromEntries(all.filter(([, count]) => count > 0))
}

async function settled(server: Server, done: (metrics: Metrics) => boolean): Promise<Metrics> {
  let metrics = await server.metrics()
  for (let tries = 0; tries < 500 && !done(metrics); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    metrics = await server.metrics()
  }
  return metrics
}

for (const { transport, publicApi } of transports) {
  describe(`over ${transport}`, () => {
    const serve = (t: Parameters<typeof serving>[0], options: ServerOptions): Promise<Server> =>
      serving(t, { ...options, publicApi }) as Promise<Server>

    test('messages of each tier and kind count in both directions, with their bytes', async (t) => {
      const server = await serve(t, { message: (connection, message) => connection.send(message) })
      const client = await SocketClient.upgraded(server.port ?? 0)
      const expected: Record<string, number> = {}
      const bytes: Record<string, number> = {}
      for (const tier of TIERS) {
        for (const length of LENGTHS[tier]) {
          for (const [name, opcode] of [['text', TEXT] as const, ['binary', BINARY] as const]) {
            client.write(masked(opcode, Buffer.alloc(length, 'x')))
            expected[`${name} ${tier}`] = (expected[`${name} ${tier}`] ?? 0) + 1
            bytes[`${name} ${tier}`] = (bytes[`${name} ${tier}`] ?? 0) + length
          }
        }
      }
      await client.frames(12)
      const metrics = await server.metrics()
      assert.deepEqual(counted(metrics.messagesReceived), expected)
      assert.deepEqual(counted(metrics.messagesSent), expected)
      assert.deepEqual(counted(metrics.bytesReceived), bytes)
      assert.deepEqual(counted(metrics.bytesSent), bytes)
      await client.destroy()
    })

    test('a message in fragments counts once, by its length, and control frames between them count, too', async (t) => {
      const server = await serve(t, {
        message(connection, message) {
          connection.sendFragment(message.text().slice(0, 100), false)
          connection.ping()
          connection.sendFragment(message.text().slice(100), true)
          connection.sendFragment(new Uint8Array(70_000), false)
          connection.sendFragment(new Uint8Array(0), true)
        },
      })
      const client = await SocketClient.upgraded(server.port ?? 0)
      client.write(masked(TEXT, 'x'.repeat(100), false))
      client.write(masked(PING, 'in between'))
      client.write(masked(0, 'y'.repeat(100)))
      client.write(masked(PONG, 'unasked'))
      await client.frames(6)
      const { messagesReceived, bytesReceived, messagesSent, bytesSent } = await settled(
        server,
        (metrics) => metrics.messagesReceived['7bit'].pong === 1,
      )
      assert.deepEqual(counted(messagesReceived), { 'ping 7bit': 1, 'pong 7bit': 1, 'text 16bit': 1 })
      assert.deepEqual(counted(bytesReceived), { 'ping 7bit': 10, 'pong 7bit': 7, 'text 16bit': 200 })
      assert.deepEqual(counted(messagesSent), { 'ping 7bit': 1, 'pong 7bit': 1, 'text 16bit': 1, 'binary 64bit': 1 })
      assert.equal(bytesSent['16bit'].text, 200)
      assert.equal(bytesSent['64bit'].binary, 70_000)
      await client.destroy()
    })

    test('a message that is read as a stream, or sent as one, counts at its end', async (t) => {
      const server = await serve(t, {
        streamThreshold: 0,
        async stream(connection, stream) {
          await connection.sendStream(stream)
        },
      })
      const client = await SocketClient.upgraded(server.port ?? 0)
      client.write(masked(BINARY, Buffer.alloc(1000)))
      await settled(server, ({ messagesSent }) => messagesSent['16bit'].binary === 1)
      client.write(masked(BINARY, Buffer.alloc(300_000)))
      const metrics = await settled(server, ({ messagesSent }) => messagesSent['64bit'].binary === 1)
      assert.deepEqual(counted(metrics.messagesReceived), { 'binary 16bit': 1, 'binary 64bit': 1 })
      assert.deepEqual(counted(metrics.bytesReceived), { 'binary 16bit': 1000, 'binary 64bit': 300_000 })
      assert.deepEqual(counted(metrics.messagesSent), { 'binary 16bit': 1, 'binary 64bit': 1 })
      await client.destroy()
    })

    test('what is published counts once, its deliveries for each subscriber, and prepared messages as they are sent', async (t) => {
      const server = await serve(t, { open: (connection) => connection.subscribe('news') })
      const clients = await Promise.all([1, 2, 3].map(() => SocketClient.upgraded(server.port ?? 0)))
      await eventually(() => server.subscriberCount('news') === 3, 'three subscribers')
      for (let at = 0; at < 40; at++) server.publish('news', 'x'.repeat(at)) // more than 256 bytes, which are counted together
      server.publish('news', new Uint8Array(200_000))
      const news = prepare('prepared')
      for (const connection of server.connections) connection.send(news)
      await Promise.all(clients.map((client) => client.frames(42)))
      const metrics = await server.metrics()
      assert.deepEqual(counted(metrics.messagesSent), { 'text 7bit': 3 * 41, 'binary 64bit': 3 })
      assert.deepEqual(counted(metrics.bytesSent), { 'text 7bit': 3 * (780 + 8), 'binary 64bit': 600_000 })
      assert.deepEqual(metrics.publications, { local: 41, broker: 0 })
      assert.equal(metrics.deliveries, 3 * 41)
      assert.deepEqual([metrics.topics, metrics.subscriptions], [1, 3])
      await Promise.all(clients.map((client) => client.destroy()))
      const after = await settled(server, ({ connectionsOpen }) => connectionsOpen === 0)
      assert.deepEqual([after.topics, after.subscriptions], [0, 0])
    })

    test('compressed messages count as they travel, and what they were before stands apart', async (t) => {
      const server = await serve(t, {
        deflate: { threshold: 0 },
        open: (connection) => connection.subscribe('news'),
        message: (connection, message) => connection.send(message),
      })
      const client = new WebSocket(`ws://127.0.0.1:${server.port}`, { perMessageDeflate: { threshold: 0 } })
      await new Promise((resolve) => client.once('open', resolve))
      let came = 0
      client.on('message', () => came++)
      client.send('a'.repeat(1000))
      client.send(Buffer.alloc(500_000))
      await eventually(() => came === 2, 'both come back')
      server.publish('news', 'b'.repeat(1000))
      await eventually(() => came === 3, 'the publication comes')
      const metrics = await server.metrics()
      const { messagesReceived, bytesReceived, bytesSent, deflatePlain, deflateCompressed } = metrics
      assert.deepEqual(deflatePlain, { received: 501_000, sent: 502_000 })
      const sumOf = (by: Record<string, number>): number => Object.values(by).reduce((sum, one) => sum + one, 0)
      assert.equal(sumOf(counted(bytesReceived)), deflateCompressed.received)
      assert.equal(sumOf(counted(bytesSent)), deflateCompressed.sent)
      assert.ok(deflateCompressed.received < 5000 && deflateCompressed.sent < 5000)
      assert.deepEqual(counted(messagesReceived), { 'text 7bit': 1, 'binary 16bit': 1 })
      assert.equal(sumOf(counted(metrics.messagesSent)), 3)
      client.terminate()
    })
  })
}
