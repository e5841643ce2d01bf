// The memory for payloads is a promise: a thousand peers that do their worst never get more, whatever the application
// leaves lying about, and none of them can keep the others waiting for ever.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { Budget } from '../../src/memory/budget.js'
import { connections } from '../support/connections.js'
import { effort } from '../support/effort.js'
import { BINARY, closeStatus, header, masked, TEXT } from '../support/frames.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'

const KiB = 1024
const MiB = 1024 * KiB

/** Notes the most that a budget ever held. */
function watched(budget: Budget): () => number {
  let most = 0
  const { charge, resized } = budget
  Object.assign(budget, {
    resized(before: number, after: number) {
      resized(before, after)
      most = Math.max(most, budget.used)
    },
  })
  budget.charge = (bytes) => {
    charge.call(budget, bytes)
    most = Math.max(most, budget.used)
  }
  return () => most
}

/** Lets `budget` look for stalls, as it does while time passes: from `from` to `to`, in milliseconds. */
function pass(budget: Budget, from: number, to: number): void {
  for (let now = from; now < to; now += 100) budget.stalls.check(now)
  budget.stalls.check(to)
}

test('a thousand peers that do their worst never hold more than the budget', { timeout: 240_000 }, async () => {
  const random = new Random(seed)
  const limits = { payloadMemory: 64 * MiB, maxMessage: 16 * MiB, outputLimit: 1000 }
  let end = (): void => undefined
  const late = new Promise<void>((resolve) => {
    end = resolve
  })
  const place = connections({
    message: (connection, message) => {
      const first = message.view[0] ?? 0
      if (first % 4 === 0) return late
      if (first % 4 === 1) connection.pause()
      if (first % 4 === 2) connection.send(message)
      return undefined
    },
    stream: () => undefined,
    ...limits,
    outputPolicy: 'pause',
    streamThreshold: 8 * MiB,
  })
  const before = place.shared.heap.used
  const most = watched(place.budget)
  assert.equal(place.budget.limit, 64 * MiB)
  const peers = Array.from({ length: effort({ quick: 500, full: 1000 }) }, (_, n) => {
    const { wire, peer } = place.connect()
    wire.stuck = n % 5 === 0
    if (n % 7 === 0) peer.messages().return?.() // a loop that was left
    const announced =
      n % 3 === 0 ? 16 * MiB : n % 3 === 1 ? 7 * MiB : random.between(1, n % 2 === 0 ? 30 * KiB : 200 * KiB)
    const payload = Buffer.alloc(Math.min(announced, 250 * KiB), n)
    return { wire, peer, payload, start: Buffer.concat([header(0x82, 0x80, announced), Buffer.alloc(4)]), begun: false }
  })
  let fed = 0
  for (let turn = 0; turn < 30; turn++) {
    for (const [n, one] of peers.entries()) {
      const large = one.payload.length > 200 * KiB
      if (one.wire.paused || one.wire.closed || random.chance(0.3) || (turn < 2 && n % 3 !== 1)) continue
      const piece = large ? one.payload.subarray(0, random.pick([1, 1000, 60 * KiB, 250 * KiB])) : one.payload
      const bytes = one.begun && large ? piece : Buffer.concat([one.start, piece])
      one.wire.feed(bytes)
      one.begun = true
      fed += bytes.length
    }
    await settle()
    assert.ok(most() <= place.budget.limit, `${most()} bytes held`)
  }
  assert.ok(fed > 30 * MiB, `${fed} bytes were sent`)
  assert.ok(most() > 40 * MiB, `only ${most()} bytes held: nothing was tried`)
  for (const { peer } of peers) peer.terminate()
  await settle()
  assert.ok(most() <= place.budget.limit, `${most()} bytes held`)
  end()
  await settle()
  assert.equal(place.budget.used, 0)
  assert.equal(place.budget.stalls.watched, 0)
  assert.equal(place.shared.heap.used, before)
})

test('long messages in their regions leave the reads long; what is kept makes them short', () => {
  const budget = new Budget(128 * MiB, 16 * MiB)
  const messages = Array.from({ length: 4 }, () => 16 * MiB)
  for (const bytes of messages) budget.resized(0, bytes)
  assert.equal(budget.frugal, false, 'what goes into a region need not be kept')
  budget.charge(8 * MiB)
  assert.equal(budget.frugal, false, 'a quarter of what is always there for it')
  budget.charge(8 * MiB)
  assert.equal(budget.frugal, true, 'regions leave only so much more')
  for (const bytes of messages) budget.regionFreed(bytes)
  assert.equal(budget.frugal, false, 'without them, it may have their room')
  budget.charge(16 * MiB)
  assert.equal(budget.frugal, true)
})

