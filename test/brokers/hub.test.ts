// Publications between acceptors: over real sockets, since back-pressure, order and ends are theirs.
import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Hub, type HubOptions } from '../../src/brokers/hub.js'
import { LinkBroker, type LinkBrokerOptions } from '../../src/brokers/linkBroker.js'
import { effort } from '../support/effort.js'
import { Random, seed } from '../support/random.js'
import { delay, eventually } from '../support/socketClient.js'
import { socketPair } from '../support/socketPair.js'
import { Receiver } from './receiver.js'

const options = { timeout: 30_000 }
const MiB = 1024 * 1024

class Acceptor extends Receiver {
  readonly broker: LinkBroker
  readonly socket: Socket

  constructor(socket: Socket, linkOptions?: LinkBrokerOptions) {
    const broker = new LinkBroker(socket, linkOptions)
    super(broker)
    this.broker = broker
    this.socket = socket
  }

  publish(topic: string, text: string): void {
    this.broker.publish(topic, Buffer.from(text), true)
  }
}

async function acceptors(t: TestContext, count: number, hubOptions?: HubOptions): Promise<[Hub, ...Acceptor[]]> {
  const hub = new Hub(hubOptions)
  const joined: Acceptor[] = []
  for (let at = 0; at < count; at++) {
    const [near, far] = await socketPair(t)
    hub.join(far)
    joined.push(new Acceptor(near))
  }
  return [hub, ...joined]
}

function present(...found: (Acceptor | undefined)[]): Acceptor[] {
  return found.map((one) => one ?? assert.fail())
}

/** Subscribes, and waits until the hub knows. */
async function subscribe(hub: Hub, subscriptions: readonly [Acceptor, string][]): Promise<void> {
  for (const [{ broker }, topic] of subscriptions) broker.subscribe(topic)
  await eventually(() => hub.statistics.subscriptions === subscriptions.length, 'the topics are subscribed')
}

