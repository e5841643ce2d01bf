// A peer that does not read what it is sent must hold little memory, and only its own: one write is outstanding, and
// what is sent meanwhile gathers in blocks, not in objects. Sends from outside a read leave by themselves.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { beforeEach, describe, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { heapOfThread } from '../../src/codec/codec.js'
import type { Connection } from '../../src/connection/connection.js'
import { masked, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { servingAll } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

setFlagsFromString('--expose_gc')
const collect: unknown = runInNewContext('gc')

function heapUsed(): number {
  if (typeof collect !== 'function') throw new Error('no garbage collector to call')
  // Twice: the first lets finalizers run.
  collect()
  collect()
  return process.memoryUsage().heapUsed
}

const SENDS = 3000
const SMALL = 20
/** Header and payload of one small frame. */
const FRAME = SMALL + 2
/** A connection's blocks are filled one after another: one may be nearly empty. */
const LARGEST_BLOCK = 65_536

let opened: Connection[] = []
let onMessage: (connection: Connection, text: string) => void = () => undefined

const server = servingAll<unknown>({
  open: (connection) => void opened.push(connection),
  message: (connection, message) => onMessage(connection, message.text()),
})

beforeEach(() => {
  opened = []
  onMessage = () => undefined
})

interface Pair {
  readonly connection: Connection
  readonly client: SocketClient
}

async function connected(): Promise<Pair> {
  const client = await SocketClient.open(server.address?.port ?? 0)
  client.write(upgradeRequest())
  await client.response()
  const connection = opened.at(-1)
  assert.ok(connection !== undefined)
  return { connection, client }
}

/** Sends to a peer that does not read, until a write is outstanding; returns the messages sent. */
async function block({ connection, client }: Pair): Promise<number> {
  client.socket.pause()
  for (let sent = 1; sent < 10_000; sent++) {
    connection.send(Buffer.alloc(16_384, 0x11))
    await Promise.resolve()
    if (connection.bufferedAmount > 0) return sent
  }
  throw new Error('the system takes everything')
}

async function release(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map(({ client }) => client.destroy()))
  await eventually(() => pairs.every(({ connection }) => !server.connections.has(connection)), 'the connections end')
}

