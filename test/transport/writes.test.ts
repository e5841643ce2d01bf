// What is being sent belongs to the system until it says so: the memory must stay, the request must not be used again,
// and a write that failed must neither call back nor leak.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Bindings, bindings, type HandleRequest, type StreamHandle } from '../../src/internals/node.js'
import { PENDING, shutdown, WRITTEN, write } from '../../src/internals/stream.js'
import { describe, test } from '../support/privateApi.js'
import { delay, eventually } from '../support/socketClient.js'
import { type HandlePair, handlePair } from '../support/socketHandles.js'

setFlagsFromString('--expose_gc')
const collect: unknown = runInNewContext('gc')

function collectGarbage(): void {
  if (typeof collect !== 'function') throw new Error('no garbage collector to call')
  collect()
}

function required(): Bindings {
  const found = bindings()
  assert.ok(found !== undefined, 'these tests need the private API')
  return found
}

const LARGE = 6_000_000
const ignore = { written: () => undefined }

function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length)
  for (let at = 0; at < length; at++) bytes[at] = (at * 13 + (at >> 8) * 5 + (at >> 16) + seed) & 0xff
  return bytes
}

/** A pair whose client has stopped reading. */
async function stuckPair(): Promise<HandlePair> {
  const pair = await handlePair()
  pair.client.socket.pause()
  return pair
}

async function end({ handle, client }: HandlePair): Promise<void> {
  await new Promise<void>((resolve) => handle.close(resolve))
  await client.destroy()
}

describe('a write that can not finish at once', () => {
  test('keeps its memory, whatever is collected and allocated meanwhile', async () => {
    const pairs = await Promise.all(Array.from({ length: 4 }, stuckPair))
    const others = await Promise.all([handlePair(), handlePair()])
    const told: number[] = []
    for (const [seed, { handle }] of pairs.entries()) {
      // Nothing here holds the bytes once `write` has returned.
      const status = write(handle, pattern(LARGE, seed), { written: (result) => told.push(result) })
      assert.equal(status, PENDING)
    }
    for (let round = 0; round < 30; round++) {
      collectGarbage()
      const litter = Array.from({ length: 4 }, () => Buffer.alloc(LARGE, 0xee))
      for (const { handle } of others) write(handle, Buffer.alloc(30_000, 0xdd), ignore)
      await delay(2)
      assert.equal(litter.length, 4)
    }
    assert.deepEqual(told, [])
    for (const { client } of pairs) client.socket.resume()
    for (const [seed, { client }] of pairs.entries()) {
      await client.until(() => client.received.length >= LARGE, 'all bytes')
      assert.ok(client.received.equals(pattern(LARGE, seed)), `bytes of connection ${seed}`)
    }
    await eventually(() => told.length === pairs.length, 'all writes are told')
    assert.deepEqual(told, [0, 0, 0, 0])
    await Promise.all([...pairs, ...others].map(end))
  })

  test('is told once, later, and the writes of others are told to them', async () => {
    const pairs = await Promise.all(Array.from({ length: 5 }, stuckPair))
    const told: string[] = []
    for (const [at, { handle }] of pairs.entries()) {
      assert.equal(write(handle, pattern(LARGE, at), { written: (result) => told.push(`${at}: ${result}`) }), PENDING)
    }
    const quick = await handlePair()
    for (let count = 0; count < 100; count++) assert.equal(write(quick.handle, Buffer.from('x'), ignore), WRITTEN)
    assert.deepEqual(told, [])
    for (const { client } of pairs) client.socket.resume()
    await eventually(() => told.length === pairs.length, 'all writes are told')
    await delay(20)
    assert.deepEqual(told.toSorted(), ['0: 0', '1: 0', '2: 0', '3: 0', '4: 0'])
    await Promise.all([...pairs, quick].map(end))
  })

  test('is told of its end, with an error, before the handle is closed', async () => {
    const { handle, client } = await stuckPair()
    const events: string[] = []
    const status = write(handle, pattern(LARGE, 0), {
      written: (result) => events.push(result < 0 ? 'failed' : 'done'),
    })
    assert.equal(status, PENDING)
    await new Promise<void>((resolve) => {
      handle.close(() => {
        events.push('closed')
        resolve()
      })
      events.push('close has returned')
    })
    await delay(10)
    assert.deepEqual(events, ['close has returned', 'failed', 'closed'])
    await client.destroy()
  })

  test('goes out before the half-close that was asked for after it', async () => {
    const { handle, client } = await stuckPair()
    const events: string[] = []
    const bytes = pattern(LARGE, 9)
    assert.equal(write(handle, bytes, { written: (result) => events.push(`written ${result}`) }), PENDING)
    assert.equal(
      shutdown(handle, () => events.push('shut')),
      0,
    )
    client.socket.resume()
    await client.end()
    assert.ok(client.received.equals(bytes))
    await eventually(() => events.length === 2, 'both are told')
    assert.deepEqual(events, ['written 0', 'shut'])
    await end({ handle, client })
  })
})

