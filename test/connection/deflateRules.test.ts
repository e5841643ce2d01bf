// The rules of RFC 6455 still hold where compression was agreed on, for messages that are compressed and for those that
// are not: framing, control frames, reserved bits, UTF-8, Close. In the order of the sections of the Autobahn test suite.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { after, before, describe, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { effort } from '../support/effort.js'
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { transports } from '../support/places.js'
import { StrictDeflateClient } from '../support/strictDeflateClient.js'
import { cut, framesOf, hello, marked, offences, type Part, zip } from './deflateOffences.js'

for (const { transport, publicApi } of transports) {
  describe(`with compression agreed on, over ${transport}`, () => {
    let server: Server
    let delivered: string[] = []
    const clients: StrictDeflateClient[] = []

    before(async () => {
      server = createServer({
        publicApi,
        deflate: { threshold: 0 },
        closeTimeout: 500,
        maxMessage: 20_000_000,
        message(connection, message) {
          delivered.push(message.isText ? message.text() : message.bytes.toString('latin1'))
          connection.send(message)
        },
      })
      await server.listen({ host: '127.0.0.1' })
    })
    after(async () => {
      for (const client of clients) client.destroy()
      await server.close()
    })

    async function connected(): Promise<StrictDeflateClient> {
      const client = await StrictDeflateClient.open(server.port ?? 0, ['permessage-deflate; client_max_window_bits'])
      clients.push(client)
      delivered = []
      return client
    }

    for (const [what, parts, code] of offences) {
      test(what, async () => {
        const client = await connected()
        const bytes = framesOf(parts(client))
        // What comes behind an offence is not looked at, least of all as if it were compressed.
        client.socket.write(Buffer.concat([bytes, framesOf([{ opcode: BINARY, payload: 'behind it' }])]))
        assert.equal(await client.closeCode(), code)
        assert.ok(!delivered.includes('behind it'))
        for (const text of delivered) assert.equal(text, hello)
      })
    }

    test('1, 9: plain messages of every length come back, between compressed ones', async () => {
      const client = await connected()
      for (const length of [0, 1, 125, 126, 127, 128, 65_535, 65_536, effort({ quick: 300_000, full: 16_777_216 })]) {
        for (const [opcode, payload] of [
          [TEXT, Buffer.alloc(length, '*')],
          [BINARY, Buffer.alloc(length, 0xfe)],
        ] as const) {
          client.socket.write(framesOf([{ opcode, payload }]))
          assert.ok((await client.next()).payload.equals(payload), `${length} bytes`)
          await client.echo(payload, opcode === TEXT)
        }
      }
    })

    test('2, 5: pings are answered between all fragments, whatever the message is, and each byte is a read', async () => {
      const client = await connected()
      for (const isCompressed of [true, false, true]) {
        const payload = isCompressed ? zip(client) : Buffer.from(hello)
        const parts: Part[] = []
        for (const [at] of payload.entries()) {
          const first = at === 0 && isCompressed ? marked : {}
          const fin = at === payload.length - 1
          parts.push({ opcode: at === 0 ? TEXT : CONTINUATION, payload: payload.subarray(at, at + 1), fin, ...first })
          if (!fin) parts.push({ opcode: PING, payload: `${at}` }, { opcode: PONG, payload: zipped })
        }
        const before = client.controls.length
        for (const byte of framesOf(parts)) client.socket.write(Buffer.of(byte))
        assert.equal((await client.next()).payload.toString(), hello)
        const pongs = client.controls.slice(before).map(({ kind, payload: got }) => `${kind} ${got}`)
        assert.deepEqual(
          pongs,
          Array.from({ length: payload.length - 1 }, (_, at) => `pong ${at}`),
        )
      }
    })

    test('5: a plain message in fragments behind a compressed one in fragments is plain, and the other way round', async () => {
      const client = await connected()
      for (const order of [
        [true, false, true],
        [false, true, false],
      ]) {
        for (const isCompressed of order) {
          const payload = isCompressed ? zip(client) : Buffer.from(hello)
          client.socket.write(
            framesOf([
              { opcode: TEXT, payload: payload.subarray(0, 0), ...cut, ...(isCompressed ? marked : {}) },
              { opcode: CONTINUATION, payload: payload.subarray(0, 4), ...cut },
              { opcode: CONTINUATION, payload: payload.subarray(4, 4), ...cut },
              { opcode: CONTINUATION, payload: payload.subarray(4), ...cut },
              { opcode: CONTINUATION, payload: '' },
            ]),
          )
          const { payload: got, isText } = await client.next()
          assert.deepEqual([got.toString(), isText], [hello, true])
        }
      }
    })

    test('6: text is right however its compressed bytes are cut', async () => {
      const client = await connected()
      for (const text of ['\u{10ffff}\u{10000}', '\uffff\ue000\ud7ff', 'aκ漢😀', '\ufeffBOM', '\u0000', '']) {
        const payload = zip(client, text)
        client.socket.write(
          framesOf([
            { opcode: TEXT, payload: payload.subarray(0, 1), ...cut, ...marked },
            ...Array.from(payload.subarray(1), (byte) => ({ opcode: CONTINUATION, payload: Buffer.of(byte), ...cut })),
            { opcode: CONTINUATION, payload: '' },
          ]),
        )
        assert.equal((await client.next()).payload.toString(), text)
      }
    })

    test('7: Close is answered behind a compressed message and its answer, and nothing follows it', async () => {
      const client = await connected()
      const bytes = framesOf([
        { opcode: TEXT, payload: zip(client), ...marked },
        { opcode: CLOSE, payload: Buffer.concat([Buffer.of(15, 160), Buffer.from('done')]) },
        { opcode: TEXT, payload: zip(client), ...marked },
      ])
      client.socket.write(bytes)
      assert.equal((await client.next()).payload.toString(), hello)
      assert.equal(await client.closeCode(), 4000)
      assert.deepEqual(delivered, [hello])
    })

    test('7: Close amid a compressed message is answered, and the message is not delivered', async () => {
      const client = await connected()
      client.socket.write(
        framesOf([
          { opcode: TEXT, payload: zip(client).subarray(0, 5), ...cut, ...marked },
          { opcode: CLOSE, payload: Buffer.of(3, 232) },
        ]),
      )
      assert.equal(await client.closeCode(), 1000)
      assert.deepEqual(delivered, [])
    })
  })
}

/** A payload of control frames that looks as if it were compressed. */
const zipped = Buffer.from('f248cdc9c90700', 'hex')
