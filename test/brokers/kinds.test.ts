// What every broker between machines promises that carries at most once: what arrives, where, in which form and order; and
// what is counted when the engine is killed under load, stands still, or is somebody who says nothing.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Random, seed } from '../support/random.js'
import { delay, eventually } from '../support/socketClient.js'
import { engineFor, KINDS, type Kind, KindMachine } from './kinds.js'
import type { Received } from './receiver.js'

const MiB = 1024 * 1024
const payload = Buffer.alloc(1000)

/** Two machines, of which the second hears the first on a topic; and what was published before it did. */
async function pair(t: TestContext, kind: Kind, url: string, topic: string, options = {}) {
  const [a, b] = [
    await KindMachine.connected(t, kind, url, options),
    await KindMachine.connected(t, kind, url, { ...options, maxBuffered: 8 * MiB }),
  ]
  b.broker.subscribe(topic)
  await a.reach(b, topic)
  const base = a.broker.statistics.published - b.broker.statistics.received
  b.received.length = 0
  return { a, b, base }
}

/** Publishes `perTurn` times 1000 bytes on 'x' every millisecond or two, until `stop`. */
function load({ broker }: KindMachine, perTurn: number): { stop(): void } {
  const timer = setInterval(() => {
    for (let count = 0; count < perTurn; count++) broker.publish('x', payload, false)
  }, 1)
  return { stop: () => clearInterval(timer) }
}

/** A server that accepts, and says nothing. */
async function silent(t: TestContext, url: string): Promise<{ url: string; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const mute = createServer((socket) => {
    sockets.add(socket)
    socket
      .on('error', () => undefined)
      .on('close', () => sockets.delete(socket))
      .resume()
  }).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.after(() => mute.close())
  const address = mute.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: url.replace(/,.*/, '').replace(/:\d+$/, `:${port}`), sockets }
}

