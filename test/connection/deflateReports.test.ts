// What clients have met at other servers that compress: reports L1, L3, L4, L6 and L7, and others of their kinds, byte for byte.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { createServer, type Server } from '../../src/index.js'
import { jsonDocument } from '../codec/documents.js'
import { BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT } from '../support/frames.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { Random, seed } from '../support/random.js'
import { StrictDeflateClient } from '../support/strictDeflateClient.js'
import { cut, framesOf, hello, marked, zip } from './deflateOffences.js'

const PLAIN = 'permessage-deflate'
/** Offers of which none can be taken, alone and together. */
const DECLINED: readonly (readonly string[])[] = [
  ['permessage-deflate; server_max_window_bits=7', 'permessage-deflate; foo=1'],
  ['permessage-deflate; server_max_window_bits=7'],
  ['permessage-deflate; server_max_window_bits="16"'],
  ['permessage-deflate; server_max_window_bits=010'],
  ['permessage-deflate; client_max_window_bits=0'],
  ['permessage-deflate; server_no_context_takeover=1'],
  ['permessage-deflate; client_max_window_bits; client_max_window_bits'],
]
const LENGTH = 300_000

for (const { transport, publicApi } of transports) {
  describe(`reports of compression, over ${transport}`, () => {
    let server: Server
    let delivered: string[] = []
    const clients: StrictDeflateClient[] = []

    before(async () => {
      server = createServer({
        publicApi,
        deflate: { threshold: 0 },
        maxMessage: 1_048_576,
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

    async function connected(...offers: readonly string[]): Promise<StrictDeflateClient> {
      const client = await StrictDeflateClient.open(server.port ?? 0, offers)
      clients.push(client)
      delivered = []
      return client
    }

    for (const opcode of [CLOSE, PING, PONG]) {
      test(`L1: the control frame ${opcode} with RSV1 is an offence, and the plain frame behind it is never inflated`, async () => {
        for (const payload of ['', 'f248cdc9c90700']) {
          const client = await connected(PLAIN)
          const control = { opcode, payload: Buffer.from(payload, 'hex'), ...marked }
          client.socket.write(framesOf([control, { opcode: BINARY, payload: 'plain' }]))
          assert.equal(await client.closeCode(), 1002)
          assert.deepEqual(delivered, [])
        }
      })

      if (opcode === CLOSE) continue
      test(`L1: the control frame ${opcode} without RSV1 leaves the plain frame behind it plain`, async () => {
        const client = await connected(PLAIN)
        const zipped = Buffer.from('f248cdc9c90700', 'hex')
        client.socket.write(
          framesOf([
            { opcode, payload: zipped },
            { opcode: BINARY, payload: zipped },
          ]),
        )
        assert.deepEqual((await client.next()).payload, zipped)
      })
    }

    test('L1: the ping of the report is an offence', async () => {
      const client = await connected(PLAIN)
      client.socket.write(Buffer.from('c98001020304', 'hex'))
      assert.equal(await client.closeCode(), 1002)
    })

    test('L3: plain, compressed and plain messages come as sent, and the window is kept over the plain ones', async () => {
      const client = await connected(PLAIN)
      const lengths: number[] = []
      for (const isCompressed of [false, true, false, true, false, false, true]) {
        const payload = isCompressed ? zip(client) : Buffer.from(hello)
        if (isCompressed) lengths.push(payload.length)
        client.socket.write(framesOf([{ opcode: TEXT, payload, ...(isCompressed ? marked : {}) }]))
        const { payload: got, isText } = await client.next()
        assert.deepEqual([got.toString(), isText], [hello, true])
      }
      const [first = 0, ...later] = lengths
      for (const length of later) assert.ok(length < first, 'the client refers to the message before')
    })

    test('L4: pings and pongs between the fragments of a compressed message are unharmed, and so is the message', async () => {
      const client = await connected(PLAIN)
      for (const opcode of [TEXT, BINARY, TEXT]) {
        const bytes = zip(client)
        const [a, b] = [Math.floor(bytes.length / 3), bytes.length - 1]
        const between = [
          { opcode: PING, payload: Buffer.from('f248cdc9c90700', 'hex') },
          { opcode: PONG, payload: 'unasked' },
        ]
        client.socket.write(
          framesOf([
            { opcode, payload: bytes.subarray(0, a), ...cut, ...marked },
            ...between,
            { opcode: CONTINUATION, payload: bytes.subarray(a, b), ...cut },
            ...between,
            { opcode: CONTINUATION, payload: bytes.subarray(b) },
          ]),
        )
        assert.equal((await client.next()).payload.toString(), hello)
      }
      const pongs = client.controls.map(({ kind, payload }) => `${kind} ${payload.toString('hex')}`)
      assert.deepEqual(pongs, Array(6).fill('pong f248cdc9c90700'))
    })

    test('L6: of three offers the one that is right is taken, with its quoted window', async () => {
      const third = 'permessage-deflate; server_max_window_bits=10; client_max_window_bits'
      // The client's own reading of its offers is plain; what it writes is what the report says.
      const { agreement } = await connected(third)
      assert.equal(agreement?.serverMaxWindowBits, 10)
      const { answer } = await answered(server, [
        'permessage-deflate; server_max_window_bits=7',
        'permessage-deflate; foo=1',
        'permessage-deflate; server_max_window_bits="10"; client_max_window_bits',
      ])
      assert.match(answer ?? '', /^permessage-deflate; server_max_window_bits=10; client_max_window_bits=\d+$/)
    })

    for (const offers of DECLINED) {
      test(`L6: ${offers.join(', ')}: the handshake succeeds without the extension`, async () => {
        assert.deepEqual(await answered(server, offers), { status: 101, answer: undefined })
      })
    }

    test('L7: an offer without parameters is answered with none that limits the client, one window is kept, and long answers are one frame', async () => {
      assert.equal((await answered(server, [PLAIN])).answer, PLAIN)
      const client = await connected(PLAIN)
      const document = jsonDocument(new Random(seed), LENGTH)
      await client.echo(document.subarray(0, 1000), true)
      const before = client.wire
      await client.echo(document.subarray(0, 1000), true)
      assert.ok(client.wire - before < 100, 'the answer refers to the one before')
      let fragments = 0
      client.socket.prependOnceListener('data', ([first = 0]: Buffer) => {
        fragments = first >> 7 === 1 ? 1 : 2
      })
      await client.echo(document, true)
      assert.equal(fragments, 1)
    })
  })
}

/** What a handshake with these offers is answered: the status, and what is agreed on, to the letter. */
async function answered(
  server: Server,
  offers: readonly string[],
): Promise<{ status: number; answer: string | undefined }> {
  const head = await headOf(server.port ?? 0, offers)
  const answer = /^sec-websocket-extensions: *(.*?) *\r$/im.exec(head)?.[1]
  return { status: Number(head.split(' ')[1]), answer }
}

function headOf(port: number, offers: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let head = ''
    socket.on('error', reject)
    socket.on('data', (bytes: Buffer) => {
      head += bytes.toString('latin1')
      if (!head.includes('\r\n\r\n')) return
      socket.destroy()
      resolve(head)
    })
    socket.write(upgradeRequest({ 'Sec-WebSocket-Extensions': offers.join(', ') }))
  })
}
