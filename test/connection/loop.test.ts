// `for await (const message of connection.messages())`: order, back-pressure, leaving early and going on, and the end.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import type { Connection } from '../../src/connection/connection.js'
import type { Message } from '../../src/connection/message.js'
import { connections } from '../support/connections.js'
import { BINARY, close, masked, TEXT } from '../support/frames.js'
import { pairOf } from '../support/pairs.js'
import { transports } from '../support/places.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

const texts = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => `${from + n}`)
const batchOf = (all: readonly string[]): Buffer => Buffer.concat(all.map((text) => masked(TEXT, text)))

/** A room whose message handler must not be called, and a peer of it. */
function looped(limits = {}) {
  const handled: string[] = []
  const place = connections({ message: (_, message) => void handled.push(message.text()), ...limits })
  return { place, handled, ...place.connect() }
}

/** Takes messages until the end, or until `count` have come. */
async function take(connection: Connection, count = Infinity): Promise<string[]> {
  const taken: string[] = []
  for await (const message of connection.messages()) {
    taken.push(message.text())
    if (taken.length >= count) break
  }
  return taken
}

test('messages go to the handler until there is a loop, then to the loop, in order, until the end', async () => {
  const { place, handled, peer, wire } = looped()
  wire.feed(batchOf(texts(0, 3)))
  const loop = take(peer)
  wire.feed(batchOf(texts(3, 30)))
  await settle()
  wire.feed(Buffer.concat([batchOf(texts(30, 40)), close(1000)]))
  wire.feedEnd()
  assert.deepEqual(await loop, texts(3, 40))
  assert.deepEqual(handled, texts(0, 3))
  assert.equal(place.budget.used, 0)
})

test('a loop begun in a handler gets what follows in the same batch', async () => {
  const handled: string[] = []
  let loop: Promise<string[]> | undefined
  const { wire } = connections({
    message(connection, message) {
      handled.push(message.text())
      loop = take(connection)
    },
  }).connect()
  wire.feed(Buffer.concat([batchOf(texts(0, 5)), close(1000)]))
  wire.feedEnd()
  assert.deepEqual(await loop, texts(1, 5))
  assert.deepEqual(handled, ['0'])
})

for (const [what, length, most] of [
  ['short messages', 10, 64],
  ['long messages', 60_000, 6],
  ['regions', 150_000, 3],
] as const) {
  test(`${what} that nobody takes wait in a bounded queue, and then in the peer`, async () => {
    const { place, peer, wire } = looped()
    const before = place.shared.heap.used
    const iterator = peer.messages()
    const frame = masked(BINARY, Buffer.alloc(length, 'm'))
    let fed = 0
    while (!wire.paused && fed < 200) {
      wire.feed(frame)
      fed++
    }
    assert.ok(fed <= most, `${fed} messages`)
    for (let n = 0; n < fed; n++) {
      const { value } = await iterator.next()
      assert.equal(value?.view.length, length)
      assert.ok(value.bytes.equals(Buffer.alloc(length, 'm')))
    }
    await settle()
    assert.equal(wire.paused, false, 'the queue is empty')
    wire.feed(frame)
    assert.equal((await iterator.next()).value?.byteLength, length)
    peer.terminate()
    await settle()
    assert.deepEqual(await iterator.next(), { done: true, value: undefined })
    assert.equal(place.budget.used, 0)
    assert.equal(place.shared.heap.used, before)
  })
}

test('a thousand messages in one read: the queue takes its share, the rest is parked', async () => {
  const { place, peer, wire } = looped()
  const iterator = peer.messages()
  wire.feed(batchOf(texts(0, 1000)))
  assert.equal(wire.paused, true)
  for (const text of texts(0, 1000)) assert.equal((await iterator.next()).value?.text(), text)
  await settle()
  assert.equal(wire.paused, false)
  await iterator.return?.()
  assert.equal(place.budget.used, 0)
})

test('a message is readable until the next one is asked for; its memory is given back then', async () => {
  const { place, peer, wire } = looped()
  const iterator = peer.messages()
  wire.feed(Buffer.concat([masked(BINARY, Buffer.alloc(100_000, 1)), masked(BINARY, Buffer.alloc(100_000, 2))]))
  const first = (await iterator.next()).value
  await settle()
  assert.equal(first?.view[99_999], 1)
  const held = place.budget.used
  const second = (await iterator.next()).value
  assert.throws(() => first?.view, /the message is gone/)
  assert.ok(place.budget.used < held)
  assert.equal(second?.view[0], 2)
  const third = iterator.next()
  assert.equal(place.budget.used, 0)
  peer.terminate()
  assert.equal((await third).done, true)
})

