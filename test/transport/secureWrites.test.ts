// What is written over TLS: a short write is done at once, as the system has taken it, though its handle is not ready for
// another one before a later turn; what is written meanwhile waits behind it.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, TLSSocket, connect as tlsConnect } from 'node:tls'
import { heapOfThread } from '../../src/codec/codec.js'
import { tlsHandleOf } from '../../src/internals/node.js'
import { SecureTransport } from '../../src/transport/secure.js'
import { PENDING, WRITTEN } from '../../src/transport/transport.js'
import { cert, key } from '../support/certificate.js'
import { describe, test } from '../support/privateApi.js'
import { eventually, SocketClient } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

async function opened(recorder: Recorder) {
  const server = createServer({ key, cert }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'secureConnection')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const far = tlsConnect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  const [near] = await accepted
  server.close()
  assert.ok(near instanceof TLSSocket)
  const handle = tlsHandleOf(near)
  assert.ok(handle !== undefined)
  // Node writes session tickets when the handshake is done: the handle must be ready.
  await eventually(() => handle.writeQueueSize === 0, 'what the handshake has left is written')
  const transport = new SecureTransport(handle, near)
  transport.open(recorder)
  return { transport, near, client: new SocketClient(far) }
}

async function finish(transport: SecureTransport, recorder: Recorder, client: SocketClient): Promise<void> {
  transport.close()
  await eventually(() => recorder.events.includes('closed'), 'the transport closes')
  await client.destroy()
}

/** Writes a text from memory that has other bytes as soon as the write is done. */
function write(transport: SecureTransport, text: string): number {
  const heap = heapOfThread()
  const block = heap.allocate(text.length)
  heap.codec.bytes.write(text, block.pointer, 'latin1')
  const status = transport.write(block.pointer, text.length)
  if (status === WRITTEN) heap.codec.bytes.fill(0, block.pointer, block.pointer + text.length)
  return status
}

describe('writes over TLS', () => {
  test('a short one is done at once, and the next of the same turn waits behind it', async () => {
    const recorder = new Recorder()
    const { transport, client } = await opened(recorder)
    assert.equal(write(transport, 'first '), WRITTEN)
    assert.equal(write(transport, 'second '), PENDING)
    await eventually(() => recorder.events.includes('written'), 'the second is done')
    write(transport, 'third')
    await eventually(() => client.received.length === 18, 'all of it')
    assert.equal(client.received.toString(), 'first second third')
    await finish(transport, recorder, client)
  })

  test('views wait, too, and the end comes behind all', async () => {
    const recorder = new Recorder()
    const { transport, client } = await opened(recorder)
    assert.equal(write(transport, 'first '), WRITTEN)
    assert.equal(transport.writeViews([Buffer.from('in '), Buffer.from('parts')]), PENDING)
    await eventually(() => recorder.events.includes('written'), 'the views are done')
    write(transport, ' last')
    transport.end()
    await client.end()
    assert.equal(client.received.toString(), 'first in parts last')
    await finish(transport, recorder, client)
  })

  test('each that is told of one writes the next, many times', async () => {
    const texts = Array.from({ length: 300 }, (_, number) => `${number} `)
    let next = 2
    const recorder = new (class extends Recorder {
      override written(status: number): void {
        super.written(status)
        while (status >= 0 && next < texts.length && write(transport, texts[next++] ?? '') === WRITTEN);
      }
    })()
    const { transport, client } = await opened(recorder)
    for (const text of texts.slice(0, 2)) write(transport, text)
    await eventually(() => client.received.length === texts.join('').length, 'all of them')
    assert.equal(client.received.toString(), texts.join(''))
    await finish(transport, recorder, client)
  })

  test('what fails after it was said to be done ends the connection', async () => {
    const recorder = new Recorder()
    const { transport, client } = await opened(recorder)
    assert.equal(write(transport, 'first'), WRITTEN)
    transport.written(-32)
    await eventually(() => recorder.events.includes('closed'), 'the transport closes')
    assert.deepEqual(recorder.events, ['closed'])
    await client.destroy()
  })

  test('what waits behind another when the transport closes is told to have failed', async () => {
    const recorder = new Recorder()
    const { transport, client } = await opened(recorder)
    assert.equal(write(transport, 'first'), WRITTEN)
    assert.equal(write(transport, 'second'), PENDING)
    await finish(transport, recorder, client)
    assert.deepEqual(recorder.events, ['write failed', 'closed'])
    assert.equal(client.received.toString().includes('second'), false)
  })

  test('what a program writes to the socket itself, and its end, take their turns with all of that', async () => {
    const recorder = new Recorder()
    const { transport, client, near } = await opened(recorder)
    const ended = new Promise<void>((resolve) => {
      assert.equal(write(transport, '1 '), WRITTEN)
      near.write('2 ')
      assert.equal(write(transport, '3 '), PENDING)
      near.cork()
      near.write('4 ')
      near.write(Buffer.from('5 '), () => {
        assert.equal(write(transport, long), PENDING)
        near.write(' 6')
        near.end(resolve)
      })
      near.uncork()
    })
    const long = '-'.repeat(3_000_000)
    await eventually(() => client.ended, 'the end comes')
    assert.equal(client.received.toString(), `1 2 3 4 5 ${long} 6`)
    await ended
    assert.deepEqual(recorder.events.slice(0, 2), ['written', 'written'])
    await finish(transport, recorder, client)
  })

  test('what waits of that when the transport closes has failed, too', async () => {
    const { transport, client, near } = await opened(new Recorder())
    assert.equal(write(transport, 'first'), WRITTEN)
    const told = new Promise((resolve) => near.write('second', resolve))
    transport.close()
    assert.ok((await told) instanceof Error)
    await client.destroy()
  })
})
