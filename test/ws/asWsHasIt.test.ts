// Small things that programs over ws have come to rely on.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import * as real from 'ws'
import { adopt } from '../../src/ws/adopt.js'
import { closePayload } from '../../src/ws/closePayload.js'
import { WebSocket } from '../../src/ws/webSocket.js'
import { duplexPair } from '../support/duplexPair.js'

const response = 'HTTP/1.1 101 Switching Protocols\r\n\r\n'

test('a stream that is no socket gets the response as a chunk of its own, before the call returns', async () => {
  const [near, far] = duplexPair()
  const chunks: string[] = []
  far.on('data', (chunk: Buffer) => chunks.push(chunk.toString('latin1')))
  await delay(1) // it flows
  const ws = new WebSocket(null)
  adopt(ws, near, Buffer.alloc(0), {}, { response, protocol: '' })
  assert.deepEqual(chunks, [response])
  ws.send('hello')
  await delay(5)
  assert.deepEqual(chunks, [response, '\x81\x05hello'])
  ws.terminate()
})

test('an exception of a stream that can not be written to is that of the call', () => {
  const [near] = duplexPair()
  near._write = () => {
    throw new Error('full')
  }
  const open = () => adopt(new WebSocket(null), near, Buffer.alloc(0), {}, { response, protocol: '' })
  assert.throws(open, { message: 'full' })
})

test('a reason that has no length is none', () => {
  for (const reason of [undefined, '', 5, {}, []]) assert.deepEqual([...closePayload(1000, reason)], [3, 232])
  assert.deepEqual([...closePayload(1000.5, '')], [3, 232])
  assert.throws(() => closePayload(4999.5, ''), TypeError)
  assert.throws(() => closePayload(1000, null), /^TypeError: Cannot read properties of null/)
  for (const reason of [{ length: 1 }, ['a']]) assert.throws(() => closePayload(1000, reason), TypeError)
})

test('a loop over the names of the prototype finds what it finds with ws', () => {
  assert.deepEqual(Object.keys(WebSocket.prototype).toSorted(), Object.keys(real.WebSocket.prototype).toSorted())
})
