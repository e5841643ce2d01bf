// Messages that are compressed both ways (RFC 7692), over each transport, with zlib as the peer. What is agreed on is
// tested in test/protocol, and what DEFLATE is in test/codec.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { describe, type TestContext, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import type { ServerOptions } from '../../src/index.js'
import { type ClientOptions, type DeflateClient, orders, served } from '../support/deflateClient.js'
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'

const echo: ServerOptions = {
  deflate: true,
  closeTimeout: 1000,
  message(connection, message) {
    connection.send(message)
  },
}

for (const { transport, publicApi } of transports) {
  const connect = (t: TestContext, options: ServerOptions, client?: ClientOptions): Promise<DeflateClient> =>
    served(t, { ...options, publicApi }, client)

  async function closeCode(peer: DeflateClient): Promise<number> {
    for (;;) {
      const { opcode, data } = await peer.next()
      if (opcode === CLOSE) return Buffer.from(data).readUInt16BE(0)
    }
  }

  describe(`compressed messages over ${transport}`, () => {
    test('come as they were sent, and go back compressed, of every length', async (t) => {
      const peer = await connect(t, echo)
      assert.equal(peer.extensions, 'permessage-deflate')
      const random = new Random(seed)
      for (const length of [
        0, 1, 63, 64, 65, 125, 126, 1000, 4096, 32_767, 32_768, 32_769, 65_535, 65_536, 300_000, 1_000_000,
      ]) {
        for (const data of [
          orders.repeat(9).slice(0, length),
          Buffer.from(orders.repeat(9).slice(0, length)),
          random.bytes(length),
        ]) {
          await peer.send(data)
          const answer = await peer.next()
          assert.equal(answer.compressed, length >= 64, `${length} bytes`)
          assert.equal(answer.frames, 1)
          assert.ok(
            typeof data === 'string' ? answer.data === data : data.equals(Buffer.from(answer.data)),
            `${length} bytes`,
          )
          if (length >= 1000 && typeof data === 'string') assert.ok(answer.wire < length / 2)
        }
      }
    })

    test('refer to those before them', async (t) => {
      const peer = await connect(t, echo)
      const text = Buffer.from(new Random(seed).bytes(200)).toString('base64')
      const sizes: number[] = []
      for (let round = 0; round < 5; round++) {
        await peer.send(text)
        const answer = await peer.next()
        assert.equal(answer.data, text)
        sizes.push(answer.wire)
      }
      assert.ok((sizes[0] ?? 0) > 150 && (sizes[4] ?? 1000) < 30, `${sizes}`)
    })

    test('come in fragments, cut anywhere, with control frames between them', async (t) => {
      const peer = await connect(t, echo)
      for (const parts of [2, 3, 40]) {
        await peer.send(orders.slice(0, 5000), parts)
        assert.equal((await peer.next()).data, orders.slice(0, 5000))
      }
      const payload = await peer.compressed('compressed in three fragments')
      peer.client.write(
        Buffer.concat([
          peer.frame(TEXT, payload.subarray(0, 3), { fin: false, rsv1: true }),
          peer.frame(PING, 'between'),
          peer.frame(CONTINUATION, payload.subarray(3, 4), { fin: false }),
          peer.frame(PONG, 'unasked'),
          peer.frame(CONTINUATION, payload.subarray(4)),
        ]),
      )
      assert.deepEqual((await peer.next()).data.toString(), 'between')
      assert.equal((await peer.next()).data, 'compressed in three fragments')
    })

    test('come cut by the ends of reads', async (t) => {
      const peer = await connect(t, echo)
      const text = orders.slice(0, 3000)
      const bytes = Buffer.concat([await peer.message(text), await peer.message(text)])
      await peer.client.writePieces([
        bytes.subarray(0, 1),
        bytes.subarray(1, 5),
        bytes.subarray(5, 300),
        bytes.subarray(300),
      ])
      assert.equal((await peer.next()).data, text)
      assert.equal((await peer.next()).data, text)
    })

    test('keep their window over messages that are not compressed', async (t) => {
      const peer = await connect(t, echo)
      const text = orders.slice(0, 500)
      await peer.send(text)
      assert.equal((await peer.next()).data, text)
      for (let round = 0; round < 3; round++) {
        peer.client.write(peer.frame(TEXT, `plain ${round}`))
        assert.equal((await peer.next()).data, `plain ${round}`)
        const compressed = await peer.message(text)
        assert.ok(compressed.length < 40)
        peer.client.write(compressed)
        assert.equal((await peer.next()).data, text)
      }
    })

    test('do not refer to others where that was agreed on', async (t) => {
      const options = { ...echo, deflate: { contextTakeover: false } }
      const peer = await connect(t, options, { clientNoContextTakeover: true, serverNoContextTakeover: true })
      assert.equal(peer.extensions, 'permessage-deflate; server_no_context_takeover; client_no_context_takeover')
      const text = orders.slice(0, 500)
      const sizes = new Set<number>()
      for (let round = 0; round < 3; round++) {
        await peer.send(text)
        const answer = await peer.next()
        assert.equal(answer.data, text)
        sizes.add(answer.wire)
      }
      assert.equal(sizes.size, 1)
    })

    for (const windowBits of [9, 10, 12, 15]) {
      test(`come with a window of ${windowBits} bits`, async (t) => {
        const offer = `permessage-deflate; client_max_window_bits=${windowBits}; server_max_window_bits=${windowBits}`
        const peer = await connect(t, { ...echo, deflate: { windowBits: { client: 15 } } }, { offer, windowBits })
        for (let round = 0; round < 4; round++) {
          await peer.send(orders.slice(round * 1000, 60_000))
          assert.equal((await peer.next()).data, orders.slice(round * 1000, 60_000))
        }
      })
    }

    test('end in any of the ways of section 7.2.3', async (t) => {
      const peer = await connect(t, echo)
      const hello = 'Hello'
      const whole = deflateRawSync(hello, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4)
      const payloads: readonly Buffer[] = [
        Buffer.from('f248cdc9c90700', 'hex'), // 7.2.3.1
        whole,
        Buffer.from('000500faff48656c6c6f00', 'hex'), // 7.2.3.3: no compression
        Buffer.from('f348cdc9c9070000', 'hex'), // 7.2.3.4: BFINAL is 1
        Buffer.from('f248050000 00ffffcac9c90700'.replaceAll(' ', ''), 'hex'), // 7.2.3.5: two blocks
      ]
      for (const payload of payloads) {
        peer.client.write(peer.frame(TEXT, payload, { rsv1: true }))
        assert.equal((await peer.next()).data, hello, payload.toString('hex'))
      }
      peer.client.write(peer.frame(TEXT, Buffer.of(0), { rsv1: true })) // an empty message
      assert.equal((await peer.next()).data, '')
    })

    test('are an offence where nothing was agreed on', async (t) => {
      const peer = await connect(t, { ...echo, deflate: false })
      assert.equal(peer.extensions, '')
      await peer.send('compressed')
      assert.equal(await closeCode(peer), 1002)
    })

    test('have RSV1 on their first frame only, and control frames never', async (t) => {
      for (const frames of [
        (_peer: DeflateClient) => Buffer.from('c98001020304', 'hex'),
        (peer: DeflateClient) => peer.frame(PONG, 'x', { rsv1: true }),
        (peer: DeflateClient) =>
          Buffer.concat([
            peer.frame(TEXT, 'x', { fin: false, rsv1: true }),
            peer.frame(CONTINUATION, 'x', { rsv1: true }),
          ]),
      ]) {
        const peer = await connect(t, echo)
        peer.client.write(frames(peer))
        assert.equal(await closeCode(peer), 1002)
      }
    })

    test('that are no DEFLATE end the connection with 1007', async (t) => {
      for (const payload of ['ffffffff', '07', 'f248cdc9c907', '000500faff4865']) {
        const seen: string[] = []
        const peer = await connect(t, {
          ...echo,
          error: (_connection, error) => seen.push(Reflect.get(Object(error), 'code')),
        })
        peer.client.write(peer.frame(BINARY, Buffer.from(payload, 'hex'), { rsv1: true }))
        assert.equal(await closeCode(peer), 1007, payload)
        assert.deepEqual(seen, ['INVALID_DEFLATE'])
      }
    })

    test('that are no UTF-8 end the connection with 1007', async (t) => {
      for (const text of [
        Buffer.of(0xc3, 0x28),
        Buffer.from('cut \u00e9').subarray(0, -1),
        Buffer.alloc(40_000, 0xff),
      ]) {
        const peer = await connect(t, echo)
        peer.client.write(peer.frames(TEXT, await peer.compressed(text)))
        assert.equal(await closeCode(peer), 1007)
      }
    })

    test('may be as long as maxMessage says, and no byte longer', async (t) => {
      for (const maxMessage of [0, 1, 1000, 32_768, 100_000]) {
        const options = { ...echo, maxMessage }
        const whole = await connect(t, options)
        await whole.send(Buffer.alloc(maxMessage, 0x61))
        assert.equal((await whole.next()).data.length, maxMessage)
        const longer = await connect(t, options)
        await longer.send(Buffer.alloc(maxMessage + 1, 0x61))
        assert.equal(await closeCode(longer), 1009, `${maxMessage}`)
      }
    })

    test('that are bombs end at maxMessage, whole or in fragments', async (t) => {
      for (const parts of [1, 30]) {
        const peer = await connect(t, { ...echo, maxMessage: 1_000_000 })
        await peer.send(Buffer.alloc(64 * 1024 * 1024), parts)
        assert.equal(await closeCode(peer), 1009)
      }
    })
  })
}
