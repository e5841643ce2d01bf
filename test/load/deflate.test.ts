// A compressed load deflates each message for real and inflates each answer: whatever a server agrees to, it must work, and
// what comes back must be told from what was sent.
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { heapOfThread } from '../../src/codec/codec.js'
import { createServer, type DeflateOptions } from '../../src/index.js'
import { documentsOf } from '../../src/load/documents.js'

import { effort } from '../support/effort.js'
import { listening } from '../support/serving.js'
import { echoServer, options, shortLoad, wsEchoServer } from './peers.js'

const LOAD = { kind: 'deflate', verify: true } as const
const ALONE = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'

/** A server that answers a message with what `answer` makes of it. */
async function answering(
  t: TestContext,
  answer: (text: string) => string | Buffer,
  deflate: DeflateOptions | boolean = true,
): Promise<string> {
  const server = createServer({
    deflate,
    maxMessage: 2 ** 24,
    message: (connection, message) => void connection.send(answer(message.text())),
  })
  return `ws://127.0.0.1:${(await listening(t, server)).address?.port}`
}

async function works(url: string, given: Parameters<typeof shortLoad>[1] = {}): Promise<void> {
  const { error, messages, negotiated, sentMegabytesPerSecond, megabytesPerSecond } = await shortLoad(url, {
    ...LOAD,
    ...given,
  })
  assert.equal(error, undefined)
  assert.ok(messages > 0)
  assert.match(negotiated ?? '', /^permessage-deflate/)
  if ((given.size ?? 0) >= 1000) assert.ok(sentMegabytesPerSecond < megabytesPerSecond * 0.9)
}

describe('a compressed load', options, () => {
  for (const size of effort({ quick: [0, 200, 100_000], full: [0, 1, 64, 200, 1024, 16_384, 100_000] })) {
    test(`of ${size} bytes, every byte compared`, options, async (t) => {
      const url = await answering(t, (text) => text)
      for (const documents of [1, 7]) await works(url, { size, deflate: { documents } })
    })
  }

  const all: readonly DeflateOptions[] = [
    { contextTakeover: false },
    { contextTakeover: { server: true, client: false } },
    { contextTakeover: { server: false, client: true } },
    { windowBits: 8 },
    { windowBits: 15, threshold: 0 },
    { threshold: 5000 },
  ]
  for (const setting of effort({ quick: all.slice(0, 2), full: all })) {
    test(`against ${JSON.stringify(setting)}`, options, async (t) => {
      const url = await answering(t, (text) => text, setting)
      await works(url, { size: 3000, deflate: { documents: 5 } })
      await works(url, { size: 3000, deflate: { documents: 5, offer: ALONE, once: true } })
    })
  }

  test('against ws, with context takeover and without', options, async (t) => {
    const url = await wsEchoServer(t, { perMessageDeflate: { threshold: 0 } })
    for (const offer of [undefined, ALONE]) {
      await works(url, { size: 2000, deflate: { documents: 3, ...(offer && { offer }) } })
    }
  })

  test('on schedule', options, async (t) => {
    await works(await answering(t, (text) => text), { size: 1024, rate: 200, pipeline: 1, duration: 0.2 })
  })

  test('a server that does not compress is refused', options, async (t) => {
    await assert.rejects(shortLoad(await echoServer(t), LOAD), /did not accept permessage-deflate/)
  })

  for (const [name, answer, expected] of [
    [
      'another byte',
      (text: string) => text.replace('customer', 'customes'),
      /\(300 bytes came, 300 were sent; byte \d+ differs\)/,
    ],
    ['fewer bytes', (text: string) => text.slice(1), /bytes came, 300 were sent/],
    ['more bytes', (text: string) => `${text} `, /\(30\d bytes came, 300 were sent/],
    ['bytes instead of text', (text: string) => Buffer.from(text), /another kind of message/],
  ] as const) {
    test(`an answer with ${name} is no echo`, options, async (t) => {
      for (const threshold of [0, 100_000]) {
        const url = await answering(t, answer, { threshold })
        const { error } = await shortLoad(url, { ...LOAD, size: 300 })
        assert.match(error ?? '', expected)
      }
    })
  }

  test('lengths count where bytes do not', options, async (t) => {
    const longer = await answering(t, (text) => `${text} `)
    const { error } = await shortLoad(longer, { kind: 'deflate', size: 300 })
    assert.match(error ?? '', /bytes came, 300 were sent/)
    const other = await answering(t, (text) => text.replace('customer', 'customes'))
    assert.equal((await shortLoad(other, { kind: 'deflate', size: 300 })).error, undefined)
  })

  test('a greeting is inflated, and is no answer', options, async (t) => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } })
    t.after(() => server.close())
    server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      socket.send('hello '.repeat(20_000))
      socket.on('message', (data, binary) => socket.send(data, { binary }))
    })
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const url = `ws://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
    const { error, greetings, messages } = await shortLoad(url, { ...LOAD, size: 1000 })
    assert.deepEqual({ error, greetings }, { error: undefined, greetings: 3 })
    assert.ok(messages > 0)
  })

  test('memory is given back', options, async (t) => {
    // A server that holds nothing of this thread's heap.
    const url = await wsEchoServer(t, { perMessageDeflate: { threshold: 0 } })
    await shortLoad(url, { ...LOAD, size: 40_000 })
    const { used } = heapOfThread()
    await shortLoad(url, { ...LOAD, size: 40_000, deflate: { documents: 9 } })
    assert.equal(heapOfThread().used, used)
  })
})

test('documents differ, have the length that was asked for, and are the same each time', () => {
  const documents = documentsOf(500, 40).map(String)
  assert.equal(new Set(documents).size, 40)
  assert.ok(documents.every(({ length }) => length === 500))
  assert.deepEqual(documentsOf(500, 40).map(String), documents)
})
