// The transport over a handle, without a connection on top: what it tells, in which order, and that after the end every
// call is harmless. Over a handle that was accepted raw, over a socket of node:net that was adopted, and over TLS.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { createServer as createTlsServer, type SecureVersion, TLSSocket, connect as tlsConnect } from 'node:tls'
import { heapOfThread, INBOX_LENGTH } from '../../src/codec/codec.js'
import { streamHandleOf, tlsHandleOf } from '../../src/internals/node.js'
import { HandleTransport } from '../../src/transport/handle.js'
import { SecureTransport } from '../../src/transport/secure.js'
import { PENDING, WRITTEN } from '../../src/transport/transport.js'
import { cert, key } from '../support/certificate.js'
import { describe, test } from '../support/privateApi.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'
import { filledBlock, handlePair, Recorder } from '../support/socketHandles.js'

interface Connected {
  readonly transport: HandleTransport
  readonly recorder: Recorder
  readonly client: SocketClient
  reset(): void
}

async function accepted(): Promise<Connected> {
  const { handle, client } = await handlePair()
  const reset = (): void => void client.socket.resetAndDestroy()
  return { transport: new HandleTransport(handle), recorder: new Recorder(), client, reset }
}

async function adopted(): Promise<Connected> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const connection = once(server, 'connection')
  const client = await SocketClient.open(typeof address === 'object' ? (address?.port ?? 0) : 0)
  const [socket] = await connection
  server.close()
  assert.ok(socket instanceof Socket)
  socket.unref()
  const handle = streamHandleOf(socket)
  assert.ok(handle !== undefined)
  const reset = (): void => void client.socket.resetAndDestroy()
  return { transport: new HandleTransport(handle, socket), recorder: new Recorder(), client, reset }
}

function secured(version: SecureVersion): () => Promise<Connected> {
  return async () => {
    const server = createTlsServer({ key, cert, allowHalfOpen: true, minVersion: version, maxVersion: version })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const connection = once(server, 'secureConnection')
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const below = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    // A socket that is handed to TLS can't be reset any more, but one that is seen as a plain stream can.
    const far = tlsConnect({ socket: Duplex.from({ readable: below, writable: below }), rejectUnauthorized: false })
    await once(far, 'secureConnect')
    const [near] = await connection
    server.close()
    assert.ok(near instanceof TLSSocket)
    near.unref()
    // The session tickets must have left: a reset that fails their write is no error of a read.
    await delay(20)
    const handle = tlsHandleOf(near)
    assert.ok(handle !== undefined)
    const reset = (): void => void below.resetAndDestroy()
    const client = new SocketClient(far)
    return { transport: new SecureTransport(handle, near), recorder: new Recorder(), client, reset }
  }
}

async function finish({ transport, recorder, client }: Connected): Promise<void> {
  transport.close()
  await eventually(() => recorder.events.includes('closed'), 'the transport closes')
  await client.destroy()
}

const WRITE_LENGTH = 8_000_000

const ways = {
  'an accepted handle': accepted,
  'an adopted socket': adopted,
  'TLS 1.3': secured('TLSv1.3'),
  'TLS 1.2': secured('TLSv1.2'),
}

