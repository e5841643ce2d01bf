// What one peer causes at a time is bounded by time, however it is cut into reads, and so is what many cause in one turn.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { type TestContext, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import { encoderOfThread } from '../../src/connection/sending/encoder.js'
import { Slices } from '../../src/connection/slices.js'
import { Turn } from '../../src/connection/turn.js'
import { Inbox } from '../../src/memory/inbox.js'
import { TurnClock } from '../../src/time/turnClock.js'
import { Topics } from '../../src/topics/topics.js'
import { connections } from '../support/connections.js'
import { masked, PING } from '../support/frames.js'
import { settle } from '../support/settle.js'

const MiB = 1024 * 1024

/** A clock that goes on by what is said to have been done. */
function clock(context: TestContext): (milliseconds: number) => void {
  let now = 1000
  context.mock.method(performance, 'now', () => now)
  return (milliseconds) => {
    now += milliseconds
  }
}

/** There is never more to write than fits into a turn. */
const unstrained = { behind: false, whenBehind: (): void => undefined }

/** Deals with a read of `count` messages that take `each` ms; returns how many were dealt with before its slice ended. */
function read(slices: Slices, owner: object, count: number, work: () => void): number {
  slices.begin(owner)
  for (let n = 1; n <= count; n++) {
    work()
    if (slices.spend()) return n
  }
  return count
}

test('reads of one peer in a row have one slice between them, and a turn later another', async (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  const peer = {}
  const row = (): number => {
    for (let n = 1; n <= 32; n++) if (read(slices, peer, 100, () => pass(0.015)) < 100) return n
    return Infinity
  }
  assert.ok(row() <= 3)
  await settle()
  assert.equal(
    read(slices, peer, 100, () => pass(0.015)),
    100,
  )
})

test('reads of one message each have one slice between them, too', (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  const peer = {}
  let reads = 0
  do {
    pass(0.01)
    slices.begin(peer)
    reads++
  } while (!slices.spend() && reads < 10_000)
  assert.ok(reads < 300)
})

test('what a thousand peers do in one turn does not add up', (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  const start = performance.now()
  for (let n = 0; n < 1000; n++) read(slices, {}, 2000, () => pass(0.0009))
  assert.ok(performance.now() - start < 30, `${performance.now() - start} ms`)
})

test('a peer with few messages has them dealt with in any turn', (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  for (let n = 0; n < 10; n++) read(slices, {}, 2000, () => pass(0.002))
  assert.equal(
    read(slices, {}, 15, () => pass(0.002)),
    15,
  )
})

test('a thousand peers in line have had a slice each within a second', async (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  const start = performance.now()
  let last = 0
  for (let n = 0; n < 1000; n++) {
    slices.later(() => {
      read(slices, {}, 100_000, () => pass(0.001))
      last = performance.now()
    })
  }
  for (let n = 0; n < 1000; n++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(last > start)
  assert.ok(last - start < 1000, `${last - start} ms`)
})

test('where more was published than fits into turns, each message more asks the clock', () => {
  const heap = heapOfThread()
  const turn = new Turn(heap)
  const topics = new Topics(encoderOfThread('server'), heap, turn, 10)
  const subscriber = { deliver: () => 'sent' as const }
  for (const name of ['one', 'other']) topics.subscribe(subscriber, name, 10)
  turn.begin()
  for (let n = 0; n < 64; n++) topics.publish(n % 2 === 0 ? 'one' : 'other', 'x')
  assert.equal(turn.behind, false)
  topics.publish('one', 'x')
  assert.equal(turn.behind, true)
  const slices = new Slices(turn, new TurnClock())
  assert.ok(read(slices, {}, 1000, () => spin(0.1)) <= 2)
  turn.end()
  topics.leave(subscriber)
})

test('who asks for a flush while a long one goes on in turns of its own does not make it longer', async () => {
  const { wire, peer } = connections({ outputLimit: 64 * MiB }).connect()
  wire.stuck = true
  for (let n = 0; n < 20; n++) peer.send(Buffer.alloc(MiB))
  await settle()
  wire.stuck = false
  wire.finish()
  const { length } = wire.output
  assert.ok(length <= 4 * MiB)
  for (let n = 0; n < 5; n++) wire.feed(masked(PING, 'x'))
  assert.equal(wire.output.length, length)
  while (peer.bufferedAmount > 0) {
    const before = wire.output.length
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(wire.output.length - before <= 4 * MiB)
  }
  assert.equal(wire.frames().length, 25)
})

test('what waits in the inbox costs its reader the objects of each part, too', async () => {
  const inbox = new Inbox()
  let [costs, parts] = [0, 0]
  const reader = {
    received: () => void parts++,
    waits(bytes: number) {
      costs += bytes
      return true
    },
  }
  inbox.exclusively(() => {
    for (let n = 0; n < 10; n++) inbox.deliver(reader, Buffer.alloc(1))
  })
  assert.ok(costs > 1000, `${costs} bytes for 10 buffers`)
  inbox.deliver(reader, Buffer.alloc(1))
  assert.equal(parts, 0, 'the last one waits behind the others')
  await settle()
  assert.equal(parts, 11)
  assert.equal(costs, 0)
})

function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test('a turn in which a long message is compressed or inflated is brief, and others are not', async (context) => {
  const pass = clock(context)
  const slices = new Slices(unstrained, new TurnClock())
  const turns = async (later: (work: () => void) => void): Promise<number> => {
    let most = 0
    let now = 0
    for (let n = 0; n < 8; n++) {
      later(() => {
        most = Math.max(most, ++now)
        pass(0.1)
      })
    }
    for (let turn = 0; turn < 10; turn++) {
      now = 0
      await new Promise(setImmediate)
    }
    return most
  }
  assert.equal(await turns((work) => slices.laterStep(work)), 3)
  assert.equal(await turns((work) => slices.later(work)), 8)
  // A step that was received ends its slice, where as many short messages would not.
  const owner = {}
  slices.begin(owner)
  let steps = 0
  do pass(0.25)
  while (++steps < 20 && !slices.spend(64))
  assert.ok(steps <= 4, String(steps))
  // What is in line behind it in the same turn gets on, and no more than that.
  let behind = 0
  for (let n = 0; n < 8; n++) {
    slices.laterStep(() => {
      behind++
      pass(0.1)
    })
  }
  await new Promise(setImmediate)
  assert.equal(behind, 1)
})
