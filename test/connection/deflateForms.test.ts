// A long message that many are sent is compressed once for all of them, off the event loop, and keeps its place among all
// else that each of them is sent.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { type Connection, prepare, type ServerOptions } from '../../src/index.js'
import { codecThreads } from '../../src/pool/codecThreads.js'
import { type ClientOptions, DeflateClient, orders } from '../support/deflateClient.js'
import { dying, slowly, workers, working } from '../support/deflateWorkers.js'
import { effort } from '../support/effort.js'
import { CLOSE } from '../support/frames.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const LONG = orders.repeat(4)
const PLAIN = { offer: 'x-none' }
const SMALL = { offer: 'permessage-deflate; server_max_window_bits=9', windowBits: 9 }
const ALONE: ClientOptions = {
  offer: 'permessage-deflate; server_no_context_takeover',
  serverNoContextTakeover: true,
}

/** A server whose connections subscribe to `news`, and clients with these offers. */
async function crowd(t: TestContext, options: ServerOptions, clients: readonly ClientOptions[]) {
  const sockets: SocketClient[] = []
  t.after(() => Promise.all(sockets.map((socket) => socket.destroy())))
  const open: ServerOptions['open'] = (connection) => connection.subscribe('news')
  const server = await serving(t, { deflate: true, closeTimeout: 1000, open, ...options })
  const peers: DeflateClient[] = []
  for (const client of clients) {
    const socket = await SocketClient.open(server.port ?? 0)
    sockets.push(socket)
    peers.push(await DeflateClient.upgraded(socket, client))
  }
  return { server, peers, sockets }
}

async function expects(peer: DeflateClient | undefined, expected: readonly (readonly [string, boolean])[]) {
  for (const [text, compressed] of expected) {
    const received = await peer?.next()
    assert.equal(received?.data.length, text.length)
    assert.equal(received?.data, text)
    assert.equal(received?.compressed, compressed, text.slice(0, 20))
  }
}