for (const [name, connected] of Object.entries(ways)) {
  describe(name, () => {
    test('receives every byte, in the inbox', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      const sent = Buffer.alloc(3_000_000)
      for (let at = 0; at < sent.length; at++) sent[at] = (at * 7 + (at >> 10)) & 0xff
      transport.open(recorder)
      client.write(sent)
      await eventually(() => recorder.bytes.length === sent.length, 'all bytes')
      assert.ok(recorder.bytes.equals(sent))
      for (const chunk of recorder.chunks) assert.ok(chunk.length <= INBOX_LENGTH)
      await finish(pair)
      assert.deepEqual(recorder.events, ['received', 'closed'])
    })

    test('tells the half-close, and closes only when told', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      transport.open(recorder)
      client.write('last words')
      client.socket.end()
      await eventually(() => recorder.events.includes('ended'), 'the half-close')
      await delay(30)
      assert.deepEqual(recorder.events, ['received', 'ended'])
      const block = heapOfThread().allocate(1000)
      const answer = filledBlock(block.pointer, 1000)
      const status = transport.write(block.pointer, 1000)
      transport.end()
      await client.end()
      assert.ok(client.received.equals(answer))
      await finish(pair)
      const told = status === WRITTEN ? [] : ['written']
      assert.deepEqual(recorder.events, ['received', 'ended', ...told, 'closed'])
      heapOfThread().free(block)
    })

    test('half-closes, and still receives', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      transport.open(recorder)
      transport.end()
      await client.end()
      client.write('after the end')
      await eventually(() => recorder.bytes.toString() === 'after the end', 'the bytes')
      await finish(pair)
    })

    test('tells a reset as the end', async () => {
      const pair = await connected()
      pair.transport.open(pair.recorder)
      pair.reset()
      await eventually(() => pair.recorder.events.includes('closed'), 'the reset')
      assert.deepEqual(pair.recorder.events, ['closed'])
    })

    test('receives nothing while paused, and everything afterwards', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      transport.open(recorder)
      transport.pause()
      client.write('while ')
      client.write('paused')
      await delay(60)
      assert.deepEqual(recorder.events, [])
      transport.resume()
      await eventually(() => recorder.bytes.toString() === 'while paused', 'the bytes')
      transport.pause()
      transport.pause()
      client.write(', twice')
      await delay(60)
      assert.equal(recorder.bytes.toString(), 'while paused')
      transport.resume()
      transport.resume()
      await eventually(() => recorder.bytes.toString() === 'while paused, twice', 'the rest')
      await finish(pair)
    })

    test('pauses at once, even inside a read with more to come', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      const sent = Buffer.alloc(2_000_000, 'abcdefghijk')
      transport.open(recorder)
      transport.pause()
      client.write(sent)
      await delay(60)
      recorder.onReceived = () => transport.pause()
      for (let reads = 1; recorder.bytes.length < sent.length; reads++) {
        transport.resume()
        await eventually(() => recorder.chunks.length >= reads, 'the next read')
        await delay(2)
        assert.equal(recorder.chunks.length, reads)
      }
      assert.ok(recorder.bytes.equals(sent))
      await finish(pair)
    })

    test('does not notice a reset or a half-close while paused, and does when resumed', async () => {
      for (const leave of ['reset', 'end'] as const) {
        const pair = await connected()
        const { transport, recorder, client } = pair
        transport.open(recorder)
        transport.pause()
        if (leave === 'reset') pair.reset()
        else client.socket.end()
        await delay(60)
        assert.deepEqual(recorder.events, [])
        transport.resume()
        const event = leave === 'end' ? 'ended' : 'closed'
        await eventually(() => recorder.events.includes(event), event)
        await finish(pair)
      }
    })

    test('may be closed inside a read', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      let after: string[] = []
      recorder.onReceived = () => {
        transport.close()
        after = [...recorder.events]
      }
      transport.open(recorder)
      client.write(Buffer.alloc(1_000_000))
      await eventually(() => recorder.events.includes('closed'), 'the end')
      await delay(20)
      assert.deepEqual(after, ['received'], 'closed came before close had returned')
      assert.deepEqual(recorder.events, ['received', 'closed'])
      assert.equal(recorder.chunks.length, 1)
      await client.destroy()
    })

    test('tells a write that was pending before it tells the end', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      const block = heapOfThread().allocate(WRITE_LENGTH)
      client.socket.pause()
      transport.open(recorder)
      assert.equal(transport.write(block.pointer, WRITE_LENGTH), PENDING)
      transport.close()
      assert.deepEqual(recorder.events, [])
      await eventually(() => recorder.events.includes('closed'), 'the end')
      await delay(10)
      assert.deepEqual(recorder.events, ['write failed', 'closed'])
      heapOfThread().free(block)
      await client.destroy()
    })

    test('tells a pending write when the peer has read it, and the bytes are right', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      const block = heapOfThread().allocate(WRITE_LENGTH)
      const sent = filledBlock(block.pointer, WRITE_LENGTH, 5)
      client.socket.pause()
      transport.open(recorder)
      assert.equal(transport.write(block.pointer, WRITE_LENGTH), PENDING)
      await delay(30)
      assert.deepEqual(recorder.events, [])
      client.socket.resume()
      await client.until(() => client.received.length === WRITE_LENGTH, 'all bytes')
      await eventually(() => recorder.events.length > 0, 'the write')
      assert.deepEqual(recorder.events, ['written'])
      assert.ok(client.received.equals(sent))
      await finish(pair)
      heapOfThread().free(block)
    })

    test('resets, which the peer can tell from an end', async () => {
      const pair = await connected()
      const { transport, recorder, client } = pair
      transport.open(recorder)
      transport.reset()
      assert.deepEqual(recorder.events, [])
      await client.until(() => client.closed, 'the reset')
      assert.equal(client.error, 'ECONNRESET')
      await eventually(() => recorder.events.includes('closed'), 'the end')
      transport.reset()
      assert.ok(transport.write(INBOX_LENGTH, 10) < 0)
      assert.deepEqual(recorder.events, ['closed'])
    })

    test('knows its peer until the end', async () => {
      const pair = await connected()
      pair.transport.open(pair.recorder)
      assert.equal(pair.transport.remoteAddress, '127.0.0.1')
      await finish(pair)
      assert.equal(pair.transport.remoteAddress, undefined)
    })

    test('after the end every call is harmless, and nothing more is told', async () => {
      const pair = await connected()
      const { transport, recorder } = pair
      transport.open(recorder)
      transport.close()
      for (let round = 0; round < 2; round++) {
        transport.pause()
        transport.resume()
        transport.end()
        transport.close()
        assert.ok(transport.write(INBOX_LENGTH, 10) < 0)
        await eventually(() => recorder.events.includes('closed'), 'the end')
      }
      await delay(10)
      assert.deepEqual(recorder.events, ['closed'])
      await pair.client.destroy()
    })
  })
}
