// What handlers of connections that have ended still hold: it counts until they settle. Nobody can be ended to get it back,
// so where memory is short the oldest messages are gone, and where too many handlers hang, newcomers are refused.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ConnectionEnded } from '../../src/connection/ended.js'
import type { Message } from '../../src/connection/message.js'
import type { MessageStream } from '../../src/connection/receiving/messageStream.js'
import { type Connections, connections } from '../support/connections.js'
import { inEveryLane } from '../support/everyLane.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { overHttp2 } from '../support/http2Bridge.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { settle } from '../support/settle.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const KiB = 1024

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** A room whose handlers settle when they are told to, or never. */
function hanging(limits = {}): { place: Connections; kept: Message[]; settles: (() => void)[] } {
  const kept: Message[] = []
  const settles: (() => void)[] = []
  const message = (_: unknown, one: Message): unknown => {
    if (one.byteLength < 10) return undefined
    kept.push(one)
    return new Promise<void>((resolve) => settles.push(resolve))
  }
  return { place: connections({ message, payloadMemory: 0, maxMessage: 1024 * KiB, ...limits }), kept, settles }
}

/** A peer that sends a message whose handler hangs, and leaves. */
async function visit({ connect }: Connections, length: number, fill: number): Promise<void> {
  const { wire, peer } = connect()
  wire.feed(masked(BINARY, Buffer.alloc(length, fill)))
  peer.terminate()
  await settle()
}

test('peers that come and leave while their handlers hang never hold more than the budget: the oldest messages go', async () => {
  const { place, kept, settles } = hanging()
  const honest = place.connect()
  honest.wire.feed(masked(BINARY, Buffer.alloc(20 * KiB, 255)))
  for (let n = 0; n < 300; n++) {
    await visit(place, 30 * KiB, n % 250)
    assert.ok(place.budget.used <= place.budget.limit, `${place.budget.used} bytes held`)
  }
  assert.ok(place.budget.used > place.budget.limit / 4, `${place.budget.used} bytes held: they count`)
  assert.equal(honest.peer.isOpen, true, 'nobody who is there goes for those who are not')
  assert.equal(kept[0]?.view[0], 255)
  assert.equal(kept.at(-1)?.view[30 * KiB - 1], 299 % 250, 'a message is what it was')
  for (const ask of [(one: Message) => one.text(), (one: Message) => one.bytes, (one: Message) => one.view]) {
    assert.throws(() => kept[1] && ask(kept[1]), ConnectionEnded, 'or it says that it is gone')
  }
  assert.throws(() => honest.peer.send(kept[1] ?? ''), /the message is gone/)
  for (const resolve of settles) resolve()
  await settle()
  assert.equal(place.budget.used, 0)
  honest.peer.terminate()
  await settle()
})

