// The fine print of the WebSocket of browsers (WHATWG WebSockets, HTML and Web IDL), which Web Platform Tests look at too.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { type CloseEvent, WebSocket } from '../../src/client.js'
import { acceptKey } from '../../src/protocol/openingHandshake.js'
import { tcpServer } from '../load/peers.js'
import { serving, servingAll } from '../support/serving.js'
import { eventually } from '../support/socketClient.js'

const ended: [code: number, reason: string][] = []
const server = servingAll({
  protocols: ['a', 'b', 'null'],
  message: (connection, message) => void connection.send(message),
  close: (_, code, reason) => void ended.push([code, reason]),
})
const url = (): string => `ws://127.0.0.1:${server.address?.port}/`

async function opened(...args: Partial<ConstructorParameters<typeof WebSocket>>): Promise<WebSocket> {
  const [address = url(), protocols] = args
  const socket = protocols === undefined ? new WebSocket(address) : new WebSocket(address, protocols)
  await once(socket, 'open')
  return socket
}

async function closing(socket: WebSocket): Promise<Pick<CloseEvent, 'code' | 'reason' | 'wasClean'>> {
  const [{ code, reason, wasClean }] = (await once(socket, 'close')) as [CloseEvent]
  return { code, reason, wasClean }
}

for (const [name, close, told] of [
  ['without a code the frame has none', (socket: WebSocket) => socket.close(), [1005, '']],
  ['an undefined code is none', (socket: WebSocket) => socket.close(undefined), [1005, '']],
  ['a reason brings the code 1000', (socket: WebSocket) => socket.close(undefined, 'why'), [1000, 'why']],
  ['a code alone', (socket: WebSocket) => socket.close(1000), [1000, '']],
  ['a fraction is rounded', (socket: WebSocket) => socket.close(3000.5), [3000, '']],
  ['123 bytes of reason', (socket: WebSocket) => socket.close(4999, 'x'.repeat(123)), [4999, 'x'.repeat(123)]],
] as const) {
  test(`close: ${name}`, async () => {
    const socket = await opened()
    ended.length = 0
    close(socket)
    socket.close(3001, 'a second time, which says nothing')
    const { code, wasClean } = await closing(socket)
    assert.deepEqual([code, wasClean], [told[0], true])
    await eventually(() => ended.length > 0, 'the end on the other side')
    assert.deepEqual(ended, [told])
  })
}

test('a code of another kind is converted before it is judged, and the state stays as it is', async () => {
  const socket = await opened()
  for (const code of [null, Number.NaN, 'no number', 0, 1001, 2999, 5000, -1, 65_536 + 1000]) {
    assert.throws(() => Reflect.apply(socket.close, socket, [code]), { name: 'InvalidAccessError' }, String(code))
  }
  assert.equal(socket.readyState, WebSocket.OPEN)
  Reflect.apply(socket.close, socket, ['3456', null])
  assert.deepEqual(await closing(socket), { code: 3456, reason: '', wasClean: true })
  await eventually(
    () => ended.some(([code, reason]) => code === 3456 && reason === 'null'),
    'the end on the other side',
  )
})

test('a connection that this side has failed has ended with 1006, whatever the server was told', async (t) => {
  const address = await tcpServer(t, (socket) => {
    socket.once('data', (head) => {
      const [, key = ''] = /sec-websocket-key: (\S+)/i.exec(String(head)) ?? []
      const answer = `HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n\r\n`
      socket.write(Buffer.concat([Buffer.from(answer), Buffer.from([0x83, 0])])) // an opcode that there is not
    })
  })
  const socket = new WebSocket(address)
  const told: string[] = []
  socket.onerror = ({ type }) => void told.push(type)
  socket.onclose = ({ type }) => void told.push(type)
  assert.deepEqual(await closing(socket), { code: 1006, reason: '', wasClean: false })
  assert.deepEqual(told, ['error', 'close'])
})

test('a handler that was taken away loses its place, and one that is replaced keeps it', async () => {
  const socket = await opened()
  const order: string[] = []
  socket.onmessage = () => void order.push('first')
  socket.addEventListener('message', () => order.push('listener'))
  socket.onmessage = () => void order.push('replaced')
  socket.send('1')
  await once(socket, 'message')
  socket.onmessage = null
  socket.onmessage = () => void order.push('again')
  socket.send('2')
  await once(socket, 'message')
  assert.deepEqual(order, ['replaced', 'listener', 'listener', 'again'])
  socket.close()
})