describe('a hub', () => {
  test('passes publications to those who subscribe, text and binary, but not back', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 3)
    const [a, b, c] = present(...all) as [Acceptor, Acceptor, Acceptor]
    await subscribe(hub, [
      [a, 'x'],
      [b, 'x'],
      [c, 'y'],
    ])
    const bytes = Buffer.from([0, 255, 1, 254])
    a.broker.publish('x', bytes, false)
    a.publish('y', 'für y')
    a.publish('z', 'for nobody')
    b.publish('x', 'back')
    await eventually(() => a.count === 1 && b.count === 1 && c.count === 1, 'all arrive')
    await delay(50)
    assert.deepEqual(a.received, [{ topic: 'x', payload: Buffer.from('back'), isText: true }])
    assert.deepEqual(b.received, [{ topic: 'x', payload: bytes, isText: false }])
    assert.deepEqual(c.received, [{ topic: 'y', payload: Buffer.from('für y'), isText: true }])
    assert.deepEqual(a.broker.statistics, { connected: true, published: 3, dropped: 0, received: 1, missed: 0 })
    assert.deepEqual(hub.statistics, { links: 3, topics: 2, subscriptions: 3, forwarded: 3, dropped: 0 })
  })

  test('stops when a topic is no longer subscribed', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 2)
    const [a, b] = present(...all) as [Acceptor, Acceptor]
    await subscribe(hub, [
      [b, 'x'],
      [b, 'end'],
    ])
    a.publish('x', '1')
    await eventually(() => b.count === 1, 'the first arrives')
    b.broker.unsubscribe('x')
    await eventually(() => hub.statistics.topics === 1, 'the hub knows')
    a.publish('x', '2')
    a.publish('end', '3')
    await eventually(() => b.count === 2, 'the last arrives')
    assert.deepEqual(b.texts(), ['1', '3'])
    assert.equal(hub.statistics.forwarded, 2)
    assert.equal(b.broker.statistics.missed, 0)
  })

  test(`keeps the order of each publisher and topic, whatever the lengths (SEED=${seed})`, options, async (t) => {
    const random = new Random(seed)
    const [hub, ...all] = await acceptors(t, 4)
    const [reader, ...publishers] = present(...all) as [Acceptor, ...Acceptor[]]
    const topics = ['a', 'b', 'c']
    await subscribe(
      hub,
      topics.map((topic) => [reader, topic]),
    )
    const expected = new Map<string, string[]>()
    const total = 900
    for (let at = 0; at < total; at++) {
      const [index, topic] = [random.below(publishers.length), random.pick(topics)]
      const text = `${index} ${at} ${'x'.repeat(random.pick([0, 50, 5000, 70_000]))}`
      publishers[index]?.publish(topic, text)
      expected.set(`${index} ${topic}`, [...(expected.get(`${index} ${topic}`) ?? []), text])
      if (random.chance(0.1)) await delay(1)
    }
    await eventually(() => reader.count === total, 'all arrive', 20_000)
    for (const [key, texts] of expected) {
      const [index = '', topic] = key.split(' ')
      assert.deepEqual(
        reader.texts(topic).filter((text) => text.startsWith(`${index} `)),
        texts,
      )
    }
    assert.equal(reader.broker.statistics.missed, 0)
  })

  test('drops for an acceptor that does not read, and for no other; what is missing adds up', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 3, { maxBuffered: MiB })
    const [a, fast, slow] = present(...all) as [Acceptor, Acceptor, Acceptor]
    await subscribe(hub, [
      [fast, 'x'],
      [slow, 'x'],
      [slow, 'other'],
    ])
    a.publish('x', 'first')
    await eventually(() => slow.count === 1 && fast.count === 1, 'the first arrives')
    slow.socket.pause()
    const before = process.memoryUsage().arrayBuffers
    const payload = Buffer.alloc(10_000)
    for (let at = 1; at <= 10_000; at++) {
      a.broker.publish('x', payload, false)
      if (at % 20 === 0) await eventually(() => fast.broker.statistics.received >= at - 20, 'the fast one keeps up')
      fast.received.length = 0
    }
    const after = process.memoryUsage().arrayBuffers
    assert.ok(after - before < 40 * MiB, `${after - before} bytes more are held, of 100,000,000 published`)
    await eventually(() => fast.broker.statistics.received === 10_001, 'the hub has seen all')
    const { dropped } = hub.statistics
    assert.ok(dropped > 1000)
    slow.socket.resume()
    await eventually(() => slow.broker.statistics.received === 10_001 - dropped, 'what was kept arrives')
    a.publish('x', 'last')
    await eventually(() => slow.broker.statistics.received === 10_002 - dropped, 'it goes on by itself')
    await eventually(() => fast.broker.statistics.received === 10_002, 'the fast one has all')
    assert.equal(slow.broker.statistics.missed, dropped)
    assert.equal(fast.broker.statistics.missed, 0)
    assert.equal(hub.statistics.dropped, dropped)
  })

  test('forgets an acceptor that ends', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 3)
    const [a, b, c] = present(...all) as [Acceptor, Acceptor, Acceptor]
    await subscribe(hub, [
      [b, 'x'],
      [b, 'y'],
      [c, 'x'],
    ])
    b.socket.destroy()
    await eventually(() => hub.statistics.links === 2 && hub.statistics.topics === 1, 'it is forgotten')
    a.publish('x', 'still')
    await eventually(() => c.count === 1, 'the others go on')
    b.publish('x', 'lost')
    assert.deepEqual(b.broker.statistics, { connected: false, published: 1, dropped: 1, received: 0, missed: 0 })
    await b.broker.close()
  })

  test('closes after what was to be passed on has left', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 2)
    const [a, b] = present(...all) as [Acceptor, Acceptor]
    await subscribe(hub, [[b, 'x']])
    for (let at = 0; at < 100; at++) a.publish('x', 'x'.repeat(10_000))
    await a.broker.close()
    await hub.close()
    await eventually(() => b.count === 100, 'all arrive')
    assert.deepEqual([hub.statistics.links, b.broker.statistics.connected], [0, false])
    await b.broker.close()
  })
})

describe('an acceptor whose hub does not read', () => {
  test('drops and counts, in bounded memory, and closes in bounded time', options, async (t) => {
    const [near, far] = await socketPair(t)
    const { broker } = new Acceptor(near, { maxBuffered: MiB })
    far.pause()
    const payload = Buffer.alloc(1000)
    const before = process.memoryUsage().arrayBuffers
    const turns = effort({ quick: 200, full: 500 })
    for (let turn = 0; turn < turns; turn++) {
      for (let at = 0; at < 100; at++) broker.publish('x', payload, false)
      // Topics that come and go wait in no queue.
      for (let at = 0; at < 100; at++) broker.subscribe(`${at}`)
      for (let at = 0; at < 100; at++) broker.unsubscribe(`${at}`)
      await delay(0)
    }
    const { published, dropped } = broker.statistics
    assert.equal(published, turns * 100)
    assert.ok((published - dropped) * 1000 < 4 * MiB, `${published - dropped} are kept`)
    const more = process.memoryUsage().arrayBuffers - before
    assert.ok(more < 20 * MiB, `${more} bytes more are held`)
    const start = performance.now()
    await Promise.all([broker.close(), broker.close()])
    assert.ok(performance.now() - start < 10_000)
    broker.publish('x', payload, false)
    assert.equal(broker.statistics.dropped, dropped + 1)
  })

  test('takes one publication of any length', options, async (t) => {
    const [hub, ...all] = await acceptors(t, 2)
    const [a, b] = present(...all) as [Acceptor, Acceptor]
    await subscribe(hub, [[b, 'x']])
    const payload = new Random(seed).bytes(20 * MiB)
    a.broker.publish('x', payload, false)
    await eventually(() => b.count === 1, 'it arrives', 20_000)
    assert.ok(b.received[0]?.payload.equals(payload))
  })
})