test('long messages count as well when they have moved to memory of their own, and are gone where there is no room', async () => {
  const { place, kept, settles } = hanging()
  const before = place.shared.heap.used
  for (let n = 0; n < 40; n++) await visit(place, 200 * KiB, n)
  assert.ok(place.budget.used <= place.budget.limit, `${place.budget.used} bytes held`)
  assert.ok(place.budget.used > 200 * KiB)
  assert.equal(place.shared.heap.used, before)
  let there = 0
  for (const [n, message] of kept.entries()) {
    try {
      assert.ok(message.bytes.equals(Buffer.alloc(200 * KiB, n)))
      there++
    } catch (error) {
      assert.ok(error instanceof ConnectionEnded, String(error))
    }
  }
  assert.ok(there >= 1 && there < 40, `${there} are left`)
  for (const resolve of settles) resolve()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('what the application has copied is its own', async () => {
  const copies: Buffer[] = []
  const settles: (() => void)[] = []
  const place = connections({
    message(_, message) {
      copies.push(message.bytes)
      return new Promise<void>((resolve) => settles.push(resolve))
    },
    payloadMemory: 0,
    maxMessage: 1024 * KiB,
  })
  for (let n = 0; n < 100; n++) await visit(place, 30 * KiB, n)
  for (const [n, copy] of copies.entries()) assert.ok(copy.equals(Buffer.alloc(30 * KiB, n)))
  for (const resolve of settles) resolve()
  await settle()
  assert.equal(place.budget.used, 0)
})

test('the queue of a loop that hangs, and what is left of a stream, count as well, and go as well', async () => {
  const streams: MessageStream[] = []
  const place = connections({
    stream: (_, message) => void streams.push(message),
    payloadMemory: 0,
    maxMessage: 1024 * KiB,
    streamThreshold: 50 * KiB,
  })
  const loops = []
  for (let n = 0; n < 60; n++) {
    const { wire, peer } = place.connect()
    if (n % 2 === 0) wire.feed(masked(BINARY, Buffer.alloc(60 * KiB, n)))
    else {
      loops.push(peer.messages())
      wire.feed(masked(BINARY, Buffer.alloc(30 * KiB, n)))
    }
    peer.terminate()
    await settle()
    assert.ok(place.budget.used <= place.budget.limit, `${place.budget.used} bytes held`)
  }
  assert.ok(place.budget.used > 200 * KiB, `${place.budget.used} bytes held`)
  const first = (await loops[0]?.next())?.value
  assert.throws(() => first?.text(), ConnectionEnded)
  await assert.rejects(async () => streams[0]?.next(), ConnectionEnded)
  assert.equal((await loops.at(-1)?.next())?.value?.view[0], 59)
  assert.equal((await streams.at(-1)?.next())?.value?.[0], 58)
  for (const loop of loops) await loop.return?.()
  for (const stream of streams) await stream.return()
  assert.equal(place.budget.used, 0)
})

test('what only a promise keeps that nobody can settle is collected, and counts no longer', async () => {
  const place = connections({
    message: (_, { byteLength }) => (byteLength > 0 ? new Promise<void>(() => undefined) : undefined),
  })
  for (let n = 0; n < 20; n++) await visit(place, 10 * KiB, n)
  assert.ok(place.budget.used > 200 * KiB)
  const { wire, peer } = place.connect()
  wire.feed(masked(TEXT, '')) // whose slice was the last may be kept until the next one's
  for (let turn = 0; turn < 50 && place.budget.used > 0; turn++) {
    collect()
    await settle()
  }
  assert.equal(place.budget.used, 0)
  peer.terminate()
  await settle()
})

inEveryLane(
  'newcomers get 503 while handlers of those who have left hold too much, and 101 when these settle',
  async (trial) => {
    let settled: (() => void)[] = []
    await trial.serve({
      payloadMemory: 0,
      maxMessage: 1000,
      closeTimeout: 100,
      message: () => new Promise<void>((resolve) => settled.push(resolve)),
    })
    const dial = async (): Promise<number> => {
      const client = await trial.send(upgradeRequest())
      const { status } = await client.response()
      const before = settled.length
      if (status === 101) {
        client.write(Buffer.concat(Array.from({ length: 250 }, () => masked(TEXT, ''))))
        await eventually(() => settled.length === before + 250, 'all handlers')
      }
      client.socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, 20))
      return status
    }
    let status = 101
    for (let n = 0; n < 50 && status === 101; n++) status = await dial()
    assert.equal(status, 503)
    for (const resolve of settled) resolve()
    settled = []
    await settle()
    assert.equal(await dial(), 101)
  },
)

inEveryLane(
  'those are refused first from whose address the most was left, and others are served',
  async (trial) => {
    let settled: (() => void)[] = []
    await trial.serve({
      payloadMemory: 0,
      maxMessage: 1000,
      closeTimeout: 100,
      message: (connection, message) => {
        if (message.byteLength > 0) return void connection.send(message)
        return new Promise<void>((resolve) => settled.push(resolve))
      },
    })
    const dial = async (from: string): Promise<[number, SocketClient]> => {
      const client = trial.adopt(await SocketClient.open(trial.port, '127.0.0.1', from))
      await trial.request(client, upgradeRequest())
      return [(await client.response()).status, client]
    }
    /** Hangs handlers, and leaves. */
    const visit = async (from: string, count: number): Promise<number> => {
      const [status, client] = await dial(from)
      const before = settled.length
      if (status === 101) client.write(Buffer.concat(Array.from({ length: count }, () => masked(TEXT, ''))))
      if (status === 101) await eventually(() => settled.length === before + count, 'all handlers')
      client.socket.destroy()
      await new Promise((resolve) => setTimeout(resolve, 20))
      return status
    }
    assert.equal(await visit('127.0.0.2', 1), 101)
    let status = 101
    for (let n = 0; n < 50 && status === 101; n++) status = await visit('127.0.0.1', 250)
    assert.equal(status, 503)
    for (const from of ['127.0.0.2', '127.0.0.3']) {
      const [answer, honest] = await dial(from)
      assert.equal(answer, 101, `from ${from}`)
      honest.write(masked(TEXT, 'honest'))
      await honest.until(() => honest.text.endsWith('honest'), 'the echo')
      honest.socket.destroy()
    }
    status = 101
    for (let n = 0; n < 200 && status === 101; n++) status = await visit('127.0.0.2', 25)
    assert.equal(status, 503, 'the other address has its share, and no more')
    for (const resolve of settled) resolve()
    settled = []
    await settle()
    assert.equal(await visit('127.0.0.1', 1), 101)
    for (const resolve of settled) resolve()
  },
  overHttp2 && 'the proxy between client and server has one address',
)