test('reads are short where long ones of all whose messages are arriving could not be kept at once', async () => {
  const { budget, connect } = connections({ message: () => undefined, payloadMemory: 64 * MiB, maxMessage: MiB })
  const begin = () => {
    const { wire } = connect()
    wire.feed(Buffer.concat([header(0x82, 0x80, MiB), Buffer.alloc(4)]))
    for (let fed = 0; fed < MiB / 2; fed += 128 * KiB) wire.feed(Buffer.alloc(128 * KiB))
    return wire
  }
  const wires = Array.from({ length: 45 }, begin)
  assert.ok(budget.used > 16 * MiB)
  assert.equal(budget.frugal, false)
  const others = Array.from({ length: 15 }, begin)
  assert.equal(budget.frugal, true)
  for (const wire of others) wire.close()
  await settle()
  assert.equal(budget.frugal, false)
  for (const wire of wires) wire.close()
})

test('when memory is short, who has something pending is not read from, all others are; and nothing is lost', async () => {
  const settles: (() => void)[] = []
  const seen: number[] = []
  const place = connections({
    message: (_, message) => {
      seen.push(message.view[0] ?? -1)
      return new Promise<void>((resolve) => settles.push(resolve))
    },
    payloadMemory: 8 * MiB,
    maxMessage: MiB,
  })
  const most = watched(place.budget)
  const peers = Array.from({ length: 160 }, () => place.connect())
  for (const [n, { wire }] of peers.entries()) wire.feed(masked(BINARY, Buffer.alloc(30_000, n)))
  assert.equal(place.budget.tight, true)
  assert.ok(peers.some(({ wire }) => !wire.paused) && peers.some(({ wire }) => wire.paused))
  const late = place.connect()
  late.wire.feed(masked(BINARY, Buffer.alloc(10, 200)))
  assert.equal(seen.at(-1), 200, 'one that comes now is served')
  assert.equal(late.wire.paused, true, 'but only one message at a time')
  while (settles.length > 0) {
    for (const resolve of settles.splice(0)) resolve()
    await settle()
  }
  assert.equal(seen.length, 161)
  assert.ok(most() <= place.budget.limit)
  assert.equal(place.budget.used, 0)
  assert.ok(peers.every(({ wire, peer }) => !wire.paused && peer.isOpen))
})

