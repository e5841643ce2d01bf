// Publications between machines by a Redis stream: nothing that was confirmed is lost, nothing comes twice, and what the
// stream has lost is told. Counted also by somebody else, who reads the stream.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { redisStreamsBroker } from '../../src/brokers/redisStreams.js'
import { REDIS_LIKE } from '../support/redis.js'
import { relay } from '../support/relay.js'
import { delay, eventually } from '../support/socketClient.js'
import { command, numbers, StreamMachine, still, streamServer, textsIn } from './streamMachine.js'

for (const { command: program, skip } of REDIS_LIKE) {
  describe(`a stream of ${program}`, { timeout: 60_000, skip }, () => {
    test('brings what others publish on subscribed topics, in order, text and binary, and nothing of its own', async (t) => {
      const { url } = await streamServer(t, program)
      const [a, b] = [await StreamMachine.connected(url), await StreamMachine.connected(url)]
      for (const { broker } of [a, b]) broker.subscribe('x')
      for (const text of numbers(1000)) {
        a.publish('x', text)
        a.publish('y', text)
      }
      a.broker.publish('x', Uint8Array.of(255, 0), false)
      a.broker.publish('x', Buffer.alloc(3_000_000, 7), false)
      b.publish('x', 'für a')
      await eventually(() => b.count === 1002 && a.count === 1, 'all arrive', 20_000)
      assert.deepEqual(b.texts().slice(0, 1000), numbers(1000))
      assert.deepEqual(b.received[1000], { topic: 'x', payload: Buffer.of(255, 0), isText: false })
      assert.ok(b.received[1001]?.payload.equals(Buffer.alloc(3_000_000, 7)))
      assert.deepEqual(a.texts(), ['für a'])
      await a.broker.confirmed()
      const { dropped, missed, queued, late, doubles, invalid, trimmed } = a.broker.statistics
      assert.deepEqual([dropped, missed, queued, late, doubles, invalid, trimmed], [0, 0, 0, 0, 0, 0, 0])
      assert.deepEqual([a.errors, b.errors], [[], []])
    })

    test('is killed under load, three times: what was confirmed arrives once, in order, and nothing is missed', async (t) => {
      const dir = mkdtempSync(join(tmpdir(), 'millrace-stream-'))
      t.after(() => rmSync(dir, { recursive: true, force: true }))
      const server = await streamServer(t, program, ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', dir])
      const options = { maxLength: 1_000_000 }
      const [a, b] = [
        await StreamMachine.connected(server.url, options),
        await StreamMachine.connected(server.url, options),
      ]
      b.broker.subscribe('x')
      let next = 0
      const timer = setInterval(() => {
        for (let count = 0; count < 20; count++) a.publish('x', `${next++}`)
      }, 1)
      t.after(() => clearInterval(timer))
      for (let outage = 1; outage <= 3; outage++) {
        await delay(150)
        await server.kill()
        await eventually(() => !a.broker.statistics.connected, 'it is noticed')
        await delay(150)
        await server.start()
        await eventually(() => a.broker.statistics.connected && b.broker.statistics.connected, 'both are back', 20_000)
      }
      clearInterval(timer)
      await a.broker.confirmed()
      await eventually(() => b.count >= next, 'all arrive', 20_000)
      await still(b)
      assert.deepEqual(b.texts(), numbers(next))
      const { dropped, queued, late } = a.broker.statistics
      assert.deepEqual([dropped, queued, b.broker.statistics.missed, b.broker.statistics.trimmed], [0, 0, 0, 0])
      assert.ok(late > 0, 'what waited for Redis is counted')
      assert.deepEqual([a.errors.length, b.errors.length], [3, 3], 'one error for each outage')
      const found = await textsIn(server.url)
      assert.deepEqual([...new Set(found)], numbers(next), 'somebody else finds all of them')
      t.diagnostic(JSON.stringify({ taken: next, inStream: found.length, waited: late, ...b.broker.statistics }))
    })

    test('that stands still is written to again: the doubles are in the stream, and arrive once', async (t) => {
      const server = await streamServer(t, program)
      const a = await StreamMachine.connected(server.url, { timeout: 300 })
      const b = await StreamMachine.connected(server.url, { timeout: 300 })
      b.broker.subscribe('x')
      a.publish('x', '0')
      await eventually(() => b.count === 1, 'it arrives')
      server.freeze()
      a.publish('x', '1')
      a.publish('x', '2')
      await eventually(() => !a.broker.statistics.connected && !b.broker.statistics.connected, 'it is noticed')
      a.publish('x', '3')
      assert.equal(a.broker.statistics.queued, 3)
      b.broker.unsubscribe('x')
      b.broker.subscribe('x')
      server.thaw()
      await a.broker.confirmed()
      await eventually(() => b.count === 4, 'all arrive')
      await still(b)
      assert.deepEqual(b.texts(), numbers(4))
      const found = await textsIn(server.url)
      assert.ok(found.length > 4, `${found}: some were written twice`)
      assert.equal(b.broker.statistics.doubles, found.filter((text) => text === '1').length - 1)
      assert.deepEqual([a.broker.statistics.late, b.broker.statistics.missed], [3, 0])
    })

    test('that was trimmed while a machine was away tells it, and how many publications it has missed', async (t) => {
      const server = await streamServer(t, program)
      const gate = await relay(t, server.port)
      const a = await StreamMachine.connected(server.url, { maxLength: 100 })
      const b = await StreamMachine.connected(`redis://127.0.0.1:${gate.port}`)
      b.broker.subscribe('x')
      a.publish('x', '0')
      await eventually(() => b.count === 1, 'it arrives')
      gate.shut()
      await eventually(() => !b.broker.statistics.connected, 'it is noticed')
      for (const text of numbers(2001).slice(1)) {
        a.publish('x', text)
        await a.broker.confirmed()
      }
      gate.open()
      await eventually(() => b.texts().at(-1) === '2000', 'the newest arrive', 20_000)
      const { missed, trimmed } = b.broker.statistics
      assert.equal(b.count + missed, 2001)
      assert.ok(missed > 1500)
      assert.equal(trimmed, 1)
      assert.deepEqual(
        b.errors.map((error) => ('code' in error ? error.code : '')).filter((code) => code === 'ERR_STREAM_TRIMMED'),
        ['ERR_STREAM_TRIMMED'],
      )
    })

    test('that has gone, and was begun anew, is read from its beginning', async (t) => {
      const server = await streamServer(t, program)
      const a = await StreamMachine.connected(server.url, { timeout: 200 })
      const b = await StreamMachine.connected(server.url, { timeout: 200 })
      b.broker.subscribe('x')
      a.publish('x', '0')
      await eventually(() => b.count === 1, 'it arrives')
      await command(server.url, 'DEL', 'millrace:stream')
      await command(server.url, 'XADD', 'millrace:stream', '5-1', 'from', 'nobody', 'records', 'nothing')
      await eventually(() => b.broker.statistics.trimmed === 1, 'it is told')
      await eventually(() => b.broker.statistics.invalid === 1, 'what is no entry is counted')
      a.publish('x', '1')
      await eventually(() => b.count === 2, 'it goes on')
      assert.equal(b.broker.statistics.missed, 0)
    })

    test('that refuses to be written is tried again, in order; too much is dropped, and confirmed() says so', async (t) => {
      const server = await streamServer(t, program)
      const [a, b] = [
        await StreamMachine.connected(server.url, { maxBuffered: 2000 }),
        await StreamMachine.connected(server.url),
      ]
      b.broker.subscribe('x')
      await command(server.url, 'ACL', 'SETUSER', 'default', '-xadd')
      for (const text of ['0', '1', '2']) a.publish('x', text.padEnd(600))
      const waiting = a.broker.confirmed()
      a.publish('x', 'x'.padEnd(600))
      a.publish('x', 'lost')
      await assert.rejects(a.broker.confirmed(), { code: 'ERR_NOT_CONFIRMED' })
      await delay(200)
      assert.match(String(a.errors), /NOPERM/)
      assert.equal(a.errors.length, 1)
      assert.deepEqual([a.broker.statistics.queued, a.broker.statistics.dropped], [4, 1])
      await command(server.url, 'ACL', 'SETUSER', 'default', '+xadd')
      await waiting
      await a.broker.confirmed()
      await eventually(() => b.count === 4, 'all others arrive')
      assert.deepEqual(
        b.texts().map((text) => text.trim()),
        ['0', '1', '2', 'x'],
      )
      assert.equal(a.broker.statistics.late, 4)
    })
  })
}

describe('nobody who is Redis', { timeout: 60_000 }, () => {
  test('is waited for: publishing does not throw, what waits is counted, and close() ends in time', async (t) => {
    const mute = createServer((socket) => socket.on('error', () => undefined).resume()).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    t.after(() => mute.close())
    const address = mute.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    for (const url of ['redis://127.0.0.1:1', `redis://127.0.0.1:${port}`]) {
      const errors: Error[] = []
      const broker = redisStreamsBroker(url, { timeout: 200, error: (error) => errors.push(error), maxBuffered: 100 })
      broker.attach(() => undefined)
      for (let count = 0; count < 10; count++) broker.publish('x', Buffer.alloc(40), false)
      const { queued, dropped, connected } = broker.statistics
      assert.deepEqual([queued, dropped, connected], [2, 8, false])
      await delay(0)
      await delay(0)
      const confirmed = assert.rejects(broker.confirmed(), { code: 'ERR_NOT_CONFIRMED' })
      await eventually(() => errors.length > 0, 'it is told')
      await broker.close()
      await confirmed
      assert.deepEqual([broker.statistics.queued, broker.statistics.dropped, errors.length], [0, 10, 1])
    }
  })

  test('is refused by its address, and options that are none', () => {
    assert.throws(() => redisStreamsBroker('http://localhost'), { code: 'ERR_REDIS_ADDRESS' })
    assert.throws(() => redisStreamsBroker('redis://localhost', { maxLength: 0 }), RangeError)
    assert.throws(() => redisStreamsBroker('redis://localhost', { maxlen: 1 } as object), TypeError)
  })
})
