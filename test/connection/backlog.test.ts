// What waits behind an unfinished message is buffered like everything else: counted, bounded by the output policy, and once
// it was taken, it is sent. The peer reads all the time here; what takes its time is the message.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { SendResult } from '../../src/connection/connection.js'
import type { OutputPolicy } from '../../src/connection/handlers.js'
import { Backlog } from '../../src/connection/sending/backlog.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { Budget } from '../../src/memory/budget.js'
import { SharedBlock } from '../../src/memory/sharedBlock.js'
import { ProtocolViolation } from '../../src/protocol/violation.js'
import { connections } from '../support/connections.js'
import { masked, PING, PONG, readFrames, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

const LIMIT = 10_000

/** A connection amid a message that others wait behind, until `finish`. */
type Amid = 'a stream' | 'fragments'

async function amid(what: Amid, policy: OutputPolicy, limits = {}) {
  const errors: unknown[] = []
  const drains: number[] = []
  const place = connections({
    error: (_, error) => void errors.push(error),
    drain: (connection) => void drains.push(connection.bufferedAmount),
    message: () => undefined,
    outputLimit: LIMIT,
    ...limits,
    outputPolicy: policy,
  })
  const { peer, wire } = place.connect()
  peer.subscribe('news')
  let finish = (): void => void peer.sendFragment('end', true)
  if (what === 'fragments') peer.sendFragment('begin', false)
  else {
    const source = async function* (): AsyncGenerator<string> {
      yield 'begin'
      await new Promise<void>((resolve) => (finish = resolve))
      yield 'end'
    }
    peer.sendStream(source()).catch(() => undefined)
  }
  await settle()
  assert.equal(peer.bufferedAmount, 0, 'the peer has read what there is')
  /** The texts of the messages behind the first. */
  const behind = (): string[] => {
    const { frames, rest } = readFrames(wire.output)
    assert.equal(rest.length, 0)
    return frames.filter(({ opcode, fin }) => opcode === TEXT && fin).map(({ payload }) => payload.toString())
  }
  return { place, peer, wire, errors, drains, behind, finish: () => finish() }
}

/** Publishes as another connection does; the turn ends before this resolves. */
async function publish(peer: Awaited<ReturnType<typeof amid>>, text: string): Promise<void> {
  peer.place.shared.topics.publish('news', text)
  await new Promise<void>((resolve) => queueMicrotask(resolve))
  await settle()
}

describe("'drop': what was taken arrives, in order, and the rest was answered so", () => {
  test('sent during a stream', async () => {
    const one = await amid('a stream', 'drop')
    const taken: string[] = []
    const results = new Set<SendResult>()
    for (let n = 0; n < 5000; n++) {
      const text = `${n} ${'x'.repeat((n * 37) % 300)}`
      const result = one.peer.send(n % 3 === 0 ? prepare(text) : text)
      results.add(result)
      if (result === 'buffered') taken.push(text)
      assert.ok(one.peer.bufferedAmount <= LIMIT)
    }
    assert.deepEqual(results, new Set(['buffered', 'dropped']))
    assert.ok(one.peer.bufferedAmount > LIMIT - 400, `${one.peer.bufferedAmount}`)
    assert.equal(one.wire.paused, false)
    one.wire.stuck = true // what was taken is not asked for a second time, also where it can't leave at once
    one.finish()
    await settle()
    one.wire.stuck = false
    one.wire.finish()
    await settle()
    assert.deepEqual(one.behind(), taken)
    assert.equal(one.peer.bufferedAmount, 0)
    assert.deepEqual(one.errors, [])
  })

  for (const what of ['a stream', 'fragments'] as const) {
    test(`published amid ${what}`, async () => {
      const one = await amid(what, 'drop')
      for (let n = 0; n < 30; n++) await publish(one, `${n} ${'x'.repeat(995)}`)
      assert.ok(one.peer.bufferedAmount > LIMIT - 1100 && one.peer.bufferedAmount <= LIMIT)
      assert.equal(one.peer.isOpen, true)
      one.finish()
      await settle()
      assert.deepEqual(
        one.behind().map((text) => text.split(' ')[0]),
        ['0', '1', '2', '3', '4', '5', '6', '7', '8'],
      )
    })
  }

  test('one message longer than the limit is taken where nothing waits', async () => {
    const one = await amid('a stream', 'drop')
    assert.equal(one.peer.send('x'.repeat(3 * LIMIT)), 'buffered')
    assert.equal(one.peer.send('x'), 'dropped')
  })
})

for (const what of ['a stream', 'fragments'] as const) {
  test(`'close': more than the limit amid ${what} ends the connection with 1008, told once`, async () => {
    const one = await amid(what, 'close')
    for (let n = 0; n < 30; n++) await publish(one, 'x'.repeat(1000))
    assert.equal(one.peer.isOpen, false)
    assert.equal(one.peer.bufferedAmount, 0, 'what can never be sent is held no longer')
    assert.deepEqual(
      one.errors.map((error) => error instanceof ProtocolViolation && error.code),
      ['OUTPUT_FULL'],
    )
  })

  test(`'pause': above the limit amid ${what}, the peer is not read from until it has left`, async () => {
    const one = await amid(what, 'pause')
    for (let n = 0; n < 9; n++) await publish(one, 'x'.repeat(1000))
    assert.equal(one.wire.paused, false)
    for (let n = 0; n < 9; n++) await publish(one, 'x'.repeat(1000))
    assert.equal(one.wire.paused, true)
    one.peer.ping().catch(() => undefined) // leaves, which is no reason to read on
    await settle()
    assert.equal(one.wire.paused, true)
    one.finish()
    await settle()
    assert.equal(one.wire.paused, false)
    assert.equal(one.behind().length, 18)
  })

  test(`'pause': above the ceiling amid ${what}, the connection is ended`, async () => {
    const one = await amid(what, 'pause', { outputCeiling: 30_000 })
    for (let n = 0; n < 40 && one.peer.isOpen; n++) await publish(one, 'x'.repeat(1000))
    assert.equal(one.peer.isOpen, false)
    assert.equal(one.wire.closed, true)
  })
}

test('drain is called when what waited for a stream has left', async () => {
  const one = await amid('a stream', 'pause')
  assert.equal(one.peer.send('waits'), 'buffered')
  await settle()
  assert.deepEqual(one.drains, [])
  one.finish()
  await settle()
  assert.deepEqual(one.drains, [0])
})

test('a pong does not wait, whatever waits for the stream', async () => {
  const one = await amid('a stream', 'drop')
  while (one.peer.send('x'.repeat(100)) === 'buffered');
  one.wire.feed(masked(PING, 'p'))
  await settle()
  assert.equal(one.wire.frames().at(-1)?.opcode, PONG)
})

test("'close': a stream that the peer reads slowly is not what overflows", async () => {
  const { peer, wire } = connections({ outputLimit: LIMIT, outputPolicy: 'close' }).connect()
  wire.stuck = true
  const sent = peer.sendStream(Array.from({ length: 20 }, () => 'x'.repeat(9000)))
  for (let writes = 0; writes < 100; writes++) {
    await settle()
    wire.finish()
  }
  await sent
  assert.equal(peer.isOpen, true)
})

test('everything that can be sent can wait, and is what it was when it was sent', async () => {
  const one = await amid('a stream', 'pause', { outputLimit: 1_000_000 })
  const long = 'é'.repeat(20_000)
  const bytes = Buffer.from('changed below')
  const prepared = prepare('p'.repeat(20_000))
  const given = ['', 'short', long, 'a\ud800b', prepared, bytes, Buffer.alloc(40_000, 7), new ArrayBuffer(3)]
  for (const data of given) assert.equal(one.peer.send(data), 'buffered')
  bytes.fill(0)
  prepared.release()
  assert.throws(() => one.peer.send(prepared), /released/)
  assert.throws(() => one.peer.send(5 as unknown as string), TypeError)
  one.finish()
  await settle()
  const payloads = one.wire
    .frames()
    .slice(-given.length)
    .map(({ payload }) => payload)
  const expected = ['', 'short', long, 'a\ufffdb', 'p'.repeat(20_000), 'changed below', '\x07'.repeat(40_000), '\0\0\0']
  assert.deepEqual(
    payloads.map((payload) => payload.toString()),
    expected,
  )
})

test('a received message can wait, too', async () => {
  const { peer, wire } = connections({ message: (one, message) => void one.send(message) }).connect()
  let finish = (): void => undefined
  const sent = peer.sendStream(
    (async function* () {
      yield 'a'
      await new Promise<void>((resolve) => (finish = resolve))
    })(),
  )
  await settle()
  wire.feed(Buffer.concat([masked(TEXT, 'echo'), masked(TEXT, 'in ', false), masked(0, 'fragments')]))
  finish()
  await sent
  await settle()
  const texts = wire.frames().slice(-2)
  assert.deepEqual(
    texts.map(({ payload }) => payload.toString()),
    ['echo', 'in fragments'],
  )
})

test('what waits costs what it is long: 100,000 short messages in a few blocks, all given back', () => {
  const heap = heapOfThread()
  const before = heap.used
  const holder = { held: 0, gone: false, evicted: () => assert.fail('there is room') }
  const backlog = new Backlog({ heap, budget: new Budget(64 * 1024 * 1024) }, holder)
  const shared = new SharedBlock(heap, 20_000)
  for (let n = 0; n < 100_000; n++) {
    backlog.commit(backlog.reserve(10), 3)
    if (n % 10_000 === 0) backlog.add(shared, shared.pointer, 20_000) // stays where it is
  }
  assert.equal(backlog.bytes, 300_000 + 10 * 20_000)
  const held = heap.used - before - shared.size
  assert.ok(held < 2 * 300_000, `${held} bytes for 300,000`)
  backlog.drop()
  shared.release()
  assert.equal(heap.used, before)
  assert.equal(backlog.bytes, 0)
  assert.equal(holder.held, 0)
})

test('a connection that ends gives back what waited, with whatever it had', async () => {
  for (const end of ['close', 'terminate'] as const) {
    const heap = heapOfThread()
    const one = await amid('a stream', 'pause', { outputLimit: 1_000_000 })
    const before = heap.used
    for (let n = 0; n < 100; n++) one.peer.send(n % 2 === 0 ? 'x'.repeat(1000) : Buffer.alloc(20_000))
    assert.ok(heap.used > before + 1_000_000)
    one.peer[end]()
    await settle()
    assert.ok(heap.used <= before, `${heap.used - before} bytes`)
  }
})

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: a slow stream, messages after it, and a client that gets them all`, async (t) => {
    const { connection, client } = await pairOf(t, { publicApi, outputPolicy: 'drop', outputLimit: 65_536 })
    let finish = (): void => undefined
    const sent = connection.sendStream(
      (async function* () {
        yield 'begin'
        await new Promise<void>((resolve) => (finish = resolve))
      })(),
    )
    await client.frames(1)
    let taken = 0
    for (let n = 0; n < 1000; n++) if (connection.send(`${n} ${'x'.repeat(500)}`) === 'buffered') taken++
    assert.ok(taken > 100 && taken < 140 && connection.bufferedAmount > 60_000)
    finish()
    await sent
    const frames = await client.frames(2 + taken)
    assert.equal(frames.length, 2 + taken)
    await eventually(() => connection.bufferedAmount === 0, 'all has left')
  })
}