for (const { transport, publicApi } of transports) {
  for (const who of workers) {
    describe(`a long message for many, compressed by ${who}, over ${transport}`, () => {
      test('is compressed once when it is published, in order with everything else', async (t) => {
        const tasks = working(t, who, slowly)
        const { server, peers } = await crowd(t, { publicApi }, [{}, PLAIN, SMALL, ALONE])
        const news = 'news that are long enough to be compressed, '.repeat(30)
        for (const connection of server.connections) connection.send(`first ${news}`)
        server.publish('news', LONG)
        server.publish('news', news)
        server.publish('news', 'short')
        for (const connection of server.connections) connection.send(`own ${news}`)
        await eventually(() => who === 'slices' || tasks.length === 1, 'the thread')
        await expects(peers[0], [
          [`first ${news}`, true],
          [LONG, true],
          [news, true],
          ['short', false],
          [`own ${news}`, true],
        ])
        await expects(peers[1], [
          [`first ${news}`, false],
          [LONG, false],
          [news, false],
          ['short', false],
          [`own ${news}`, false],
        ])
        await expects(peers[2], [
          [`first ${news}`, true],
          [LONG, false],
          [news, false],
          ['short', false],
          [`own ${news}`, true],
        ])
        await expects(peers[3], [
          [`first ${news}`, true],
          [LONG, true],
          [news, true],
          ['short', false],
          [`own ${news}`, true],
        ])
        for (const connection of server.connections) connection.send(`last ${news}`)
        for (const [at, peer] of peers.entries()) await expects(peer, [[`last ${news}`, at !== 1]])
        assert.deepEqual(tasks, who === 'threads' ? ['fast'] : [])
      })

      test('is compressed once when it is prepared, however often it is sent and published', async (t) => {
        const tasks = working(t, who)
        const { server, peers } = await crowd(t, { publicApi }, [{}, {}, PLAIN])
        const message = prepare(LONG)
        for (const connection of server.connections) {
          const results = [connection.send(message), connection.send('short'), connection.send(message)]
          if (connection.deflateStatistics !== undefined)
            assert.deepEqual(results, ['buffered', 'buffered', 'buffered'])
          connection.send(message, { compress: false })
        }
        server.publish('news', message)
        for (const [at, peer] of peers.entries()) {
          const isPlain = at === 2
          await expects(peer, [
            [LONG, !isPlain],
            ['short', false],
            [LONG, !isPlain],
            [LONG, false],
            [LONG, !isPlain],
          ])
        }
        for (const connection of server.connections) connection.send(message)
        message.release()
        for (const [at, peer] of peers.entries()) await expects(peer, [[LONG, at !== 2]])
        assert.deepEqual(tasks, who === 'threads' ? ['fast'] : [])
        for (const connection of server.connections) {
          const sent = connection.deflateStatistics?.sent
          if (sent !== undefined) assert.equal(sent.plain, 4 * LONG.length)
        }
      })

      test('leaves before Close, and nothing stays behind', async (t) => {
        working(t, who, slowly)
        const held = heapOfThread().used
        const { server, peers, sockets } = await crowd(t, { publicApi }, [{}, {}, {}])
        server.publish('news', LONG)
        const [first, second, third] = server.connections
        first?.close(4000, 'done')
        second?.terminate()
        const { data } = (await peers[0]?.next()) ?? {}
        assert.equal(data, LONG)
        assert.equal((await peers[0]?.next())?.opcode, CLOSE)
        assert.equal((await peers[2]?.next())?.data, LONG)
        third?.send('on')
        assert.equal((await peers[2]?.next())?.data, 'on')
        for (const socket of sockets) socket.destroy()
        await eventually(() => server.connections.size === 0 && heapOfThread().used <= held, 'the end')
      })

      test('keeps its place among whatever else is sent, in any order', async (t) => {
        working(t, who)
        const { server, peers } = await crowd(t, { publicApi, outputLimit: 64 * 1024 * 1024 }, [
          {},
          ALONE,
          PLAIN,
          SMALL,
        ])
        const random = new Random(seed)
        const expected: string[] = []
        const text = (): string => {
          const from = random.between(0, 100_000)
          return LONG.slice(from, from + random.pick([0, 20, 3000, 100_000, 140_000, 300_000]))
        }
        const kept = Array.from({ length: 3 }, () => text())
        const prepared = kept.map((each) => prepare(each))
        const each = (send: (connection: Connection) => unknown): void => {
          for (const connection of server.connections) send(connection)
        }
        const actions: readonly (() => void)[] = [
          () => expected.push(text()) && void server.publish('news', expected.at(-1) ?? ''),
          () => expected.push(text()) && each((connection) => connection.send(expected.at(-1) ?? '')),
          () => {
            const at = random.below(kept.length)
            expected.push(kept[at] ?? '')
            const message = prepared[at] ?? assert.fail()
            if (random.below(2) === 0) server.publish('news', message)
            else each((connection) => connection.send(message))
          },
          () => {
            const parts = [text(), text(), text()]
            expected.push(parts.join(''))
            each((connection) => {
              for (const [at, part] of parts.entries()) connection.sendFragment(part, at === 2)
            })
          },
        ]
        for (let count = 0; count < effort({ quick: 20, full: 200 }); count++) {
          random.pick(actions)()
          if (random.below(4) === 0) await new Promise((resolve) => setImmediate(resolve))
        }
        each((connection) => connection.close(4000, 'done'))
        for (const message of prepared) message.release()
        await Promise.all(
          peers.map(async (peer, at) => {
            for (const [index, message] of expected.entries()) {
              const { data } = await peer.next()
              assert.ok(data === message, `peer ${at}, message ${index}, seed ${seed}`)
            }
            assert.equal((await peer.next()).opcode, CLOSE)
          }),
        )
      })

      test('is sent as it is where it does not get shorter', async (t) => {
        working(t, who)
        const { server, peers } = await crowd(t, { publicApi }, [{}, {}])
        const bytes = Buffer.from(new Random(seed).bytes(300_000))
        server.publish('news', bytes)
        for (const peer of peers) {
          const { data, compressed } = await peer.next()
          assert.ok(bytes.equals(Buffer.from(data)))
          assert.equal(compressed, false)
        }
      })
    })
  }

  describe(`what waits for a long message, over ${transport}`, () => {
    test('is right also if every thread dies amid its work', async (t) => {
      working(t, 'threads', dying)
      const { server, peers } = await crowd(t, { publicApi }, [{}, {}])
      for (const round of ['1', '2', '3']) server.publish('news', round + LONG)
      for (const peer of peers)
        await expects(peer, [
          [`1${LONG}`, true],
          [`2${LONG}`, true],
          [`3${LONG}`, true],
        ])
    })

    test('is bounded, also where it was published', async (t) => {
      let begin = (): void => undefined
      const begun = new Promise<void>((resolve) => {
        begin = resolve
      })
      working(t, 'threads', async (task) => {
        await begun
        return task()
      })
      const { server, peers } = await crowd(t, { publicApi, outputLimit: 1024 }, [{}])
      const [connection] = server.connections
      connection?.send(LONG)
      const news = Buffer.from(new Random(seed).bytes(100_000))
      const count = 400
      for (let n = 0; n < count; n++) {
        server.publish('news', news)
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      // What would not fit any more has left without the thread.
      const [peer] = peers
      await peer?.client.until(() => peer.client.received.length > 100_000, 'what had to leave')
      begin()
      assert.equal((await peer?.next())?.data, LONG)
      for (let n = 0; n < count; n++) assert.equal((await peer?.next())?.data.length, news.length)
      assert.ok(codecThreads() !== undefined)
    })
  })
}