test('when memory is spent, those who hold the most are ended, and the others find room', async () => {
  const errors: unknown[] = []
  const place = connections({
    message: (connection, message) => {
      if (message.byteLength < 100) connection.send(message)
      else connection.pause()
    },
    error: (connection, error) => void errors.push([connection, (error as { code: string }).code]),
    payloadMemory: 8 * MiB,
    maxMessage: MiB,
  })
  const most = watched(place.budget)
  const honest = place.connect()
  const hoarders = Array.from({ length: 60 }, () => place.connect())
  for (const { wire } of hoarders) {
    wire.feed(Buffer.concat([masked(BINARY, Buffer.alloc(200)), Buffer.alloc(200 * KiB)]))
    await settle()
    honest.wire.feed(masked(TEXT, 'still there?'))
  }
  assert.equal(honest.wire.frames().length, hoarders.length, 'the honest peer was served all along')
  const ended = hoarders.filter(({ peer }) => !peer.isOpen)
  assert.ok(ended.length > 10 && ended.length < 50, `${ended.length} were ended`)
  assert.ok(ended.every(({ wire }) => closeStatus(wire.frames()[0])?.code === 1013))
  assert.equal(errors.length, ended.length)
  assert.ok(most() <= place.budget.limit)
  for (const { peer } of [honest, ...hoarders]) peer.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('what can not be kept fails its connection with 1013', async () => {
  const place = connections({ message: (connection) => connection.pause(), payloadMemory: 0, maxMessage: MiB })
  const { wire } = place.connect()
  const { keep } = place.budget
  place.budget.keep = () => false
  wire.feed(Buffer.concat([masked(TEXT, 'a'), masked(TEXT, 'b')]))
  place.budget.keep = keep
  assert.equal(closeStatus(wire.frames()[0])?.code, 1013)
  assert.equal(place.budget.used, 0)
})

test('while somebody waits for memory, nobody may hold a region without filling it', async () => {
  const errors: string[] = []
  const place = connections({
    error: (_, error) => void errors.push(String(error)),
    payloadMemory: 2 * MiB,
    maxMessage: MiB,
    payloadTimeout: 20_000,
  })
  const begin = Buffer.concat([header(0x82, 0x80, MiB), Buffer.alloc(4)])
  const [oldest, second] = [place.connect(), place.connect()]
  for (const { wire } of [oldest, second]) wire.feed(Buffer.concat([begin, Buffer.alloc(200 * KiB)]))
  assert.equal(oldest.wire.paused, false)
  assert.equal(second.wire.paused, true)
  const start = performance.now()
  place.budget.stalls.check(start)
  oldest.wire.feed(Buffer.alloc(1))
  pass(place.budget, start, start + 900)
  assert.equal(errors.length, 0)
  oldest.wire.feed(Buffer.alloc(1))
  pass(place.budget, start + 900, start + 1100)
  await settle()
  assert.match(errors[0] ?? '', /others need the memory/)
  assert.equal(closeStatus(oldest.wire.frames()[0])?.code, 1008)
  assert.equal(second.wire.paused, false, 'the other one goes on')
  for (const { peer } of [oldest, second]) peer.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('time in which this process stood still ends no payload, whether somebody waits for memory or not', async () => {
  const errors: string[] = []
  const place = connections({
    error: (_, error) => void errors.push(String(error)),
    payloadMemory: 2 * MiB,
    maxMessage: MiB,
    payloadTimeout: 5000,
  })
  const begin = Buffer.concat([header(0x82, 0x80, MiB), Buffer.alloc(4)])
  const peers = [place.connect(), place.connect()]
  let now = performance.now()
  for (const { wire } of peers) {
    wire.feed(Buffer.concat([begin, Buffer.alloc(200 * KiB)]))
    place.budget.stalls.check(now)
    now += 60_000 // suspended, and what has come meanwhile is still to be read
    place.budget.stalls.check(now)
  }
  assert.equal(peers[1]?.wire.paused, true, 'there is no room for the second')
  assert.deepEqual(errors, [])
  pass(place.budget, now, now + 6000)
  await settle()
  assert.match(errors[0] ?? '', /others need the memory/, 'but time in which it ran does')
  for (const { peer } of peers) peer.terminate()
  await settle()
})

test('a peer that leaves nobody waiting may take its time', async () => {
  const errors: string[] = []
  const place = connections({ error: (_, error) => void errors.push(String(error)), payloadMemory: 64 * MiB })
  const { wire, peer } = place.connect()
  wire.feed(Buffer.concat([header(0x82, 0x80, MiB), Buffer.alloc(4), Buffer.alloc(200 * KiB)]))
  pass(place.budget, performance.now(), performance.now() + 25_000)
  assert.deepEqual(errors, [])
  peer.terminate()
  await settle()
})

test('the room of the oldest comes on top where it would leave too little for the others', () => {
  const budget = new Budget(0, 16 * MiB)
  assert.equal(budget.limit, 4 * 320 * KiB + 16 * MiB + 64 * KiB)
  budget.serve(MiB)
  assert.equal(budget.limit, 4 * 320 * KiB + 16 * MiB + 64 * KiB, 'the longest of all routes counts')
  assert.equal(new Budget(256 * MiB, 16 * MiB).limit, 256 * MiB)
})

test('who has gone while it held the most does not stand before those who can go', async () => {
  const budget = new Budget(0)
  const gone: string[] = []
  const holderOf = (name: string) => ({ held: 0, gone: false, evicted: () => void gone.push(name) })
  const left = holderOf('left')
  assert.ok(budget.keep(left, 600 * KiB))
  left.gone = true // as a connection does: it has gone, then gives back, then leaves
  budget.release(left, 600 * KiB)
  budget.leave(left)
  const slow = holderOf('slow')
  assert.ok(budget.keep(slow, 500 * KiB))
  budget.charge(budget.limit - 800 * KiB)
  assert.equal(budget.keep(holderOf('newcomer'), 200 * KiB), true)
  await settle()
  assert.deepEqual(gone, ['slow'])
})
