// What listeners throw, the events of the web, and what an application does with a WebSocket that is its own.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { EventEmitter } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { WebSocket } from '../../src/ws/webSocket.js'
import { BINARY, close, closeStatus, masked, TEXT } from '../support/frames.js'
import { eventually } from '../support/socketClient.js'
import { engines, recorded } from './engines.js'

/** The messages of uncaught exceptions from now on, until the test ends. */
function uncaught(t: TestContext): string[] {
  const messages: string[] = []
  process.setUncaughtExceptionCaptureCallback((error: Error) => messages.push(error.message))
  t.after(() => process.setUncaughtExceptionCaptureCallback(null))
  return messages
}

for (const { name, isOracle, open } of engines) {
  describe(`over ${name}`, () => {
    test('what a listener throws is an uncaught exception, and the connection stays open', async (t) => {
      const errors = uncaught(t)
      const { ws, client } = await open(t)
      ws.on('message', (data: Buffer) => {
        ws.send(data)
        throw new Error(String(data))
      })
      client.write(masked(TEXT, 'first'))
      await eventually(() => errors.length === 1, 'the exception')
      assert.deepEqual(errors, ['first'])
      assert.equal(ws.readyState, 1)
      const [frame] = await client.frames(1)
      assert.equal(frame?.payload.toString(), 'first')
      if (isOracle) return // its receiver stays where it was left
      client.write(Buffer.concat([masked(TEXT, 'second'), masked(TEXT, 'third')]))
      await eventually(() => errors.length === 3, 'the other exceptions')
      assert.deepEqual(errors, ['first', 'second', 'third'])
      assert.equal((await client.frames(3)).length, 3)
      client.write(close(1000))
      await client.end()
      client.socket.end()
      await eventually(() => ws.readyState === 3, 'the end')
    })

    test('nothing is delivered between a throw and the exception', async (t) => {
      const log: string[] = []
      process.setUncaughtExceptionCaptureCallback((error: Error) => log.push(`uncaught ${error.message}`))
      t.after(() => process.setUncaughtExceptionCaptureCallback(null))
      const { ws, client } = await open(t)
      ws.on('message', (data: Buffer) => {
        log.push(String(data))
        if (String(data) === 'a') throw new Error('a')
      })
      client.write(Buffer.concat([masked(TEXT, 'a'), masked(TEXT, 'b')]))
      await eventually(() => log.length >= 2, 'both')
      assert.deepEqual(log.slice(0, 2), ['a', 'uncaught a'])
    })

    test('an error that nobody listens for is an uncaught exception, and the connection ends as always', async (t) => {
      const errors = uncaught(t)
      const { ws, client } = await open(t)
      let code: unknown
      ws.on('close', (value: unknown) => {
        code = value
      })
      client.write(masked(3, ''))
      await eventually(() => errors.length === 1, 'the exception')
      assert.deepEqual(errors, ['Invalid WebSocket frame: invalid opcode 3'])
      assert.deepEqual(closeStatus((await client.frames(1))[0]), { code: 1002, reason: '' })
      client.socket.end()
      await eventually(() => code === 1006, 'the end')
    })

    test('what listeners of the end and callbacks throw is an uncaught exception', async (t) => {
      const errors = uncaught(t)
      const { ws } = await open(t)
      ws.on('close', () => {
        throw new Error('close')
      })
      ws.send('x', () => {
        throw new Error('callback')
      })
      await eventually(() => errors.length === 1, 'the first')
      ws.terminate()
      await eventually(() => errors.length === 2, 'both')
      assert.deepEqual(errors, ['callback', 'close'])
    })

    test('the events of the web', async (t) => {
      const { ws, client } = await open(t)
      const log: unknown[] = []
      const note = (event: { type: string; data?: unknown; target: unknown }): void => {
        assert.equal(event.target, ws)
        log.push(event.type, event.data)
      }
      ws.addEventListener('message', note)
      ws.addEventListener('message', note)
      ws.addEventListener('message', { handleEvent: ({ data }: { data: unknown }) => log.push('object', data) })
      ws.addEventListener('message', () => log.push('once'), { once: true })
      ws.addEventListener('nothing', note)
      client.write(masked(TEXT, 'text'))
      await eventually(() => log.length === 5, 'the message')
      assert.deepEqual([...log], ['message', 'text', 'object', 'text', 'once'])
      assert.equal(ws.listenerCount('message'), 2)
      ws.removeEventListener('message', note)
      ws.removeAllListeners('message')
      ws.onmessage = ({ data }: { data: unknown }) => log.push('first', data)
      const second = ({ data }: { data: unknown }): void => void log.push('second', data)
      ws.onmessage = second
      ws.addEventListener('message', second)
      assert.equal(ws.onmessage, second)
      client.write(masked(BINARY, 'x'))
      await eventually(() => log.length === 9, 'the message')
      assert.deepEqual(log.slice(5), ['second', Buffer.from('x'), 'second', Buffer.from('x')])
      ws.onmessage = null
      assert.equal(ws.onmessage, null)
      assert.equal(ws.listenerCount('message'), 1)
      const ended: unknown[] = []
      ws.onclose = ({ code, reason, wasClean, type }: Record<string, unknown>) =>
        ended.push(code, reason, wasClean, type)
      client.write(close(3001, 'done'))
      await client.end()
      client.socket.end()
      await eventually(() => ended.length === 4, 'the end')
      assert.deepEqual(ended, [3001, 'done', true, 'close'])
    })

    test('the event of an error has its text', async (t) => {
      const { ws, client } = await open(t)
      const log: unknown[] = []
      ws.onerror = ({ message, error, type }: { message: string; error: Error; type: string }) =>
        log.push(type, message, error.message)
      ws.onclose = ({ code, wasClean }: Record<string, unknown>) => log.push(code, wasClean)
      client.write(masked(4, ''))
      await client.end()
      client.socket.end()
      await eventually(() => log.length === 5, 'both')
      const text = 'Invalid WebSocket frame: invalid opcode 4'
      assert.deepEqual(log, ['error', text, text, 1006, false])
    })

    test('an application may put properties on it, and replace what it has', async (t) => {
      const { ws, client } = await open(t)
      const sent: unknown[] = []
      const { send } = ws
      ws.send = function (this: WebSocket, ...values: unknown[]) {
        sent.push(values[0])
        Reflect.apply(send, this, values)
      }
      Object.assign(ws, { isAlive: true, id: 7, data: {}, held: 'x', gone: true })
      ws.send('replaced')
      assert.equal((await client.frames(1))[0]?.payload.toString(), 'replaced')
      assert.deepEqual(sent, ['replaced'])
      assert.ok(Object.keys(ws).includes('isAlive'))
      const log = recorded(ws)
      assert.equal(ws.emit('message', Buffer.from('own'), false), true)
      client.write(masked(TEXT, 'its'))
      await eventually(() => log.length === 2, 'both')
      assert.deepEqual(log, ['message Buffer(own) false in 1', 'message Buffer(its) false in 1'])
    })
  })
}

