// Large messages over real sockets, on both transports, whatever becomes of their peers: cut, reset, refused, slow, or
// left by the application. Afterwards nothing is held, and the others were served all the time.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, afterEach, before, describe, test } from 'node:test'
import { heapOfThread } from '../../src/codec/codec.js'
import type { ServerOptions } from '../../src/index.js'
import { effort } from '../support/effort.js'
import { BINARY, closeStatus, header, masked, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { delay, eventually, SocketClient } from '../support/socketClient.js'

const MiB = 1024 * 1024
const STREAMED = effort({ quick: 64, full: 1024 })
const ends: (() => Promise<void>)[] = []
const clients: SocketClient[] = []

async function close(): Promise<void> {
  for (const client of clients.splice(0)) await client.destroy()
  await Promise.all(ends.splice(0).map((end) => end()))
}

before(async () => {
  const client = await (await open({ message: (connection, message) => connection.send(message) }))()
  client.write(masked(TEXT, 'x'))
  await client.frame(0) // what the first connection of a process makes for all of them is there now
  await close()
})
afterEach(close)
after(close)

async function open(options: Partial<ServerOptions>): Promise<() => Promise<SocketClient>> {
  const ending = { after: (end: () => Promise<void>) => ends.push(end) }
  const server = await serving(ending, { error: () => undefined, closeTimeout: 2000, ...options })
  return async () => {
    const client = await SocketClient.upgraded(server.address?.port ?? 0)
    clients.push(client)
    return client
  }
}

/** Whether all memory is back. */
function freed(held: number): Promise<void> {
  return eventually(() => heapOfThread().used <= held, 'every region is free')
}

for (const { transport, publicApi } of transports) {
  describe(`with ${transport}`, () => {
    test('a payload that is cut at any byte, or reset amid, leaves nothing behind', async () => {
      const held = heapOfThread().used
      let messages = 0
      const dial = await open({ publicApi, message: () => void messages++ })
      const frame = masked(BINARY, Buffer.alloc(300_000))
      const cuts = [...Array(16).keys(), 65_535, 65_550, 131_072, 262_144, 299_999, frame.length - 1]
      for (const cut of cuts) {
        for (const how of ['end', 'reset']) {
          const client = await dial()
          client.write(frame.subarray(0, cut))
          await delay(5)
          if (how === 'end') client.socket.end()
          else client.socket.resetAndDestroy()
          await client.end()
          await client.destroy()
        }
      }
      assert.equal(messages, 0)
      await freed(held)
    })

    test('a length over the limit is refused at its header, and nothing is kept', async () => {
      const held = heapOfThread().used
      const client = await (await open({ publicApi }))()
      client.write(Buffer.concat([header(0x82, 0x80, 16 * MiB + 1), Buffer.alloc(4)]))
      assert.equal(closeStatus(await client.frame(0))?.code, 1009)
      await client.destroy()
      await freed(held)
    })

    test('slow senders past the budget hold what they sent, and all are served in the end', async () => {
      const held = heapOfThread().used
      const lengths: number[] = []
      const limits = { payloadMemory: 4 * MiB, maxMessage: MiB }
      const dial = await open({ publicApi, ...limits, message: (_, message) => void lengths.push(message.byteLength) })
      const all = await Promise.all(Array.from({ length: 20 }, dial))
      const frame = masked(BINARY, Buffer.alloc(MiB))
      let most = 0
      for (let at = 0; at < frame.length; at += 100_000) {
        for (const client of all) client.write(frame.subarray(at, at + 100_000))
        await delay(5)
        most = Math.max(most, heapOfThread().used - held)
      }
      await eventually(() => lengths.length === 20, 'all messages')
      assert.ok(lengths.every((length) => length === MiB))
      assert.ok(most <= 4 * MiB + 20 * 4096 + MiB, `${most} bytes held`) // slots and the outbox besides
      for (const client of all) await client.destroy()
      await freed(held)
    })

    test(`a streamed message of ${STREAMED} MiB whose last byte is no UTF-8 fails with 1007`, {
      timeout: 300_000,
    }, async () => {
      let read = 0
      let error: unknown
      const dial = await open({
        publicApi,
        async stream(_, message) {
          try {
            for await (const chunk of message) read += chunk.length
          } catch (reason) {
            error = reason
          }
        },
      })
      const client = await dial()
      const length = STREAMED * MiB
      client.write(Buffer.concat([header(0x81, 0x80, length), Buffer.alloc(4)])) // a key of zeros: unmasked as it is
      const chunk = Buffer.alloc(4 * MiB, 'x')
      for (let at = 0; at < length; at += chunk.length) {
        const last = at + chunk.length === length
        const bytes = last ? Buffer.concat([chunk.subarray(1), Buffer.of(0xff)]) : chunk
        await new Promise((resolve) => client.socket.write(bytes, resolve))
      }
      await eventually(() => client.receivedFrames.length > 0, 'the Close frame', 60_000)
      assert.equal(closeStatus(client.receivedFrames[0])?.code, 1007)
      await eventually(() => error !== undefined, 'the reader hears of it')
      assert.ok(read >= length - 2 * chunk.length && read < length, `${read} bytes were read`)
    })

    test('a stream that stalls times out like any other payload', async () => {
      const errors: string[] = []
      const dial = await open({
        publicApi,
        payloadTimeout: 300,
        error: (_, error) => void errors.push(String(error)),
        async stream(_, message) {
          for await (const chunk of message) void chunk
        },
      })
      const client = await dial()
      client.write(masked(TEXT, Buffer.alloc(200_000, 'x')).subarray(0, 100_000))
      assert.equal(closeStatus(await client.frame(0))?.code, 1008)
      assert.match(errors[0] ?? '', /payloadTimeout is 300 ms/)
    })

    test('a handler that throws amid a stream ends its connection with 1011', async () => {
      const held = heapOfThread().used
      const dial = await open({
        publicApi,
        streamLeft: 'fail',
        async stream(_, message) {
          for await (const chunk of message) throw new Error(`${chunk.length}`)
        },
      })
      const client = await dial()
      client.write(masked(BINARY, Buffer.alloc(2 * MiB)).subarray(0, MiB))
      assert.equal(closeStatus(await client.frame(0))?.code, 1011)
      await client.destroy()
      await freed(held)
    })
  })
}
