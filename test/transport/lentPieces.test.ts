// Short pieces, given to a socket of node:net where they lie: the memory of one that was taken at once is free, and that of
// one that was not stays in use until the socket has told, which it does once.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { codecOfThread, heapOfThread } from '../../src/codec/codec.js'
import { DuplexTransport } from '../../src/transport/duplex.js'
import { PENDING, WRITTEN } from '../../src/transport/transport.js'
import { delay, eventually } from '../support/socketClient.js'
import { Recorder } from '../support/socketHandles.js'
import { socketPair } from '../support/socketPair.js'

const LENGTH = 1000
/** More pieces than any socket takes whose peer does not read. */
const MOST = 100_000
const { bytes } = codecOfThread()

/** A piece of memory, and a transport over a socket to which it is given. */
function lender(t: TestContext, near: Socket) {
  const block = heapOfThread().allocate(LENGTH)
  t.after(() => heapOfThread().free(block))
  const transport = new DuplexTransport(near)
  const recorder = new Recorder()
  transport.open(recorder)
  return { block, transport, recorder }
}

test('a socket tells of the piece that it has not taken at once, and of no other', { timeout: 60_000 }, async (t) => {
  const [near, far] = await socketPair(t)
  const received: Buffer[] = []
  far.on('data', (chunk: Buffer) => received.push(chunk)).pause()
  const { block, transport, recorder } = lender(t, near)
  const write = (number: number): number => {
    bytes.fill(number % 251, block.pointer, block.pointer + LENGTH)
    return transport.write(block.pointer, LENGTH)
  }

  let pieces = 0
  let status = WRITTEN
  while (status === WRITTEN && pieces < MOST) {
    status = write(pieces++)
    if (status === WRITTEN) bytes.fill(255, block.pointer, block.pointer + LENGTH)
  }
  assert.equal(status, PENDING)
  await delay(20)
  assert.deepEqual(recorder.events, [])

  far.resume()
  await eventually(() => recorder.events.length > 0, 'the piece is told')
  assert.equal(write(pieces++), WRITTEN)
  bytes.fill(255, block.pointer, block.pointer + LENGTH)
  await eventually(() => received.reduce((sum, { length }) => sum + length, 0) === pieces * LENGTH, 'all pieces')
  assert.deepEqual(recorder.events, ['written'])
  const all = Buffer.concat(received)
  for (let number = 0; number < pieces; number++) {
    const piece = all.subarray(number * LENGTH, (number + 1) * LENGTH)
    assert.ok(piece.equals(Buffer.alloc(LENGTH, number % 251)), `piece ${number}`)
  }
  transport.close()
})

test('a socket that a program writes to in a way of its own is lent nothing', { timeout: 60_000 }, async (t) => {
  const [near, far] = await socketPair(t)
  const received: Buffer[] = []
  far.on('data', (chunk: Buffer) => received.push(chunk))
  const kept: (() => void)[] = []
  const write = near.write.bind(near) as (chunk: Uint8Array, done?: () => void) => boolean
  near.write = (chunk: Uint8Array | string, done?: unknown) => {
    kept.push(() => write(Buffer.from(chunk), typeof done === 'function' ? () => done() : undefined))
    return true
  }
  const { block, transport, recorder } = lender(t, near)
  bytes.fill('a', block.pointer, block.pointer + LENGTH)
  assert.equal(transport.write(block.pointer, LENGTH), WRITTEN)
  bytes.fill('b', block.pointer, block.pointer + LENGTH)
  assert.equal(transport.writeViews([Buffer.from('views')]), PENDING)

  for (const go of kept) go()
  await eventually(() => recorder.events.length > 0, 'the views are told')
  assert.deepEqual(recorder.events, ['written'])
  const all = `${'a'.repeat(LENGTH)}views`
  await eventually(() => Buffer.concat(received).length >= all.length, 'all of it')
  assert.equal(Buffer.concat(received).toString(), all)
  transport.close()
})