for (const kind of KINDS) {
  describe(kind.name, { timeout: 90_000, skip: kind.skip }, () => {
    test('carries text and bytes to the topics that others subscribe, in order, and not back', async (t) => {
      const { url } = await engineFor(t, kind)
      const { a, b } = await pair(t, kind, url, 'x')
      const topics = ['x', 'y/€ z', '*', 'a.b.>', "!'()~%2E"]
      for (const topic of topics) {
        a.broker.subscribe(topic)
        b.broker.subscribe(topic)
        await a.reach(b, topic)
      }
      b.broker.subscribe('gone')
      await a.reach(b, 'gone')
      b.broker.unsubscribe('gone')
      await delay(50)
      b.received.length = 0
      const bytes = new Random(seed).bytes(300_000)
      a.broker.publish('x', bytes, false)
      a.broker.publish('x', new Uint8Array(0), false)
      for (let at = 0; at < 300; at++) {
        for (const topic of [...topics, 'gone', 'never']) a.publish(topic, `für ${at}`)
        if (at % 100 === 0) await delay(1)
      }
      await eventually(() => b.count === 2 + 300 * topics.length, 'all arrive')
      // There is an order within a topic: another topic may lie on another server.
      const [first, second] = b.received.filter((one) => one.topic === 'x')
      assert.ok(first?.payload.equals(bytes) === true)
      assert.deepEqual([first?.isText, second?.isText, second?.payload.length], [false, false, 0])
      const texts = Array.from({ length: 300 }, (_, at) => `für ${at}`)
      for (const topic of topics) {
        const got: readonly Received[] = b.received.filter(
          (one) => one.topic === topic && one !== first && one !== second,
        )
        assert.deepEqual([got.map((one) => `${one.payload}`), got.every(({ isText }) => isText)], [texts, true], topic)
      }
      await delay(50)
      assert.equal(a.count, 0, 'what a publishes does not come back')
      assert.deepEqual(
        [a.broker.statistics.dropped, a.broker.statistics.unconfirmed, b.broker.statistics.missed],
        [0, 0, 0],
      )
    })

    test('with different prefixes knows nothing of others', async (t) => {
      const { url } = await engineFor(t, kind)
      const { a, b } = await pair(t, kind, url, 'x', { prefix: 'other.' })
      const stranger = await KindMachine.connected(t, kind, url)
      stranger.broker.subscribe('x')
      await delay(50)
      a.publish('x', 'hello')
      await eventually(() => b.count === 1, 'it arrives')
      await delay(50)
      assert.equal(stranger.count, 0)
    })

    test('is killed and started twice under load: it goes on by itself, and what is lost adds up', async (t) => {
      const engine = await engineFor(t, kind)
      const { a, b, base } = await pair(t, kind, engine.url, 'x')
      const { stop } = load(a, 20)
      t.after(stop)
      for (let outage = 1; outage <= 2; outage++) {
        await delay(200)
        await engine.kill()
        await eventually(() => !a.broker.statistics.connected, 'it is noticed')
        const { dropped } = a.broker.statistics
        await delay(200)
        assert.ok(a.broker.statistics.dropped > dropped, 'publishing goes on, and is counted')
        assert.equal(a.errors.length, outage, `one error for each outage: ${a.errors}`)
        await engine.start()
        const { received } = b.broker.statistics
        await eventually(() => b.broker.statistics.received > received + 100, 'it goes on by itself', 20_000)
        await eventually(() => a.broker.statistics.connected, 'all connections are back')
      }
      stop()
      await a.reach(b, 'x')
      const { published, dropped, unconfirmed } = a.broker.statistics
      const { received, missed } = b.broker.statistics
      t.diagnostic(JSON.stringify({ published, dropped, unconfirmed, received, missed }))
      assert.equal(received + missed, published - base, 'what is missing is known to the last one')
      assert.ok(missed >= dropped && dropped > 0, 'what was dropped is missed')
    })

    test('whose engine stands still holds bounded memory, and what is dropped is what is missed', async (t) => {
      const engine = await engineFor(t, kind)
      const { a, b, base } = await pair(t, kind, engine.url, 'x', { maxBuffered: MiB })
      engine.freeze()
      const before = process.memoryUsage().arrayBuffers
      for (let turn = 0; turn < 200; turn++) {
        for (let count = 0; count < 100; count++) a.broker.publish('x', payload, false)
        await delay(0)
      }
      const more = process.memoryUsage().arrayBuffers - before
      assert.ok(more < 12 * MiB, `${more} bytes more are held, of 20,000,000 published`)
      assert.ok(a.broker.statistics.dropped > 10_000)
      engine.thaw()
      await a.reach(b, 'x')
      const { published, dropped, unconfirmed } = a.broker.statistics
      const { received, missed } = b.broker.statistics
      assert.deepEqual([missed, unconfirmed], [dropped, 0])
      assert.equal(received + missed, published - base)
    })

    test('whose engine answers nothing for longer than the timeout is away until it answers', async (t) => {
      const engine = await engineFor(t, kind)
      const { a, b, base } = await pair(t, kind, engine.url, 'x', { timeout: 500 })
      await delay(100) // what has arrived is confirmed, too
      a.errors.length = 0
      engine.freeze()
      for (let count = 0; count < 10; count++) a.broker.publish('x', payload, false)
      await eventually(() => !a.broker.statistics.connected, 'it is noticed')
      await eventually(() => a.broker.statistics.unconfirmed === 10, 'what was sent is not confirmed')
      assert.equal(a.errors.length, 1, String(a.errors))
      engine.thaw()
      await eventually(() => a.broker.statistics.connected && b.broker.statistics.connected, 'both are back', 20_000)
      await a.reach(b, 'x')
      const { received, missed } = b.broker.statistics
      assert.equal(received + missed, a.broker.statistics.published - base)
    })

    test('that reaches somebody who says nothing drops and counts, tells it once, and closes in bounded time', async (t) => {
      const { url } = await engineFor(t, kind)
      const mute = await silent(t, url)
      const machine = new KindMachine(t, kind, mute.url, { timeout: 300 })
      machine.broker.subscribe('x')
      machine.publish('x', 'lost')
      await eventually(() => machine.errors.length > 0, 'it is told')
      await delay(700)
      assert.equal(machine.errors.length, 1, String(machine.errors))
      assert.ok(mute.sockets.size <= 2, 'what is given up is closed')
      const { connected, published, dropped } = machine.broker.statistics
      assert.deepEqual({ connected, published, dropped }, { connected: false, published: 1, dropped: 1 })
      const start = performance.now()
      await machine.broker.close()
      assert.ok(performance.now() - start < 5000)
      await eventually(() => mute.sockets.size === 0, 'nothing stays open')
    })

    test('leaves nothing behind that was published before it was closed, and drops what comes later', async (t) => {
      const { url } = await engineFor(t, kind)
      const { a, b } = await pair(t, kind, url, 'x')
      for (let count = 0; count < 1000; count++) a.broker.publish('x', payload, false)
      await a.broker.close()
      await eventually(() => b.count === 1000, 'all arrive')
      assert.equal(a.broker.statistics.connected, false)
      a.publish('x', 'late')
      assert.deepEqual([a.broker.statistics.dropped, a.broker.statistics.unconfirmed], [1, 0])
    })
  })
}
