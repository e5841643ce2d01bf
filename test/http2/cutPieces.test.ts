// A window may cut in two what a stream has been given. If the stream ends then, the session goes on with the first part, which
// is in its socket's queue, and node:http2 lets the memory go: whatever came to lie there would leave by the session.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { piecesKept } from '../../src/transport/inFlight.js'
import { PIECE } from '../../src/transport/pieces.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const LARGEST_WINDOW = 0x7fff_ffff
const FIRST_WINDOW = 65_535
const STREAMS = 95
/** The streams that are sent short messages, and their window, which is the first of all streams. */
const SHORT = 15
const SHORT_WINDOW = 1000
const LONG_WINDOW = 60_000

const idOf = (at: number): number => 1 + 2 * at

function room(stream: number, bytes: number): Buffer {
  const increment = Buffer.alloc(4)
  increment.writeUInt32BE(bytes)
  return frame(wire.WINDOW_UPDATE, 0, stream, increment)
}

/** A client with many streams, whose windows end amid of what they are sent. It reads nothing. */
async function deaf(port: number): Promise<FrameClient> {
  const client = await FrameClient.open(port, wire.settings([4, SHORT_WINDOW]))
  client.write(room(0, LARGEST_WINDOW - FIRST_WINDOW))
  client.socket.socket.pause()
  for (let at = 0; at < STREAMS; at++) {
    client.write(frame(wire.HEADERS, wire.END_HEADERS, idOf(at), wire.connectRequest))
    if (at >= SHORT) client.write(room(idOf(at), LONG_WINDOW - SHORT_WINDOW))
  }
  return client
}

for (const publicApi of [false, true]) {
  const name = 'of a stream that is given up, nothing leaves but what it was sent'
  test(publicApi ? `${name}, by the public API` : name, { timeout: 60_000 }, async (t) => {
    const options = { publicApi, outputLimit: 256 * 1024 * 1024, closeTimeout: 100 }
    const server = await serving(t, options, { http2: 'cleartext' })
    const client = await deaf(server.port ?? 0)
    await eventually(() => server.connections.size === STREAMS, 'all connections')
    for (const [at, connection] of [...server.connections].entries()) {
      if (at >= SHORT) for (let count = 0; count < 4; count++) connection.send(Buffer.alloc(45_000, 'a'))
    }
    for (const [at, connection] of [...server.connections].entries()) {
      if (at < SHORT) for (let count = 0; count < 25; count++) connection.send(Buffer.alloc(60, 'a'))
    }
    await delay(200) // the socket takes what it can
    for (const connection of [...server.connections]) connection.terminate()
    await eventually(() => server.connections.size === 0, 'the end of all connections')
    await delay(20)
    for (let count = 0; count < 3; count++) collect()
    const others = Array.from({ length: 1500 }, () => Buffer.allocUnsafeSlow(16_384).fill('S'))
    const short = Array.from({ length: 1500 }, () => Buffer.allocUnsafeSlow(Buffer.poolSize).fill('S'))
    client.socket.socket.resume()
    const bytes = (): Buffer => Buffer.concat(client.of(wire.DATA).map(({ payload }) => payload))
    await eventually(() => piecesKept() === 0, 'the end of what is kept')
    await delay(300)
    assert.ok(bytes().length > (STREAMS - SHORT) * PIECE, 'the session goes on with what its socket had')
    const known = new Set([0x82, 0x7e, ...Buffer.from('a'), 45_000 >> 8, 45_000 & 255, 60])
    assert.deepEqual(
      [...new Set(bytes())].filter((byte) => !known.has(byte)),
      [],
    )
    assert.equal(others.length, short.length)
    await client.socket.destroy()
  })
}
