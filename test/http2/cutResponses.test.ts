// What is answered to ordinary requests over HTTP/2 is written by node:http2 itself, from the application's memory. Where a
// window cuts an answer in two and its stream ends, the socket may still have the first part, and node:http2 lets the memory go.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { piecesKept } from '../../src/transport/inFlight.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

const LARGEST_WINDOW = 0x7fff_ffff
const FIRST_WINDOW = 65_535
const WINDOW = 60_000
const STREAMS = 100
const LONG = 100_000

const idOf = (at: number): number => 1 + 2 * at

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A client with many requests, whose windows end amid of the answers. It reads nothing. */
async function deaf(port: number): Promise<FrameClient> {
  const client = await FrameClient.open(port, wire.settings([4, WINDOW]))
  client.write(frame(wire.WINDOW_UPDATE, 0, 0, number(LARGEST_WINDOW - FIRST_WINDOW)))
  client.socket.socket.pause()
  for (let at = 0; at < STREAMS; at++) {
    client.write(frame(wire.HEADERS, wire.END_HEADERS | wire.END_STREAM, idOf(at), wire.getRequest))
  }
  return client
}

/** How an application answers. */
const ways = {
  'a buffer': (response: ServerResponse): void => void response.end(Buffer.allocUnsafeSlow(LONG).fill('a')),
  'a string': (response: ServerResponse): void => void response.end('a'.repeat(LONG), 'latin1'),
  'strings and buffers': (response: ServerResponse): void => {
    for (let count = 0; count < 5; count++) {
      response.write('a'.repeat(LONG / 10))
      response.write(Buffer.allocUnsafeSlow(LONG / 10).fill('a'))
    }
    response.end()
  },
}

/** How the streams of the answers end. */
const ends = {
  'reset by the peer': (client: FrameClient): void => {
    for (let at = 0; at < STREAMS; at++) client.write(frame(wire.RST_STREAM, 0, idOf(at), number(8)))
  },
  'given up by the application': (_: FrameClient, responses: readonly ServerResponse[]): void => {
    for (const response of responses) response.destroy()
  },
}

const cases = [
  ['a buffer', 'reset by the peer'],
  ['a buffer', 'given up by the application'],
  ['a string', 'given up by the application'],
  ['strings and buffers', 'given up by the application'],
] as const

for (const [way, end] of cases) {
  test(`of an answer of ${way} that is ${end}, nothing leaves but what it was`, { timeout: 60_000 }, (t) =>
    cut(t, ways[way], ends[end]),
  )
}

async function cut(
  t: TestContext,
  answer: (response: ServerResponse) => void,
  leave: (client: FrameClient, responses: readonly ServerResponse[]) => void,
): Promise<void> {
  const responses: ServerResponse[] = []
  let closed = 0
  const request = (_: unknown, response: ServerResponse): void => {
    responses.push(response)
    response.once('close', () => closed++)
    answer(response)
  }
  const server = await serving(t, { request, closeTimeout: 100 }, { http2: 'cleartext' })
  const client = await deaf(server.port ?? 0)
  await eventually(() => responses.length === STREAMS, 'all requests')
  await delay(200) // the socket takes what it can
  leave(client, responses)
  // Node.js 24 and before do not read while the socket takes nothing: they see no reset until it has all.
  for (let looks = 0; closed < STREAMS && looks < 20; looks++) await delay(20)
  responses.length = 0
  await delay(20)
  for (let count = 0; count < 3; count++) collect()
  const others = Array.from({ length: 300 }, () => Buffer.allocUnsafeSlow(LONG).fill('S'))
  const short = Array.from({ length: 1000 }, () => Buffer.allocUnsafeSlow(LONG / 10).fill('S'))
  client.socket.socket.resume()
  await eventually(() => piecesKept() === 0, 'the end of what is kept')
  await delay(300)
  const bytes = Buffer.concat(client.of(wire.DATA).map(({ payload }) => payload))
  assert.ok(bytes.length > 10 * WINDOW, `the session goes on with what its socket had: ${bytes.length} bytes`)
  assert.deepEqual([...new Set(bytes)], [...Buffer.from('a')])
  assert.equal(others.length < short.length, true)
  await client.socket.destroy()
}
