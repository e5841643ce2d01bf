// The WebSocket of browsers: what Web Platform Tests ask of it that makes sense outside of a browser.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type CloseEvent, WebSocket } from '../../src/client.js'
import type { ServerOptions } from '../../src/index.js'
import { serving, servingAll } from '../support/serving.js'

const options: ServerOptions = {
  protocols: ['a', 'b'],
  deflate: true,
  message(connection, message) {
    if (message.isText && message.text() === 'close') connection.close(4001, 'as you wish')
    else if (message.isText && message.text() === 'cut') connection.terminate()
    else connection.send(message)
  },
}
const server = servingAll(options)
const url = (path = ''): string => `ws://127.0.0.1:${server.address?.port}${path}`

/** The next event of a kind. */
async function next(socket: WebSocket, type: string): Promise<Event> {
  const [event] = await once(socket, type)
  return event
}

async function opened(...args: ConstructorParameters<typeof WebSocket>): Promise<WebSocket> {
  const socket = new WebSocket(...args)
  await next(socket, 'open')
  return socket
}

async function ended(socket: WebSocket): Promise<CloseEvent> {
  return (await next(socket, 'close')) as CloseEvent
}

test('constants are on the class and its objects, and can not be changed', async () => {
  const socket = await opened(url())
  const expected = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
  for (const [name, value] of Object.entries(expected)) {
    assert.equal(Reflect.get(WebSocket, name), value)
    assert.equal(Reflect.get(socket, name), value)
    assert.equal(Reflect.set(socket, name, 7), false)
  }
  socket.close()
  assert.equal(socket.readyState, 2)
  await ended(socket)
  assert.equal(socket.readyState, 3)
})

const wrong: [string, ConstructorParameters<typeof WebSocket>][] = [
  ['no address', ['']],
  ['a relative address', ['/path']],
  ['another scheme', ['mailto:a@b']],
  ['a fragment', ['ws://example.com/#a']],
  ['an empty fragment', ['ws://example.com/#']],
  ['a subprotocol twice', ['ws://example.com', ['a', 'a']]],
  ['a subprotocol that is no token', ['ws://example.com', ['a b']]],
  ['an empty subprotocol', ['ws://example.com', ['']]],
]

for (const [name, args] of wrong) {
  test(`${name} is a SyntaxError`, () => {
    assert.throws(() => new WebSocket(...args), { name: 'SyntaxError' })
  })
}

test('http: and https: mean ws: and wss:, and the address is shown as it is used', async () => {
  const socket = new WebSocket(url('/p?q').replace('ws:', 'http:'))
  assert.equal(socket.url, url('/p?q'))
  await next(socket, 'open')
  socket.close()
})

test('sending before it is open is an InvalidStateError; after the end, bytes are only counted', async () => {
  const socket = new WebSocket(url())
  assert.throws(() => socket.send('early'), { name: 'InvalidStateError' })
  await next(socket, 'open')
  socket.close()
  socket.send('hé')
  socket.send(new Uint8Array(4))
  socket.send(new Blob(['12345']))
  assert.equal(socket.bufferedAmount, 12)
  await ended(socket)
  assert.equal(socket.bufferedAmount, 12)
})

test('text, and bytes as the binaryType says', async () => {
  const socket = await opened(url(), ['b', 'c'])
  assert.equal(socket.protocol, 'b')
  assert.equal(socket.binaryType, 'blob')
  Reflect.set(socket, 'binaryType', 'nonsense')
  assert.equal(socket.binaryType, 'blob')
  const messages: unknown[] = []
  socket.onmessage = ({ data, origin }) => {
    assert.equal(origin, url())
    messages.push(data)
  }
  socket.send('text')
  Reflect.apply(socket.send, socket, [null])
  socket.send(Uint8Array.of(1, 2, 3).subarray(1))
  while (messages.length < 3) await next(socket, 'message')
  socket.binaryType = 'arraybuffer'
  socket.send(Uint8Array.of(4).buffer)
  while (messages.length < 4) await next(socket, 'message')
  const [text, none, blob, buffer] = messages
  assert.deepEqual([text, none], ['text', 'null'])
  assert.ok(blob instanceof Blob && buffer instanceof ArrayBuffer)
  assert.deepEqual(new Uint8Array(await blob.arrayBuffer()), Uint8Array.of(2, 3))
  assert.deepEqual(new Uint8Array(buffer), Uint8Array.of(4))
  socket.close()
})

