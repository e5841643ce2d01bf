// Messages, control frames and their callbacks, as a program written for ws sees them.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { BINARY, CONTINUATION, masked, PING, PONG, TEXT } from '../support/frames.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'
import { engines, recorded } from './engines.js'

for (const { name, isOracle, open } of engines) {
  describe(`over ${name}`, () => {
    test('text and bytes come as Buffers, and say which they are', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      client.write(Buffer.concat([masked(TEXT, 'grüße'), masked(BINARY, 'bytes'), masked(TEXT), masked(BINARY)]))
      client.write(Buffer.concat([masked(TEXT, 'in ', false), masked(PING, 'p'), masked(CONTINUATION, 'two')]))
      client.write(masked(PONG, 'unasked'))
      await eventually(() => log.length === 7, 'all of it')
      assert.deepEqual(log, [
        `message Buffer(${Buffer.from('grüße').toString('latin1')}) false in 1`,
        'message Buffer(bytes) true in 1',
        'message Buffer() false in 1',
        'message Buffer() true in 1',
        'ping Buffer(p) in 1',
        'message Buffer(in two) false in 1',
        'pong Buffer(unasked) in 1',
      ])
      const [pong] = await client.frames(1)
      assert.deepEqual([pong?.opcode, pong?.payload.toString()], [PONG, 'p'])
    })

    test('a message of a megabyte comes whole, and goes back', async (t) => {
      const { ws, client } = await open(t)
      const sent = Buffer.alloc(1024 * 1024)
      for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at)
      ws.on('message', (data: Buffer, isBinary: boolean) => ws.send(data, { binary: isBinary }))
      client.write(masked(BINARY, sent))
      const [frame] = await client.frames(1)
      assert.ok(frame?.payload.equals(sent))
    })

    test('binary messages come as what binaryType says', async (t) => {
      const { ws, client } = await open(t)
      const log = recorded(ws)
      ws.binaryType = 'arraybuffer'
      client.write(Buffer.concat([masked(BINARY, 'ab'), masked(TEXT, 'text')]))
      await eventually(() => log.length === 2, 'both')
      ws.binaryType = 'fragments'
      client.write(Buffer.concat([masked(BINARY, 'cd'), masked(BINARY)]))
      await eventually(() => log.length === 4, 'both')
      assert.deepEqual(log, [
        'message ArrayBuffer(ab) true in 1',
        'message Buffer(text) false in 1',
        'message [Buffer(cd)] true in 1',
        'message [] true in 1',
      ])
      ws.binaryType = 'blob'
      const next = once(ws, 'message')
      client.write(masked(BINARY, 'blob'))
      const [blob] = await next
      assert.ok(blob instanceof Blob)
      assert.equal(await blob.text(), 'blob')
      ws.binaryType = 'nothing' as 'blob'
      assert.equal(ws.binaryType, 'blob')
    })

    test('what is sent is text or binary, whole or in fragments, as it is told', async (t) => {
      const { ws, client } = await open(t)
      ws.send('text')
      ws.send(Buffer.from('bytes'))
      ws.send(Buffer.from('as text'), { binary: false })
      ws.send('as bytes', { binary: true })
      ws.send(new Uint16Array([0x4142]).subarray(0, 1))
      ws.send(new Uint8Array([0x43]).buffer)
      ws.send([0x44, 0x45])
      ws.send(42)
      ws.send('')
      ws.send(null)
      ws.send(undefined, undefined)
      ws.send('one', { fin: false })
      ws.send(Buffer.from('two'), { fin: false, binary: true })
      ws.send('three')
      ws.send('next', { binary: undefined, compress: undefined, fin: true })
      const frames = await client.frames(15)
      assert.deepEqual(
        frames.map(({ opcode, fin, payload }) => `${opcode}${fin ? '' : '+'} ${payload}`),
        [
          ...['1 text', '2 bytes', '1 as text', '2 as bytes', '2 BA', '2 C', '2 DE', '1 42', '1 ', '2 ', '2 '],
          ...['1+ one', '0+ two', '0 three', '1 next'],
        ],
      )
    })

    test('a Blob keeps its place among what is sent', async (t) => {
      const { ws, client } = await open(t)
      const order: string[] = []
      ws.send('first', () => order.push('first'))
      ws.send(new Blob(['second']), () => order.push('second'))
      ws.send('third', () => order.push('third'))
      ws.ping(new Blob(['fourth']), undefined, () => order.push('fourth'))
      ws.send(new Blob(['fifth']), { binary: false }, () => order.push('fifth'))
      ws.close(1000, 'last')
      assert.equal(ws.bufferedAmount > 0, true)
      const frames = await client.frames(6)
      assert.deepEqual(
        frames.map(({ opcode, payload }) => `${opcode} ${payload.toString('latin1')}`),
        ['1 first', '2 second', '1 third', '9 fourth', '1 fifth', '8 \x03\xe8last'],
      )
      await eventually(() => order.length === 5, 'all callbacks')
      assert.deepEqual(order, ['first', 'second', 'third', 'fourth', 'fifth'])
    })

    test('callbacks are called in order, with null, and never inside of send', async (t) => {
      const { ws, client } = await open(t)
      const log: unknown[] = []
      const big = Buffer.alloc(8 * 1024 * 1024)
      ws.send('one', (...values: unknown[]) => log.push('one', ...values))
      ws.send('two', {}, (...values: unknown[]) => log.push('two', ...values))
      ws.ping((...values: unknown[]) => log.push('ping', ...values))
      ws.pong('data', (...values: unknown[]) => log.push('pong', ...values))
      ws.ping('data', undefined, (...values: unknown[]) => log.push('ping', ...values))
      ws.send(big, () => log.push('big'))
      ws.send('end', () => log.push('end'))
      assert.deepEqual(log, [])
      const frames = await client.frames(7)
      assert.deepEqual(
        frames.map(({ opcode, payload }) => `${opcode} ${payload.length}`),
        ['1 3', '1 3', '9 0', '10 4', '9 4', `2 ${big.length}`, '1 3'],
      )
      await eventually(() => log.length === 12, 'all callbacks')
      assert.deepEqual(log, ['one', null, 'two', null, 'ping', null, 'pong', null, 'ping', null, 'big', 'end'])
    })

    test('a callback waits for a client that does not read', async (t) => {
      const { ws, client } = await open(t)
      client.socket.pause()
      let called = false
      ws.send(Buffer.alloc(32 * 1024 * 1024), () => {
        called = true
      })
      await settle()
      assert.equal(called, false)
      assert.ok(ws.bufferedAmount > 1024 * 1024)
      client.socket.resume()
      await eventually(() => called, 'the callback')
      assert.equal(ws.bufferedAmount, 0)
    })

    test('what is sent counts as gone when the system can have taken it', async (t) => {
      const { ws } = await open(t)
      ws.send('some text')
      if (isOracle || name === 'a socket') assert.equal(ws.bufferedAmount, 0)
      await settle()
      assert.equal(ws.bufferedAmount, 0)
    })

    test('what comes with the request is delivered in the next tick', async (t) => {
      const log: string[] = []
      const { ws, client } = await open(t, {
        head: Buffer.concat([masked(TEXT, 'early'), masked(TEXT, 'bird')]),
        opened: (socket) => {
          process.nextTick(() => log.push('tick'))
          Promise.resolve().then(() => socket.on('message', (data: Buffer) => log.push(data.toString())))
        },
      })
      client.write(masked(TEXT, 'late'))
      await eventually(() => log.includes('late'), 'all of it')
      assert.deepEqual(
        log.filter((line) => line !== 'tick'),
        ['early', 'bird', 'late'],
      )
      assert.equal(ws.readyState, 1)
    })

    test('nothing is read while it is paused', async (t) => {
      const { ws, client } = await open(t, { head: masked(TEXT, 'early'), opened: (socket) => socket.pause() })
      const log = recorded(ws)
      assert.equal(ws.isPaused, true)
      client.write(masked(TEXT, 'a'))
      await settle()
      assert.deepEqual(log, [])
      ws.resume()
      assert.equal(ws.isPaused, false)
      await eventually(() => log.length === 2, 'both')
      assert.deepEqual(log, ['message Buffer(early) false in 1', 'message Buffer(a) false in 1'])
    })

    test('where events must not be synchronous, there is one in a turn', async (t) => {
      const { ws, client } = await open(t, { allowSynchronousEvents: false })
      const log: string[] = []
      ws.on('message', (data: Buffer) => {
        log.push(data.toString())
        setImmediate(() => log.push('turn'))
      })
      client.write(Buffer.concat([masked(TEXT, 'a'), masked(TEXT, 'b'), masked(TEXT, 'c')]))
      await eventually(() => log.length === 6, 'all of it')
      assert.deepEqual(
        log.filter((line) => line !== 'turn'),
        ['a', 'b', 'c'],
      )
      for (const [at, line] of log.entries())
        if (line === 'b' || line === 'c') assert.ok(log.slice(0, at).includes('turn'))
    })

    test('pings are answered only where that is wanted, and only so many before their pongs have left', async (t) => {
      const quiet = await open(t, { autoPong: false })
      const log = recorded(quiet.ws)
      quiet.client.write(masked(PING, 'x'))
      await eventually(() => log.length === 1, 'the ping')
      quiet.ws.send('answer')
      const [frame] = await quiet.client.frames(1)
      assert.equal(frame?.opcode, TEXT)
      const { ws, client } = await open(t, { maxPendingAutoPongs: 3 })
      const told = recorded(ws)
      client.write(Buffer.concat([1, 2, 3, 4].map((number) => masked(PING, String(number)))))
      await eventually(() => told.some((line) => line.startsWith('close')), 'the end')
      assert.deepEqual(told.slice(0, 3), ['ping Buffer(1) in 1', 'ping Buffer(2) in 1', 'ping Buffer(3) in 1'])
      assert.equal(told.at(-1), 'close 1006 Buffer() in 3')
    })
  })
}
