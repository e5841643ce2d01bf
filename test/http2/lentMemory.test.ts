// A session goes on with what its socket has not taken, even of a stream that was reset: by then, the memory of that stream
// may be another connection's, whose bytes must not leave by it.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { masked, TEXT } from '../support/frames.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'

const LARGEST_WINDOW = 0x7fff_ffff
const FIRST_WINDOW = 65_535
const PART = 100_000

/** A client that lets its server send anything, and reads nothing. */
async function deaf(port: number): Promise<FrameClient> {
  const client = await FrameClient.open(port, wire.settings([4, LARGEST_WINDOW]))
  const room = Buffer.alloc(4)
  room.writeUInt32BE(LARGEST_WINDOW - FIRST_WINDOW)
  client.write(frame(wire.WINDOW_UPDATE, 0, 0, room))
  client.socket.socket.pause()
  client.write(frame(wire.HEADERS, wire.END_HEADERS, 1, wire.connectRequest))
  return client
}

for (const publicApi of [false, true]) {
  test(`what a stream that was given up has not sent is nobody else's${publicApi ? ', by the public API' : ''}`, {
    timeout: 60_000,
  }, async (t) => {
    const send = (connection: { send(data: Buffer): unknown }, letter: string): void => {
      for (let count = 0; count < 200; count++) connection.send(Buffer.alloc(PART, letter))
    }
    const server = await serving(
      t,
      { publicApi, outputLimit: 256 * 1024 * 1024, closeTimeout: 100, message: (connection) => send(connection, 'S') },
      { http2: 'cleartext' },
    )
    const one = await deaf(server.port ?? 0)
    await eventually(() => server.connections.size === 1, 'the first connection')
    const [first] = server.connections
    assert.ok(first)
    send(first, 'a')
    await delay(200) // the socket takes what it can
    assert.ok(first.bufferedAmount > PART, `${first.bufferedAmount} bytes wait`)
    const other = await deaf(server.port ?? 0)
    await eventually(() => server.connections.size === 2, 'the second connection')
    first.terminate()
    await eventually(() => server.connections.size === 1, 'the end of the first connection')
    await delay(20)
    other.write(frame(wire.DATA, 0, 1, masked(TEXT, 'go')))
    await delay(200)
    one.socket.socket.resume()
    await eventually(() => one.of(wire.RST_STREAM).length === 1, 'the reset')
    const bytes = Buffer.concat(one.of(wire.DATA).map(({ payload }) => payload))
    assert.equal(bytes.indexOf('S'), -1)
    for (const client of [one, other]) await client.socket.destroy()
  })
}
