// Only TCP and pipe handles may be touched: TLS and HTTP/2 have methods of the same names, which abort the process when
// used as we use them, and a socket that somebody else reads from must be left to them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2'
import { connect, createServer, type Server, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex, PassThrough } from 'node:stream'
import { createSecureContext, TLSSocket } from 'node:tls'
import { bindings, streamHandleOf } from '../../src/internals/node.js'
import { describe, test } from '../support/privateApi.js'

const found = bindings()

/** A connected pair of sockets, over TCP or over a pipe. */
async function socketPair(path?: string): Promise<{ near: Socket; far: Socket; server: Server }> {
  const server = createServer()
  if (path === undefined) server.listen(0, '127.0.0.1')
  else server.listen(path)
  await once(server, 'listening')
  const address = server.address()
  const far = typeof address === 'string' ? connect(address) : connect({ port: address?.port ?? 0, host: '127.0.0.1' })
  const [near] = await once(server, 'connection')
  server.close()
  if (!(near instanceof Socket)) throw new Error('no socket')
  near.unref()
  far.unref()
  return { near, far, server }
}

function pipePath(): string {
  const name = `millrace-${process.pid}-${Math.floor(performance.now() * 1000)}`
  return process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : join(tmpdir(), name)
}

describe('recognised', () => {
  test('both ends of a TCP connection', async () => {
    const { near, far } = await socketPair()
    for (const socket of [near, far]) assert.equal(streamHandleOf(socket)?.constructor, found?.TCP)
    assert.notEqual(streamHandleOf(near), streamHandleOf(far))
    near.destroy()
    far.destroy()
  })

  test('both ends of a pipe', async () => {
    const { near, far } = await socketPair(pipePath())
    for (const socket of [near, far]) assert.equal(streamHandleOf(socket)?.constructor, found?.Pipe)
    near.destroy()
    far.destroy()
  })
})

describe('not recognised', () => {
  test('a TLS socket over TCP, on either side', async () => {
    const { near, far } = await socketPair()
    const server = new TLSSocket(near, { isServer: true, secureContext: createSecureContext() })
    const client = new TLSSocket(far)
    for (const socket of [server, client]) {
      socket.on('error', () => undefined)
      const handle: unknown = Reflect.get(socket, '_handle')
      assert.equal(typeof Reflect.get(Object(handle), 'useUserBuffer'), 'function')
      assert.equal(streamHandleOf(socket), undefined)
      socket.destroy()
    }
    near.destroy()
    far.destroy()
  })

  test('a TLS socket over any other stream', () => {
    const socket = new TLSSocket(new PassThrough(), { isServer: true, secureContext: createSecureContext() })
    socket.on('error', () => undefined)
    assert.equal(streamHandleOf(socket), undefined)
    socket.destroy()
  })

  // Each of these leads to the connection that all streams of the session share.
  test('an HTTP/2 stream, nor the sockets that stand for it', async () => {
    const recognised: string[] = []
    const server = createHttp2((request, response) => {
      if (streamHandleOf(request.stream) !== undefined) recognised.push('stream')
      if (streamHandleOf(request.socket) !== undefined) recognised.push('request.socket')
      if (streamHandleOf(response.socket) !== undefined) recognised.push('response.socket')
      const { session } = request.stream
      if (session !== undefined && streamHandleOf(session.socket) !== undefined) recognised.push('session.socket')
      response.end()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const client = connectHttp2(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
    const stream = client.request({ ':path': '/' })
    stream.resume()
    await once(stream, 'close')
    client.close()
    server.close()
    assert.deepEqual(recognised, [])
  })

  test('a socket that is destroyed, or was never connected', async () => {
    assert.equal(streamHandleOf(new Socket()), undefined)
    const { near, far } = await socketPair()
    near.destroy()
    far.destroy()
    assert.equal(streamHandleOf(near), undefined)
  })

  test('a listening server', async () => {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    // Its handle is of the same class, and has no peer to read from.
    assert.equal(Reflect.get(Object(Reflect.get(server, '_handle')), 'constructor'), found?.TCP)
    server.close()
  })

  for (const [name, object] of Object.entries<object>({
    'a stream': new Duplex({ read: () => undefined }),
    'an object without a handle': {},
    'a handle that is null': { _handle: null },
    'a handle that is a number': { _handle: 5 },
    'a handle of an unknown class': { _handle: new (class TCP {})() },
    'a handle without a prototype': { _handle: Object.create(null) },
  })) {
    test(name, () => assert.equal(streamHandleOf(object), undefined))
  }
})
