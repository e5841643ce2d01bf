// A session whose client violates HTTP/2 ends with the code of what was wrong (RFC 9113, section 7), also where nghttp2 gives
// it up without a word to node:http2; and one that is only slow does not.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Server, ServerOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { masked, TEXT } from '../support/frames.js'
import { open, sessionTo } from '../support/http2Client.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, field, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'

const timeout = 30_000
const { DATA, HEADERS, SETTINGS, WINDOW_UPDATE, END_HEADERS } = wire
const PADDED = 8
const PRIORITY = 2
const [PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, ENHANCE_YOUR_CALM] = [1, 3, 6, 9, 11]

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** What is wrong, the frames of it on a session with one WebSocket, and the code. */
const violations: readonly (readonly [string, readonly Buffer[], number])[] = [
  ['a window above 2^31 - 1', [frame(WINDOW_UPDATE, 0, 0, number(0x7fff_ffff))], FLOW_CONTROL_ERROR],
  ['a window that grows by nothing', [frame(WINDOW_UPDATE, 0, 1, number(0))], PROTOCOL_ERROR],
  ['a setting that may not be', [frame(SETTINGS, 0, 0, wire.settings([2, 7]))], PROTOCOL_ERROR],
  ['a stream of the server', [frame(HEADERS, END_HEADERS, 2, wire.connectRequest)], PROTOCOL_ERROR],
  ['a PRIORITY that is too short', [frame(PRIORITY, 0, 1, Buffer.alloc(4))], FRAME_SIZE_ERROR],
  ['a DATA that is too long', [frame(DATA, 0, 1, Buffer.alloc(20_000))], FRAME_SIZE_ERROR],
  ['more padding than there is room for', [frame(DATA, PADDED, 1, Buffer.from([200, 1, 2]))], PROTOCOL_ERROR],
  ['DATA of a stream that was not begun', [frame(DATA, 0, 99, Buffer.from('x'))], PROTOCOL_ERROR],
  ['fields that no table has', [frame(HEADERS, END_HEADERS, 3, Buffer.from([0xff, 0xff, 0xff]))], COMPRESSION_ERROR],
]

async function serve(t: TestContext, options: ServerOptions = {}): Promise<Server<undefined>> {
  const echo: ServerOptions = { message: (connection, message) => connection.send(message) }
  // It looks at its sessions twice in a pauseTimeout.
  return await serving(t, { ...echo, closeTimeout: 100, pauseTimeout: 300, ...options }, { http2: 'cleartext' })
}

for (const [name, frames, code] of violations) {
  test(`${name} ends the session with ${code}, and its connection with 1006`, { timeout }, async (t) => {
    const codes: number[] = []
    const server = await serve(t, { close: (_, closed) => codes.push(closed) })
    const neighbour = await open(await sessionTo(t, `http://127.0.0.1:${server.port}`))
    const client = await FrameClient.open(server.port ?? 0)
    client.write(frame(HEADERS, END_HEADERS, 1, wire.connectRequest))
    await eventually(() => client.of(HEADERS).length === 1, 'the answer')
    client.write(...frames)
    assert.equal(await client.ended(), code)
    await eventually(() => codes.length === 1, 'the end of the connection')
    assert.deepEqual(codes, [1006])
    neighbour.write(masked(TEXT, 'alive'))
    assert.equal((await neighbour.framesOf(1))[0]?.payload.toString(), 'alive')
  })
}

test('a client that resets each of its streams at once is told to be calm', { timeout }, async (t) => {
  const server = await serve(t)
  const client = await FrameClient.open(server.port ?? 0)
  for (let stream = 1; stream < 4000 && !client.socket.over; stream += 2) {
    client.write(
      frame(HEADERS, END_HEADERS, stream, Buffer.concat([wire.connectRequest, field('x', 'y')])),
      frame(wire.RST_STREAM, 0, stream, number(8)),
    )
    // A socket that is destroyed with bytes unread is reset, and then its client may miss GOAWAY.
    if (stream > 900) await delay(10)
    else if (stream % 100 === 1) await delay(20)
  }
  assert.equal(await client.ended(), ENHANCE_YOUR_CALM)
})

for (const secure of [false, true]) {
  test(`a client that reads nothing for a while is not given up${secure ? ', over TLS' : ''}`, {
    timeout,
  }, async (t) => {
    const server = await serving(
      t,
      {
        closeTimeout: 100,
        pauseTimeout: 20_000,
        pingInterval: 100,
        idleTimeout: 20_000,
        outputLimit: 64 * 1024 * 1024,
      },
      secure ? { http2: true, tls: { key, cert } } : { http2: 'cleartext' },
    )
    const socket = secure
      ? connectTls({
          port: server.port ?? 0,
          host: '127.0.0.1',
          ca: cert,
          ALPNProtocols: ['h2'],
          checkServerIdentity: () => undefined,
        })
      : (await FrameClient.open(server.port ?? 0, wire.settings([4, 0x7fff_ffff]))).socket.socket
    t.after(async () => void socket.destroy())
    if (secure) {
      await once(socket, 'secureConnect')
      socket.write(Buffer.concat([wire.preface, frame(SETTINGS, 0, 0, wire.settings([4, 0x7fff_ffff]))]))
    }
    socket.write(frame(WINDOW_UPDATE, 0, 0, number(0x7fff_0000)))
    socket.write(frame(HEADERS, END_HEADERS, 1, wire.connectRequest))
    await eventually(() => server.connections.size === 1, 'the connection')
    socket.pause()
    const [connection] = server.connections
    for (let count = 0; count < 200; count++) connection?.send(Buffer.alloc(100_000))
    await delay(1500) // many looks
    assert.equal(server.connections.size, 1)
    assert.ok((connection?.bufferedAmount ?? 0) > 0)
    socket.resume()
    await eventually(() => connection?.bufferedAmount === 0, 'all is read')
  })
}