test('handlers are objects or nothing; this is the socket', async () => {
  const socket = await opened()
  const object = { handleEvent: () => assert.fail('an attribute is not a listener') }
  Reflect.set(socket, 'onmessage', object)
  assert.equal(socket.onmessage, object)
  for (const nothing of [7, 'text', undefined, null, true]) {
    Reflect.set(socket, 'onopen', () => undefined)
    Reflect.set(socket, 'onopen', nothing)
    assert.equal(socket.onopen, null)
  }
  const seen = new Promise((resolve) => {
    socket.onclose = function (this: unknown) {
      resolve(this)
    }
  })
  socket.send('to the object')
  await once(socket, 'message')
  socket.close()
  assert.equal(await seen, socket)
})

test('subprotocols are text, or come from anything that can be gone through', async () => {
  const fromSet = await opened(url(), new Set(['x', 'b']))
  assert.equal(fromSet.protocol, 'b')
  const generated = await opened(
    url(),
    (function* () {
      yield 'a'
    })(),
  )
  assert.equal(generated.protocol, 'a')
  const none = await opened(url(), [])
  assert.equal(none.protocol, '')
  const converted: WebSocket = Reflect.construct(WebSocket, [url(), null])
  await once(converted, 'open')
  assert.equal(converted.protocol, 'null')
  for (const socket of [fromSet, generated, none, converted]) socket.close()
})

test('text whose surrogates stand alone is sent with U+FFFD, and counted as it is sent', async () => {
  const socket = await opened()
  socket.send('\ud800')
  assert.equal(socket.bufferedAmount, 3)
  const [{ data }] = (await once(socket, 'message')) as [MessageEvent]
  assert.equal(data, '\ufffd')
  socket.close()
})

test('a listener that throws is nobody else’s business', async (t) => {
  const own = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const uncaught = once(process, 'uncaughtException')
  t.after(() => {
    for (const listener of own) process.on('uncaughtException', listener)
  })
  const socket = await opened()
  socket.addEventListener('message', () => {
    throw new Error('mine')
  })
  const second = once(socket, 'message')
  socket.send('hello')
  await second
  assert.equal((await uncaught)[0].message, 'mine')
  assert.equal(socket.readyState, WebSocket.OPEN)
  socket.close()
})

test('an answer to Close without a code is no error', async (t) => {
  const other = await serving(t, {})
  const socket = await opened(`ws://127.0.0.1:${other.address?.port}`)
  socket.onerror = () => assert.fail('nothing is wrong')
  socket.close()
  assert.deepEqual(await closing(socket), { code: 1005, reason: '', wasClean: true })
})

test('a call without the argument that it needs is a TypeError, before all else; undefined is text', async () => {
  assert.throws(() => Reflect.construct(WebSocket, []), TypeError)
  const socket = new WebSocket(url())
  assert.throws(() => Reflect.apply(socket.send, socket, []), TypeError, 'while it connects, too')
  await once(socket, 'open')
  assert.throws(() => Reflect.apply(socket.send, socket, []), TypeError)
  Reflect.apply(socket.send, socket, [undefined])
  const [{ data }] = await once(socket, 'message')
  assert.equal(data, 'undefined')
  socket.close()
  assert.equal([WebSocket.length, socket.send.length, socket.close.length].join(), '1,1,2')
})

test('members can be enumerated, the object says what it is, and another one has none of it', async () => {
  const members = ['send', 'close', 'onopen', 'onmessage', 'onerror', 'onclose', 'binaryType', 'bufferedAmount', 'url']
  const names = Object.keys(WebSocket.prototype)
  for (const name of [...members, 'readyState', 'protocol', 'extensions', 'OPEN']) assert.ok(names.includes(name), name)
  assert.equal(Object.prototype.toString.call(WebSocket.prototype), '[object WebSocket]')
  assert.equal(Object.getPrototypeOf(WebSocket), EventTarget)
  assert.throws(() => Reflect.get(WebSocket.prototype, 'url'), TypeError)
  assert.throws(() => Reflect.apply(WebSocket.prototype.send, new EventTarget(), ['x']), TypeError)
})