test('left early, and entered again, without a loss; reading stops between', async () => {
  const { place, handled, peer, wire } = looped()
  const first = take(peer, 3)
  wire.feed(batchOf(texts(0, 10)))
  assert.deepEqual(await first, texts(0, 3))
  assert.equal(wire.paused, true)
  await settle()
  assert.equal(wire.paused, true)
  assert.deepEqual(await take(peer, 4), texts(3, 7))
  const rest = take(peer)
  await settle()
  assert.equal(wire.paused, false)
  wire.feed(Buffer.concat([batchOf(texts(10, 20)), close(1000)]))
  wire.feedEnd()
  assert.deepEqual(await rest, texts(7, 20))
  assert.deepEqual(handled, [])
  assert.equal(place.budget.used, 0)
})

test('an iterator that was left may be used again, like the connection', async () => {
  const { peer, wire } = looped()
  const iterator = peer.messages()
  wire.feed(batchOf(texts(0, 4)))
  for await (const message of iterator) if (message.text() === '1') break
  const rest: string[] = []
  const loop = (async () => {
    for await (const message of iterator) rest.push(message.text())
  })()
  await settle()
  wire.feed(batchOf(texts(4, 6)))
  peer.terminate()
  await loop
  assert.deepEqual(rest, texts(2, 6))
})

test('several next() at once are answered in order, now and when messages come; return() answers those that wait', async () => {
  const { peer, wire } = looped()
  const iterator = peer.messages()
  const waiting = [iterator.next(), iterator.next(), iterator.next()]
  wire.feed(batchOf(texts(0, 2)))
  assert.equal((await waiting[0])?.value?.text(), '0')
  assert.equal((await waiting[1])?.value?.text(), '1')
  await iterator.return?.()
  assert.deepEqual(await waiting[2], { done: true, value: undefined })
  const again = peer.messages()
  const next = again.next()
  await settle()
  wire.feed(batchOf(texts(2, 5)))
  const more = await Promise.all([next, again.next(), again.next()])
  assert.deepEqual(
    more.map(({ value }) => value?.text()),
    texts(2, 5),
    'none was lost to one that nobody waits for',
  )
  peer.terminate()
  assert.equal((await again.next()).done, true)
  assert.equal((await again.next()).done, true)
})

test('a body that throws leaves the loop, and its error is the caller’s', async () => {
  const { place, peer, wire } = looped()
  const loop = (async () => {
    for await (const message of peer.messages()) throw new Error(message.text())
  })()
  wire.feed(batchOf(texts(0, 5)))
  await assert.rejects(loop, /^Error: 0$/)
  assert.equal(wire.paused, true)
  assert.equal(peer.isOpen, true)
  peer.terminate()
  await settle()
  assert.equal(place.budget.used, 0)
})

for (const state of ['left', 'waiting', 'queued', 'never entered']) {
  test(`a connection that ends while the loop is ${state} leaves nothing behind but what the loop still has`, async () => {
    const { place, peer, wire } = looped()
    const before = place.shared.heap.used
    const kept: Message[] = []
    const iterator = peer.messages()
    if (state === 'waiting') iterator.next().catch(() => undefined)
    wire.feed(Buffer.concat([masked(BINARY, Buffer.alloc(100_000, 3)), masked(BINARY, Buffer.alloc(100_000, 4))]))
    if (state === 'left' || state === 'queued') kept.push((await iterator.next()).value as Message)
    if (state === 'left') await iterator.return?.()
    peer.terminate()
    await settle()
    assert.equal(place.budget.used > 200_000, state !== 'left', `${place.budget.used} bytes`)
    assert.equal(place.shared.heap.used, before)
    if (state === 'queued') {
      assert.equal(kept[0]?.view[0], 3, 'the one at hand')
      assert.equal((await iterator.next()).value?.view[99_999], 4, 'and what has come before the end')
    }
    if (state === 'left') assert.equal((await peer.messages().next()).done, true)
    await iterator.return?.()
    assert.equal(place.budget.used, 0)
  })
}

test('a loop begun after the end is over at once', async () => {
  const { peer } = looped()
  peer.terminate()
  await settle()
  assert.deepEqual(await take(peer), [])
})

for (const { transport, publicApi } of transports) {
  test(`by ${transport}: an echo in a loop, of every length, with a slow body`, async (t) => {
    let ended = false
    const { client, server } = await pairOf(t, {
      publicApi,
      async open(connection) {
        for await (const message of connection.messages()) {
          if (message.byteLength % 3 === 0) await settle()
          connection.send(message)
        }
        ended = true
      },
    })
    const lengths = Array.from({ length: 300 }, (_, n) => [n, 126 + n, 65_000 + n * 7, 300 * n][n % 4] ?? 0)
    for (const length of lengths) client.write(masked(BINARY, Buffer.alloc(length, length % 251)))
    const frames = await client.frames(lengths.length)
    frames.forEach(({ payload }, at) => {
      const length = lengths[at] ?? 0
      assert.ok(payload.equals(Buffer.alloc(length, length % 251)), `message ${at}`)
    })
    client.write(close(1000))
    client.socket.end()
    await eventually(() => ended && server.connections.size === 0, 'the end of the loop')
  })
}
