// A peer can make a thousand bytes of each that it sends. It gets no more than maxMessage, or than a reader takes; whatever it
// sends, the others are served meanwhile, and nothing is left when it has gone.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { heapOfThread } from '../../src/codec/codec.js'
import type { ServerOptions } from '../../src/index.js'
import { costlyMessage } from '../support/costlyBlocks.js'
import { BINARY, buildFrame, CONTINUATION } from '../support/frames.js'
import { transports } from '../support/places.js'
import { serving } from '../support/serving.js'
import { delay, eventually } from '../support/socketClient.js'
import { StrictDeflateClient } from '../support/strictDeflateClient.js'

const MEBIBYTE = 1024 * 1024
const BOMB = deflateRawSync(Buffer.alloc(64 * MEBIBYTE), { level: 9, finishFlush: constants.Z_SYNC_FLUSH }).subarray(
  0,
  -4,
)

/** The bomb as the first message of a connection, in as many frames. */
function bombIn(parts = 1): Buffer {
  const length = Math.ceil(BOMB.length / parts)
  const frames: Buffer[] = []
  for (let at = 0; at < BOMB.length; at += length) {
    const payload = BOMB.subarray(at, at + length)
    const [opcode, reserved] = at === 0 ? [BINARY, 4] : [CONTINUATION, 0]
    frames.push(buildFrame({ opcode, payload, fin: at + length >= BOMB.length, reserved, key: Buffer.of(1, 9, 8, 4) }))
  }
  return Buffer.concat(frames)
}

for (const { transport, publicApi } of transports) {
  describe(`bombs over ${transport}`, () => {
    async function crowd(t: TestContext, options: ServerOptions, count: number) {
      const clients: StrictDeflateClient[] = []
      t.after(() => {
        for (const client of clients) client.destroy()
      })
      const server = await serving(t, { deflate: true, closeTimeout: 1000, ...options, publicApi })
      for (let at = 0; at < count; at++) {
        clients.push(await StrictDeflateClient.open(server.port ?? 0, ['permessage-deflate'], 9))
      }
      return { server, clients }
    }

    test('of many peers at once end with 1009 each, while another is answered, and leave nothing', async (t) => {
      const echo: ServerOptions = {
        maxMessage: MEBIBYTE,
        message: (connection, message) => void connection.send(message),
      }
      await bombed(t, echo) // what the thread keeps for good
      const before = heapOfThread().used
      await bombed(t, echo)
      await eventually(() => heapOfThread().used === before, 'nothing is held')
    })

    async function bombed(t: TestContext, options: ServerOptions): Promise<void> {
      const { server, clients } = await crowd(t, options, 13)
      const [other, ...bombers] = clients
      for (const [at, bomber] of bombers.entries()) {
        const bytes = bombIn([1, 60, 9000][at % 3])
        assert.ok(bytes.length < (64 * MEBIBYTE) / 50)
        bomber.socket.write(bytes)
      }
      for (let round = 0; round < 20; round++) await other?.echo(Buffer.from(`still here ${round}`), true)
      for (const bomber of bombers) assert.equal(await bomber.closeCode(), 1009)
      for (const client of clients) client.destroy()
      await eventually(() => server.connections.size === 0, 'all have gone')
    }

    test('that refer to messages before end at maxMessage as well', async (t) => {
      const { clients } = await crowd(t, { maxMessage: 100_000, message: () => undefined }, 1)
      const [client] = clients
      const noise = Buffer.from(Array.from({ length: 30_000 }, (_, at) => (at * at) >> 3))
      client?.send(noise, false)
      client?.send(Buffer.alloc(30_000 * 100, noise), false)
      assert.equal(await client?.closeCode(), 1009)
    })

    test('are read as streams no faster than their reader takes them', async (t) => {
      let [taken, release] = [0, (): void => undefined]
      const gate = new Promise<void>((resolve) => {
        release = resolve
      })
      const options: ServerOptions = {
        streamThreshold: 1000,
        async stream(connection, message) {
          for await (const chunk of message) {
            if (taken === 0) await gate
            taken += chunk.length
          }
          connection.send(`${taken}`)
        },
      }
      const { clients } = await crowd(t, options, 1)
      const [client] = clients
      assert.ok(client !== undefined)
      const bytes = bombIn(1)
      const before = process.memoryUsage().arrayBuffers
      client.socket.write(bytes)
      await delay(300)
      // What has come waits as it came: the payload of the bomb is 64 KiB, the message 64 MiB.
      const held = process.memoryUsage().arrayBuffers - before
      assert.ok(held < 4 * MEBIBYTE, `${held} bytes are held`)
      release()
      assert.equal((await client.next()).payload.toString(), `${64 * MEBIBYTE}`)
    })

    test('that are compressed twice are inflated once', async (t) => {
      const { clients } = await crowd(t, { message: (connection, message) => void connection.send(message) }, 1)
      const [client] = clients
      assert.ok(client !== undefined)
      await client.echo(deflateRawSync(Buffer.alloc(MEBIBYTE)), false)
    })

    test('of time and not of bytes do not keep the others waiting: a megabyte of codes for nothing', async (t) => {
      const { clients } = await crowd(t, { message: (connection, message) => void connection.send(message) }, 2)
      const [bomber, other] = clients
      assert.ok(bomber !== undefined && other !== undefined)
      const payload = costlyMessage(MEBIBYTE)
      const half = payload.length >> 1
      const key = Buffer.of(9, 8, 7, 6)
      const frames = Buffer.concat([
        buildFrame({ opcode: BINARY, payload: payload.subarray(0, half), fin: false, reserved: 4, key }),
        buildFrame({ opcode: CONTINUATION, payload: payload.subarray(half), key }),
      ])
      for (let time = 0; time < 2; time++) bomber.socket.write(frames)
      let answered = 0
      const bombs = bomber
        .next()
        .then(() => bomber.next())
        .then(() => answered)
      const counting = (async (): Promise<void> => {
        for (; answered < 40; answered++) await other.echo(Buffer.from(`${answered}`), true)
      })()
      // Dealt with in one go, each read of it would hold up the others for as long as twenty of these take.
      assert.ok((await bombs) >= 4, 'the other peer has waited')
      await counting
    })
  })
}
