// A peer that leaves is nobody's mistake: wherever an application waits for something of it, in whichever way, no exception
// arises that nobody was asked to catch, and nobody else is concerned. What went unhandled would fail the test it is in.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { MessageStream } from '../../src/connection/receiving/messageStream.js'
import type { ServerOptions } from '../../src/server/options.js'
import { connections } from '../support/connections.js'
import { masked, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

const PADDING = ' '.repeat(200_000)

type Use = (connection: Connection, message: MessageStream) => unknown

/** What a `stream` handler may do with an upload, and let go of. */
const UPLOADS: Readonly<Record<string, Use>> = {
  'a Readable that is piped on': (_, message) => void message.toReadable().pipe(new PassThrough()).resume(),
  'a Readable that nobody reads': (_, message) => void message.toReadable(),
  'a Readable whose data is listened to': (_, message) => void message.toReadable().on('data', () => undefined),
  'a Readable that is destroyed when it ends': (_, message) => {
    const readable = message.toReadable()
    readable.once('close', () => readable.destroy())
  },
  'a web stream that nobody reads': (_, message) => void message.toWeb(),
  'a web stream with a reader': (_, message) =>
    void message
      .toWeb()
      .getReader()
      .closed.catch(() => undefined),
  'a chunk that nobody waits for': (_, message) => void message.next(),
  'chunks asked for when it is over': (_, message) => void setTimeout(() => void message.next(), 300),
  'a handler that is async': async (_, message) => {
    for await (const chunk of message) assert.ok(chunk.length > 0)
  },
  'a stream that is sent back': (connection, message) => void connection.sendStream(message),
  'a stream that is sent back as a Readable': (connection, message) => void connection.sendStream(message.toReadable()),
  'a stream that is sent back as a web stream': (connection, message) => void connection.sendStream(message.toWeb()),
  'a ping': (connection) => void connection.ping(),
  'a stream that is sent': (connection) => void connection.sendStream(new PassThrough()),
  'a handler that awaits what is sent': (connection) => connection.sendStream(new PassThrough()),
  'a handler that awaits a pong': async (connection) => void (await connection.ping()),
  'a loop over the messages': async (connection) => {
    for await (const message of connection.messages()) assert.ok(message.byteLength > 0)
  },
}

for (const { transport, publicApi } of transports) {
  describe(`by ${transport}, a reset amid an upload`, () => {
    for (const [name, use] of Object.entries(UPLOADS)) {
      test(name, async (t) => {
        const said = t.mock.method(console, 'error', () => undefined)
        let closed = 0
        const options: ServerOptions = {
          publicApi,
          streamThreshold: 1000,
          pauseTimeout: 200, // while nobody reads the upload, nobody reads the end
          stream: use,
          close: () => void closed++,
        }
        const { client } = await pairOf(t, options)
        client.write(masked(TEXT, PADDING).subarray(0, 150_000))
        await new Promise((resolve) => setTimeout(resolve, 30))
        client.socket.resetAndDestroy()
        await eventually(() => closed > 0, 'the connection ends')
        await new Promise((resolve) => setTimeout(resolve, name.includes('over') ? 350 : 20))
        assert.equal(said.mock.callCount(), 0, 'nor does it fill the log')
      })
    }
  })
}

test('with the pool: a peer that leaves while a thread has its message', async (t) => {
  const module = new URL('../pool/largeModule.js', import.meta.url)
  let closed = 0
  const { client, connection } = await pairOf(t, { large: { module, threads: 1 }, close: () => void closed++ })
  client.write(masked(TEXT, `wait 200${PADDING}`))
  await new Promise((resolve) => setTimeout(resolve, 50))
  client.socket.resetAndDestroy()
  await eventually(() => closed > 0 && !connection.isOpen, 'the connection ends')
  await new Promise((resolve) => setTimeout(resolve, 300))
})

describe('amid an upload, in memory', () => {
  /** A stream whose peer has sent half of a message. */
  function half(errors: unknown[] = []) {
    let given: MessageStream | undefined
    const handlers = {
      stream(_: unknown, message: MessageStream) {
        given = message
      },
    }
    const place = connections({
      ...handlers,
      error: (_, error) => void errors.push(error),
      streamThreshold: 10,
    })
    const { peer, wire } = place.connect()
    wire.feed(masked(TEXT, 'x'.repeat(1000)).subarray(0, 500))
    assert.ok(given !== undefined)
    return { peer, wire, message: given, place }
  }

  test('a Readable is destroyed, without an error where nobody listens', async () => {
    const { message, peer } = half()
    const readable = message.toReadable()
    readable.resume()
    await settle()
    peer.terminate()
    await new Promise((resolve) => readable.on('close', resolve)) // `once` would listen for errors, too
    assert.equal(readable.destroyed, true)
    assert.equal(readable.readableEnded, false)
  })

  test('a Readable tells those who listen, and a pipeline rejects', async () => {
    const { message, peer } = half()
    const readable = message.toReadable()
    const heard: string[] = []
    readable.on('error', (error) => void heard.push(error.message))
    const sink = new Writable({ write: (_chunk, _encoding, done) => done() })
    const piped = pipeline(readable, sink)
    await settle()
    peer.terminate()
    await assert.rejects(piped, /the connection ended before the message did/)
    assert.deepEqual(heard, ['the connection ended before the message did'])
    assert.equal(sink.destroyed, true)
  })

  test('a loop over a Readable, or over a web stream, rejects', async () => {
    for (const kind of ['toReadable', 'toWeb'] as const) {
      const { message, peer } = half()
      const read = (async () => {
        for await (const chunk of message[kind]()) assert.ok(chunk.length > 0)
      })()
      await settle()
      peer.terminate()
      await assert.rejects(read, /the connection ended before the message did/)
    }
  })

  test('an error of the application’s own is still told to everybody', async () => {
    const { message } = half()
    const readable = message.toReadable()
    readable.destroy(new Error('mine'))
    const [error] = await once(readable, 'error')
    assert.equal(error.message, 'mine')
  })

  test('destroying a Readable leaves the message, whose rest is thrown away', async () => {
    const { message, wire, peer } = half()
    message.toReadable().destroy()
    await settle()
    wire.feed(masked(TEXT, 'x'.repeat(1000)).subarray(500))
    await settle()
    assert.equal(peer.isOpen, true)
  })
})

test('a handler of another connection that lets the error through is told of: that one is still there', async (t) => {
  const said = t.mock.method(console, 'error', () => undefined)
  const left = connections({}).connect()
  const { wire, peer } = connections({ message: async () => void (await left.peer.ping()) }).connect()
  wire.feed(masked(TEXT, 'ping the other one'))
  left.peer.terminate()
  await settle()
  assert.equal(peer.isOpen, false)
  assert.equal(said.mock.callCount(), 1)
})
