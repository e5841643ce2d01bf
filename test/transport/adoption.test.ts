// A socket that node:http has had is adopted by its handle. What it had read must not be lost, its own 'close' must
// happen, and whoever counts it must get to know: otherwise the user's server waits for ever when it closes.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { bindings, streamHandleOf } from '../../src/internals/node.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { describe, test } from '../support/privateApi.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

interface Adopted {
  readonly http: HttpServer
  readonly client: SocketClient
  readonly socket: Socket
  readonly transport: HandleTransport
  readonly recorder: Recorder
  /** What had been read before the handle was taken. */
  readonly early: Buffer
}

/** A user's HTTP server whose upgrade is adopted after `wait` milliseconds; `sent` goes out with the request. */
async function adopted(t: TestContext, sent: readonly Buffer[], wait = 0): Promise<Adopted> {
  const http = createServer()
  t.after(() => http.close())
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const upgrade: Promise<[IncomingMessage, Duplex, Buffer]> = new Promise((resolve) =>
    http.on('upgrade', (...values) => resolve(values)),
  )
  const address = http.address()
  const client = await SocketClient.open(typeof address === 'object' ? (address?.port ?? 0) : 0)
  await client.writePieces(sent)
  const [, socket, head] = await upgrade
  assert.ok(socket instanceof Socket)
  socket.unref()
  if (wait > 0) {
    // An application that waits for something has to keep what comes meanwhile: a socket reads ahead.
    socket.resume()
    socket.pause()
    await delay(wait)
  }
  // Node 26 gives one chunk a call, older ones give all of them at once.
  const early = [head]
  while (socket.readableLength > 0) early.push(socket.read())
  const handle = streamHandleOf(socket)
  assert.equal(handle?.constructor, bindings()?.TCP)
  assert.ok(handle !== undefined)
  const transport = new HandleTransport(handle, socket)
  const recorder = new Recorder()
  return { http, client, socket, transport, recorder, early: Buffer.concat(early) }
}

const request = latin1(upgradeRequest())

function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 11 + (at >> 8) * 3) & 0xff
  return bytes
}

describe('no byte is lost between node:http and the handle', () => {
  for (const length of [0, 10, 65_536, 300_000, 2_000_000]) {
    for (const wait of [0, 60]) {
      test(`${length} bytes after the request, adopted ${wait === 0 ? 'at once' : `after ${wait} ms`}`, async (t) => {
        const bytes = pattern(length)
        const { client, transport, recorder, early } = await adopted(t, [Buffer.concat([request, bytes])], wait)
        transport.open(recorder)
        const later = pattern(1000)
        client.write(later)
        await eventually(() => early.length + recorder.bytes.length === length + later.length, 'all bytes')
        assert.ok(Buffer.concat([early, recorder.bytes]).equals(Buffer.concat([bytes, later])))
        transport.close()
        await client.end()
        await client.destroy()
      })
    }
  }

  test('bytes that come while the application thinks are in the socket, and are found there', async (t) => {
    const { client, transport, recorder, early } = await adopted(t, [request, pattern(5000), pattern(5000)], 60)
    transport.open(recorder)
    await eventually(() => early.length + recorder.bytes.length === 10_000, 'all bytes')
    assert.ok(Buffer.concat([early, recorder.bytes]).equals(Buffer.concat([pattern(5000), pattern(5000)])))
    transport.close()
    await client.destroy()
  })
})

describe("the socket's end is told to everyone", () => {
  const ends: Record<string, (adopted: Adopted) => void> = {
    'closed by this side': ({ transport }) => transport.close(),
    'reset by the peer': ({ client }) => void client.socket.resetAndDestroy(),
    'destroyed by the application': ({ socket }) => void socket.destroy(),
    'destroyed by the application with an error': ({ socket }) => {
      socket.on('error', () => undefined)
      socket.destroy(new Error('its own reasons'))
    },
  }
  for (const [name, finish] of Object.entries(ends)) {
    test(name, async (t) => {
      const all = await adopted(t, [request])
      const { http, client, socket, transport, recorder } = all
      let closes = 0
      socket.on('close', () => closes++)
      transport.open(recorder)
      finish(all)
      await eventually(() => recorder.events.includes('closed'), 'the transport is told')
      await eventually(() => closes === 1, "the socket's close")
      // This is what hangs when only the handle is closed.
      await new Promise((resolve) => http.close(resolve))
      await delay(10)
      assert.deepEqual([closes, recorder.events], [1, ['closed']])
      await client.destroy()
    })
  }

  test('half-closed by the peer: told as the end of the bytes, and the server can close afterwards', async (t) => {
    const { http, client, transport, recorder } = await adopted(t, [request])
    transport.open(recorder)
    client.socket.end()
    await eventually(() => recorder.events.includes('ended'), 'the half-close')
    transport.close()
    await new Promise((resolve) => http.close(resolve))
    await eventually(() => recorder.events.includes('closed'), 'the transport is told')
    assert.deepEqual(recorder.events, ['ended', 'closed'])
    await client.destroy()
  })
})

test("an idle adopted socket outlives the timeouts of the user's server", async (t) => {
  const { http, client, socket, transport, recorder } = await adopted(t, [request])
  http.timeout = 50
  socket.setTimeout(0)
  transport.open(recorder)
  await delay(200)
  client.write('still here')
  await eventually(() => recorder.bytes.toString() === 'still here', 'the bytes')
  transport.close()
  await client.destroy()
})