test('messages leave in the order of `send`, Blobs among them, and Close after all', async () => {
  const socket = await opened(url())
  socket.binaryType = 'arraybuffer'
  const seen: unknown[] = []
  socket.addEventListener('message', ({ data }: Event & { data?: unknown }) => {
    seen.push(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer).toString())
  })
  socket.send('1')
  socket.send(new Blob(['2']))
  const changing = Buffer.from('3')
  socket.send(changing)
  changing.write('x')
  socket.send(new Blob(['4']))
  socket.send('5')
  assert.equal(socket.bufferedAmount, 5)
  while (seen.length < 5) await next(socket, 'message')
  assert.deepEqual(seen, ['1', '2', '3', '4', '5'])
  assert.equal(socket.bufferedAmount, 0)
  socket.close()
})

test('the codes that a page may close with, and the length of its reason', async () => {
  const socket = await opened(url())
  for (const code of [999, 1001, 1005, 2999, 5000]) {
    assert.throws(() => socket.close(code), { name: 'InvalidAccessError' })
  }
  assert.throws(() => socket.close(1000, 'é'.repeat(62)), { name: 'SyntaxError' })
  assert.equal(socket.readyState, 1)
  socket.close(3333, 'reason')
  const { code, wasClean } = await ended(socket)
  assert.deepEqual([code, wasClean], [3333, true])
})

test('the server closes: code and reason, without an error', async () => {
  const socket = await opened(url())
  const errors: Event[] = []
  socket.onerror = (event) => void errors.push(event)
  socket.send('close')
  const { code, reason, wasClean } = await ended(socket)
  assert.deepEqual([code, reason, wasClean, errors.length], [4001, 'as you wish', true, 0])
})

test('the connection breaks, or can not be opened: an error, and then 1006', async () => {
  const broken = await opened(url())
  broken.send('cut')
  const check = async (socket: WebSocket): Promise<void> => {
    const order: string[] = []
    socket.addEventListener('error', () => order.push('error'))
    socket.addEventListener('close', () => order.push('close'))
    const { code, wasClean } = await ended(socket)
    assert.deepEqual([code, wasClean, order, socket.readyState], [1006, false, ['error', 'close'], 3])
  }
  await Promise.all([check(broken), check(new WebSocket('ws://127.0.0.1:1'))])
})

test('closing while it connects gives it up', async () => {
  const socket = new WebSocket(url())
  socket.close()
  assert.equal(socket.readyState, 2)
  assert.equal((await ended(socket)).code, 1006)
})

test('a handler attribute keeps its place, and null takes it away', async () => {
  const socket = new WebSocket(url())
  const order: string[] = []
  socket.onopen = () => void order.push('replaced')
  socket.addEventListener('open', () => order.push('second'))
  socket.onopen = () => void order.push('first')
  await next(socket, 'open')
  assert.deepEqual(order, ['first', 'second'])
  socket.onclose = () => assert.fail('it was taken away')
  socket.onclose = null
  assert.equal(socket.onclose, null)
  socket.close()
  await ended(socket)
})

test('compression is offered where that is asked for', async () => {
  const plain = await opened(url())
  const deflated = await opened(url(), { deflate: true })
  assert.equal(plain.extensions, '')
  assert.match(deflated.extensions, /^permessage-deflate/)
  deflated.send('x'.repeat(1000))
  await next(deflated, 'message')
  plain.close()
  deflated.close()
})

test('wrong options are thrown by the constructor, and an answer without a subprotocol that was asked for is no opening', async (t) => {
  assert.throws(() => new WebSocket('ws://127.0.0.1:9', { maxMessage: -1 }), RangeError)
  assert.throws(() => new WebSocket('ws://127.0.0.1:9', { headers: { 'a b': 'x' } }), TypeError)
  const lasting = { reconnect: true } as object
  assert.throws(() => new WebSocket('ws://127.0.0.1:9', lasting), TypeError)
  const server = await serving(t, {})
  const told: string[] = []
  const socket = new WebSocket(`ws://127.0.0.1:${server.address?.port}`, 'chat')
  for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => void told.push(type))
  await new Promise((resolve) => socket.addEventListener('close', resolve))
  assert.deepEqual(told, ['error', 'close'])
})