test('the class has the constants and the attributes of ws, where they can be seen', () => {
  const constants = { CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 }
  for (const [name, value] of Object.entries(constants)) {
    for (const target of [WebSocket, WebSocket.prototype]) {
      const property = Object.getOwnPropertyDescriptor(target, name)
      assert.deepEqual([property?.value, property?.enumerable, property?.writable], [value, true, false])
    }
  }
  const names = ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url']
  for (const name of [...names, 'onopen', 'onclose', 'onerror', 'onmessage']) {
    const property = Object.getOwnPropertyDescriptor(WebSocket.prototype, name)
    assert.deepEqual([property?.enumerable, property?.configurable], [true, true], name)
  }
  assert.ok(new WebSocket(null) instanceof EventEmitter)
})

test('before it is open, nothing can be sent, and most has no effect', () => {
  const ws = new WebSocket(null)
  const connecting = { message: 'WebSocket is not open: readyState 0 (CONNECTING)' }
  assert.throws(() => ws.send('x'), connecting)
  assert.throws(() => ws.ping(), connecting)
  assert.throws(() => ws.pong(), connecting)
  ws.pause()
  ws.resume()
  assert.deepEqual([ws.readyState, ws.isPaused, ws.bufferedAmount, ws.protocol, ws.extensions], [0, false, 0, '', ''])
  assert.equal(ws._socket, null)
})