describe('a write that finishes at once', () => {
  test('is never told, and its memory is free', async () => {
    const { handle, client } = await handlePair()
    let told = 0
    const bytes = Buffer.alloc(1000)
    for (let count = 0; count < 50; count++) {
      bytes.fill(count)
      const status = write(handle, bytes, { written: () => told++ })
      assert.equal(status, WRITTEN)
      bytes.fill(0xff)
    }
    await client.until(() => client.received.length === 50_000, 'all bytes')
    for (let count = 0; count < 50; count++) assert.equal(client.received[count * 1000 + 999], count)
    assert.equal(told, 0)
    await end({ handle, client })
  })
})

describe('a write that fails', () => {
  test('says so at once, and never again', async () => {
    const { handle, client } = await handlePair()
    client.socket.resetAndDestroy()
    await client.until(() => client.closed, 'reset')
    let told = 0
    let status = 0
    for (let tries = 0; tries < 100 && status >= 0; tries++) {
      status = write(handle, Buffer.alloc(100), { written: () => told++ })
      await delay(1)
    }
    assert.ok(status < 0)
    await new Promise<void>((resolve) => handle.close(resolve))
    await delay(10)
    assert.equal(told, 0)
  })

  test('on a closed handle is an error as well', async () => {
    const { handle, client } = await handlePair()
    const closed = new Promise<void>((resolve) => handle.close(resolve))
    assert.ok(write(handle, Buffer.alloc(10), ignore) < 0)
    await closed
    assert.ok(write(handle, Buffer.alloc(10), ignore) < 0)
    await client.destroy()
  })
})

describe('the request that carries a write', () => {
  const { state, lastWriteWasAsync } = required()
  const requests: HandleRequest[] = []

  /** Writes to a handle that answers with this, and returns the request it was given. */
  function writeTo(status: number, pending: boolean, view: Uint8Array, told: number[] = []): HandleRequest {
    const handle = {
      writeBuffer(request: HandleRequest): number {
        requests.push(request)
        state[lastWriteWasAsync] = pending ? 1 : 0
        return status
      },
    } as unknown as StreamHandle
    write(handle, view, { written: (result) => told.push(result) })
    const request = requests.at(-1)
    assert.ok(request !== undefined)
    return request
  }

  test('is used again after a write that finished, and after one that failed', () => {
    const view = Buffer.alloc(1)
    const first = writeTo(0, false, view)
    // The error of a write leaves the state of the one before in place: only the status counts.
    for (const [status, pending] of [
      [-32, false],
      [-104, true],
      [-9, false],
      [0, false],
    ] as const) {
      assert.equal(writeTo(status, pending, view), first)
      assert.equal(first.held, undefined)
      assert.equal(first.owner, undefined)
      assert.equal(typeof first.oncomplete === 'function', false)
    }
  })

  test('is never used again while it is pending, and holds the memory until it is done', () => {
    const told: number[] = []
    const views = [Buffer.alloc(1), Buffer.alloc(1), Buffer.alloc(1)]
    const pending = views.map((view) => writeTo(0, true, view, told))
    assert.equal(new Set(pending).size, 3)
    assert.equal(pending.includes(writeTo(0, false, Buffer.alloc(1))), false)
    for (const [at, request] of pending.entries()) assert.equal(request.held, views[at])
    for (const request of pending) request.oncomplete?.(-125)
    assert.deepEqual(told, [-125, -125, -125])
    for (const request of pending) assert.equal(request.held, undefined)
  })
})
