// Which transport a stream gets that somebody else opened: the handle only where it is ours alone and nothing is left to
// write in the socket, the public API for everything else. Either way the socket's own timeout must be off.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { type Duplex, PassThrough } from 'node:stream'
import type { TestContext } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import { INBOX_LENGTH } from '../../src/codec/codec.js'
import { transportOf } from '../../src/transport/adopt.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { describe, test } from '../support/privateApi.js'
import { delay, eventually } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

/** Both ends of a TCP connection; destroyed after the test. */
async function socketPair(t: TestContext): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const far = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  const [near] = await once(server, 'connection')
  server.close()
  assert.ok(near instanceof Socket)
  t.after(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}

describe('the handle', () => {
  test('of a plain TCP socket is taken', async (t) => {
    const [near] = await socketPair(t)
    assert.ok(transportOf(near) instanceof HandleTransport)
  })

  test('is taken after what the socket had to write has left', async (t) => {
    const [near] = await socketPair(t)
    near.write('gone at once')
    await delay(10)
    assert.equal(near.writableLength, 0)
    assert.ok(transportOf(near) instanceof HandleTransport)
  })
})

describe('the public API', () => {
  test('serves a socket that has something left to write, and the order is kept', async (t) => {
    const [near, far] = await socketPair(t)
    far.pause()
    const large = Buffer.alloc(8_000_000, 'before')
    near.write(large)
    assert.ok(near.writableLength > 0)
    const transport = transportOf(near)
    assert.ok(transport instanceof DuplexTransport)
    transport.open(new Recorder())
    near.write('after')
    let received = 0
    let tail = ''
    far.on('data', (chunk: Buffer) => {
      received += chunk.length
      tail = (tail + chunk.subarray(-5).toString()).slice(-5)
    })
    far.resume()
    await eventually(() => received === large.length + 5, 'all bytes')
    assert.equal(tail, 'after')
    transport.close()
  })

  test('serves a TLS socket whose handshake is not done', async (t) => {
    const [near] = await socketPair(t)
    const socket = new TLSSocket(near, { isServer: true, secureContext: createSecureContext() })
    socket.on('error', () => undefined)
    assert.ok(transportOf(socket) instanceof DuplexTransport)
    socket.destroy()
  })

  for (const [name, make] of Object.entries<() => Duplex>({
    'any other stream': () => new PassThrough(),
    'a socket without a handle': () => new Socket(),
    'a socket that is destroyed': () => new Socket().destroy(),
  })) {
    test(`serves ${name}`, () => assert.ok(transportOf(make()) instanceof DuplexTransport))
  }

  test('takes a chunk that is longer than the inbox', async () => {
    const stream = new PassThrough()
    const recorder = new Recorder()
    const transport = transportOf(stream)
    transport.open(recorder)
    const chunk = Buffer.alloc(3 * INBOX_LENGTH + 5)
    for (let at = 0; at < chunk.length; at++) chunk[at] = (at * 5 + (at >> 9)) & 0xff
    stream.push(chunk)
    await eventually(() => recorder.bytes.length >= chunk.length, 'all bytes')
    assert.ok(recorder.bytes.equals(chunk))
    for (const { length } of recorder.chunks) assert.ok(length <= INBOX_LENGTH)
    transport.close()
  })

  test('tells the end of a stream that had ended before', async () => {
    const socket = new Socket()
    socket.destroy()
    const recorder = new Recorder()
    transportOf(socket).open(recorder)
    await eventually(() => recorder.events.includes('closed'), 'the end')
  })
})

test("the socket's own timeout no longer ends an idle connection", async (t) => {
  for (const leaveSomething of [false, true]) {
    const [near, far] = await socketPair(t)
    near.setTimeout(40, () => near.destroy())
    if (leaveSomething) {
      far.pause()
      near.write(Buffer.alloc(8_000_000))
    }
    const transport = transportOf(near)
    const recorder = new Recorder()
    transport.open(recorder)
    await delay(150)
    assert.deepEqual(recorder.events, [])
    transport.close()
  }
})