describe('while a write is outstanding', () => {
  test(`${SENDS} small sends to each of 20 slow readers take the memory of their bytes, and no more`, async () => {
    const pairs: Pair[] = []
    for (let count = 0; count < 20; count++) pairs.push(await connected())
    const blocking: number[] = []
    for (const pair of pairs) blocking.push(await block(pair))
    const texts = Array.from({ length: SENDS }, (_, at) => String(at).padStart(SMALL, '.'))
    const heapBefore = heapOfThread().used
    const objectsBefore = heapUsed()
    const bufferedBefore = pairs.map(({ connection }) => connection.bufferedAmount)
    for (const text of texts) {
      for (const { connection } of pairs) assert.equal(connection.send(text), 'buffered')
      // Each in a turn of its own, as timers and other connections' handlers send.
      await Promise.resolve()
    }
    const objects = (heapUsed() - objectsBefore) / pairs.length
    const memory = (heapOfThread().used - heapBefore) / pairs.length
    for (const [at, { connection }] of pairs.entries()) {
      assert.equal(connection.bufferedAmount - (bufferedBefore[at] ?? 0), SENDS * FRAME)
    }
    assert.ok(
      memory <= SENDS * FRAME + LARGEST_BLOCK,
      `${memory} bytes of the codec's memory for ${SENDS * FRAME} a connection`,
    )
    assert.ok(objects < 20 * SENDS, `${objects} bytes of objects a connection: one object for each send`)

    for (const [at, { client }] of pairs.entries()) {
      client.socket.resume()
      const frames = await client.frames((blocking[at] ?? 0) + SENDS)
      const small = frames.slice(-SENDS).map(({ payload }) => payload.toString())
      assert.deepEqual(small, texts)
      for (const { payload } of frames.slice(0, -SENDS)) assert.ok(payload.equals(Buffer.alloc(16_384, 0x11)))
    }
    await eventually(() => pairs.every(({ connection }) => connection.bufferedAmount === 0), 'everything has left')
    await release(pairs)
  })

  test('nothing is left of what slow readers held when they are reset', async () => {
    const warm = await connected()
    await block(warm)
    await release([warm])
    const before = heapOfThread().used
    for (let round = 0; round < 3; round++) {
      const pairs: Pair[] = []
      for (let count = 0; count < 10; count++) pairs.push(await connected())
      for (const pair of pairs) await block(pair)
      for (const { connection } of pairs) for (let count = 0; count < 3000; count++) connection.send('x'.repeat(100))
      assert.ok(heapOfThread().used - before > 10 * 300_000)
      for (const { client } of pairs) client.socket.resetAndDestroy()
      await release(pairs)
      assert.ok(heapOfThread().used <= before, `${heapOfThread().used - before} bytes are left`)
    }
  })

  test('others are not slowed down, and get their own bytes', async () => {
    const slow = await connected()
    const quick = await connected()
    const blocking = await block(slow)
    for (let count = 0; count < 500; count++) {
      slow.connection.send(`slow ${count}`)
      quick.connection.send(`quick ${count}`)
      if (count % 10 === 0) await delay(0)
    }
    const frames = await quick.client.frames(500)
    assert.deepEqual(
      frames.map(({ payload }) => payload.toString()),
      Array.from({ length: 500 }, (_, at) => `quick ${at}`),
    )
    slow.client.socket.resume()
    const late = (await slow.client.frames(blocking + 500)).slice(blocking)
    assert.deepEqual(
      late.map(({ payload }) => payload.toString()),
      Array.from({ length: 500 }, (_, at) => `slow ${at}`),
    )
    await release([slow, quick])
  })
})

describe('a send from outside of a read', () => {
  test('leaves in a microtask, all that one turn sent together', async () => {
    const pair = await connected()
    await delay(0)
    for (const text of ['one', 'two', 'three']) pair.connection.send(text)
    assert.equal(pair.connection.bufferedAmount, 3 + 3 + 5 + 3 * 2)
    await Promise.resolve()
    assert.equal(pair.connection.bufferedAmount, 0)
    await pair.client.frames(3)
    await release([pair])
  })

  for (const [name, later] of Object.entries<(work: () => void) => unknown>({
    'a timer': (work) => setTimeout(work, 5),
    'an immediate': (work) => setImmediate(work),
    'a tick': (work) => process.nextTick(work),
    'a promise': (work) => Promise.resolve().then(work),
  })) {
    test(`by ${name} arrives, although the peer says nothing`, async () => {
      const pair = await connected()
      later(() => pair.connection.send('unasked'))
      const [frame] = await pair.client.frames(1)
      assert.equal(frame?.payload.toString(), 'unasked')
      await release([pair])
    })
  }

  test("by another connection's handler arrives, although the receiver says nothing", async () => {
    const sender = await connected()
    const receiver = await connected()
    onMessage = (connection, text) => {
      receiver.connection.send(text)
      connection.send('done')
    }
    for (let count = 0; count < 20; count++) sender.client.write(masked(TEXT, `for you ${count}`))
    const frames = await receiver.client.frames(20)
    assert.equal(frames[19]?.payload.toString(), 'for you 19')
    await sender.client.frames(20)
    await release([sender, receiver])
  })

  test("by another connection's handler to a slow reader arrives when it reads", async () => {
    const sender = await connected()
    const slow = await connected()
    const blocking = await block(slow)
    onMessage = (_, text) => slow.connection.send(text)
    for (let count = 0; count < 20; count++) sender.client.write(masked(TEXT, `for you ${count}`))
    await delay(50)
    slow.client.socket.resume()
    const frames = await slow.client.frames(blocking + 20)
    assert.equal(frames.at(-1)?.payload.toString(), 'for you 19')
    await release([sender, slow])
  })
})
