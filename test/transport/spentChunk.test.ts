// The memory of a chunk is given back when it was dealt with: from a socket that nobody else listens to, and from nothing else.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { delay, eventually } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'

async function pair(t: TestContext): Promise<[near: Socket, far: Socket]> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const far = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  const [near] = (await once(server, 'connection')) as [Socket]
  server.close()
  t.after(() => {
    near.destroy()
    far.destroy()
  })
  return [near, far]
}

const sent = Buffer.alloc(300_000, 'all of it')

test('the chunks of a socket are given back, and what was received is whole', async (t) => {
  const [near, far] = await pair(t)
  const chunks: Buffer[] = []
  const push = near.push.bind(near)
  near.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (Buffer.isBuffer(chunk)) chunks.push(chunk)
    return push(chunk, encoding)
  }
  const recorder = new Recorder()
  new DuplexTransport(near).open(recorder)
  far.write(sent)
  await eventually(() => recorder.bytes.length === sent.length, 'all bytes')
  assert.ok(recorder.bytes.equals(sent))
  assert.ok(chunks.some((chunk) => chunk.length === 0))
  // What is left is short, or a part of memory that may be somebody else's, too.
  const left = chunks.filter(({ length, buffer }) => length >= 8192 && length === buffer.byteLength)
  assert.deepEqual(left, [])
})

test('a chunk that somebody else has heard of stays as it is', async (t) => {
  const [near, far] = await pair(t)
  const heard: Buffer[] = []
  const recorder = new Recorder()
  new DuplexTransport(near).open(recorder)
  near.on('data', (chunk: Buffer) => heard.push(chunk))
  far.write(sent)
  await eventually(() => recorder.bytes.length === sent.length, 'all bytes')
  assert.ok(Buffer.concat(heard).equals(sent))
})

test('a chunk that somebody else has heard of stays as it is, though they listen no more', async (t) => {
  const [near, far] = await pair(t)
  const heard: Buffer[] = []
  near.once('data', (chunk: Buffer) => heard.push(chunk)).pause()
  far.write(sent)
  await delay(50)
  const recorder = new Recorder()
  new DuplexTransport(near).open(recorder)
  await eventually(() => recorder.bytes.length === sent.length, 'all bytes')
  const [first] = heard
  assert.ok(first !== undefined && first.length >= 8192)
  assert.ok(first.equals(sent.subarray(0, first.length)))
})

test('a chunk of any other stream stays as it is', async () => {
  const stream = new PassThrough()
  const recorder = new Recorder()
  new DuplexTransport(stream).open(recorder)
  const chunk = Buffer.from(new ArrayBuffer(65_536)).fill('x')
  stream.push(chunk)
  await eventually(() => recorder.bytes.length === chunk.length, 'all bytes')
  assert.equal(chunk.length, 65_536)
})
