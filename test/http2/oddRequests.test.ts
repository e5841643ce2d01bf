// Requests that no browser sends, and frames that come where none is expected: each is answered by one status or one RST_STREAM,
// and the session of others lives. Over h2c and over TLS.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Server, ServerOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { masked, readFrames, TEXT } from '../support/frames.js'
import { open, sessionTo } from '../support/http2Client.js'
import * as wire from '../support/http2Frames.js'
import { FrameClient, field, frame } from '../support/http2Frames.js'
import { serving } from '../support/serving.js'
import { eventually, SocketClient } from '../support/socketClient.js'

const timeout = 30_000
const { DATA, HEADERS, SETTINGS, RST_STREAM, GOAWAY, WINDOW_UPDATE, END_HEADERS, END_STREAM } = wire
const [PRIORITY, PADDED] = [2, 8]
const [NO_ERROR, PROTOCOL_ERROR, STREAM_CLOSED, CANCEL] = [0, 1, 5, 8]

type Field = readonly [name: string, value: string]

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.map(([name, value]) => field(name, value)))
}

/** A WebSocket's request, in which fields take the place of others, or come behind them. */
function asked(instead: Readonly<Record<string, string | undefined>>, ...more: readonly Field[]): Buffer {
  const fields: Record<string, string | undefined> = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':path': '/',
    ':authority': 'x',
    ...instead,
  }
  const present = Object.entries(fields).flatMap(([name, value]): Field[] =>
    value === undefined ? [] : [[name, value]],
  )
  return block([...present, ['sec-websocket-version', '13'], ...more])
}

/** What may be odd in a request, and its answer. */
const refused: readonly (readonly [string, Buffer])[] = [
  ['a scheme that is none of HTTP', asked({ ':scheme': 'ftp' })],
  ['the scheme ws', asked({ ':scheme': 'ws' })],
  ['a length', asked({}, ['content-length', '5'])],
  ['a length of 0', asked({}, ['content-length', '0'])],
  ['a Host that is not the :authority', asked({}, ['host', 'evil'])],
  ['two versions', asked({}, ['sec-websocket-version', '13'])],
]
const malformed: readonly (readonly [string, Buffer])[] = [
  ['no :authority', asked({ ':authority': undefined })],
  ['no :scheme', asked({ ':scheme': undefined })],
  ['no :path', asked({ ':path': undefined })],
  ['an empty :path', asked({ ':path': '' })],
  ['a :protocol of GET', asked({ ':method': 'GET' })],
  ['an unknown pseudo-header', asked({ ':foo': 'x' })],
  ['a pseudo-header behind others', asked({}, [':path', '/b'])],
  ['two :protocol', Buffer.concat([field(':protocol', 'websocket'), asked({})])],
  ['two :authority', Buffer.concat([field(':authority', 'x'), asked({})])],
  ['a name in upper case', asked({}, ['X-Upper', 'y'])],
  ...['te', 'connection', 'upgrade', 'transfer-encoding'].map((name) => [name, asked({}, [name, 'x'])] as const),
]
const accepted: readonly (readonly [string, Buffer])[] = [
  ['the scheme of the other transport', asked({ ':scheme': 'https' })],
  ['te: trailers', asked({}, ['te', 'trailers'])],
  ['a key', asked({}, ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ=='])],
  ['a Host that is the :authority with its port', asked({}, ['host', 'X:443'])],
]

/** The status of a response, whose first field is its index or its literal (RFC 7541, section 6). */
function statusOf(payload: Buffer | undefined): string {
  if (payload === undefined) return 'none'
  if (payload[0] === 0x88) return '200'
  if (payload[0] === 0x8c) return '400'
  return payload.subarray(0, 5).toString('hex')
}

for (const secure of [false, true]) {
  describe(secure ? 'over TLS' : 'over h2c', () => {
    const serve = async (t: TestContext, options: ServerOptions = {}): Promise<Server> => {
      const echo: ServerOptions = { message: (connection, message) => connection.send(message) }
      const listen = secure ? ({ http2: true, tls: { key, cert } } as const) : ({ http2: 'cleartext' } as const)
      return await serving(t, { ...echo, closeTimeout: 100, ...options }, listen)
    }

    const dial = async (t: TestContext, server: Server, own: Buffer = Buffer.alloc(0)): Promise<FrameClient> => {
      const port = server.port ?? 0
      if (!secure) return await FrameClient.open(port, own)
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] })
      t.after(async () => void socket.destroy())
      await once(socket, 'secureConnect')
      const client = new FrameClient(new SocketClient(socket))
      client.write(wire.preface, frame(SETTINGS, 0, 0, own))
      return client
    }

    /** A client with one WebSocket, stream 1. */
    const connected = async (t: TestContext, server: Server, own?: Buffer): Promise<FrameClient> => {
      const client = await dial(t, server, own)
      client.write(frame(HEADERS, END_HEADERS, 1, asked({})))
      await eventually(() => client.of(HEADERS).length === 1, 'the answer')
      return client
    }

    /** Another stream of the same session is answered. */
    const lives = async (client: FrameClient, stream: number): Promise<void> => {
      client.write(frame(HEADERS, END_HEADERS, stream, asked({})), frame(DATA, 0, stream, masked(TEXT, 'alive')))
      await eventually(() => textOn(client, stream) === 'alive', `an echo on stream ${stream}`)
      assert.equal(client.of(GOAWAY).length, 0)
    }

    test('a request that is odd is refused with 400, a malformed one is reset, and the session lives', {
      timeout,
    }, async (t) => {
      const server = await serve(t)
      const client = await dial(t, server)
      let stream = -1
      for (const [name, head] of refused) {
        stream += 2
        client.write(frame(HEADERS, END_HEADERS, stream, head))
        await eventually(() => on(client, HEADERS, stream) !== undefined, `an answer to ${name}`)
        assert.equal(statusOf(on(client, HEADERS, stream)), '400', name)
      }
      for (const [name, head] of malformed) {
        stream += 2
        client.write(frame(HEADERS, END_HEADERS, stream, head))
        await eventually(() => on(client, RST_STREAM, stream) !== undefined, `a reset for ${name}`)
        assert.equal(on(client, RST_STREAM, stream)?.readUInt32BE(0), PROTOCOL_ERROR, name)
        assert.equal(on(client, HEADERS, stream), undefined, name)
      }
      for (const [name, head] of accepted) {
        stream += 2
        client.write(frame(HEADERS, END_HEADERS, stream, head), frame(DATA, 0, stream, masked(TEXT, name)))
        await eventually(() => textOn(client, stream) === name, `an echo with ${name}`)
      }
      await lives(client, stream + 2)
      await eventually(() => server.connections.size === accepted.length + 1, 'no connection but those')
      await client.socket.destroy()
    })

    test('a request of another Host than its :authority is not shown to `request`', { timeout }, async (t) => {
      const hosts: unknown[] = []
      const server = await serve(t, {
        request: (request, response) => {
          hosts.push(request.headers.host)
          response.end()
        },
      })
      const client = await dial(t, server)
      const ask = (stream: number, host: string): void =>
        client.write(
          frame(HEADERS, END_HEADERS | END_STREAM, stream, Buffer.concat([wire.getRequest, field('host', host)])),
        )
      ask(1, 'evil')
      await eventually(() => on(client, HEADERS, 1) !== undefined, 'the refusal')
      assert.equal(statusOf(on(client, HEADERS, 1)), '400')
      ask(3, 'x')
      await eventually(() => on(client, HEADERS, 3) !== undefined, 'the answer')
      assert.deepEqual(hosts, ['x'])
      await client.socket.destroy()
    })

    test('padding alone costs no window for good', { timeout }, async (t) => {
      const server = await serve(t)
      const client = await connected(t, server)
      const padding = frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]))
      // More than the window of the session, as the server gives it back.
      for (let round = 0; round < 50; round++) {
        client.write(...Array.from({ length: 100 }, () => padding))
        const sent = (round + 1) * 25_600
        await eventually(() => givenOn(client, 1) >= sent - 60_000, `window for ${sent} bytes`)
      }
      client.write(
        frame(DATA, PADDED, 1, Buffer.concat([Buffer.from([255]), masked(TEXT, 'padded'), Buffer.alloc(255)])),
      )
      await eventually(() => textOn(client, 1) === 'padded', 'the echo')
      await client.socket.destroy()
    })

    test('windows that become negative hold what is sent until they open, and nothing is lost', {
      timeout,
    }, async (t) => {
      const server = await serve(t)
      const client = await connected(t, server, wire.settings([4, 50_000]))
      client.write(frame(WINDOW_UPDATE, 0, 0, number(200_000)))
      const [connection] = server.connections
      const bytes = Buffer.from(Array.from({ length: 120_000 }, (_, at) => at % 251))
      connection?.send(bytes)
      await eventually(() => dataOn(client, 1).length === 50_000, 'the first window')
      client.write(frame(SETTINGS, 0, 0, wire.settings([4, 0]))) // 50,000 less than nothing
      client.write(frame(SETTINGS, 0, 0, wire.settings([8, 1], [4, 100])), frame(SETTINGS, 0, 0, wire.settings([8, 0])))
      client.write(frame(WINDOW_UPDATE, 0, 1, number(49_900)))
      client.write(frame(wire.PING, 0, 0, Buffer.alloc(8)))
      await eventually(() => client.of(wire.PING).length === 1, 'PONG')
      assert.equal(dataOn(client, 1).length, 50_000)
      client.write(frame(SETTINGS, 0, 0, wire.settings([4, 65_535])), frame(WINDOW_UPDATE, 0, 1, number(100_000)))
      await eventually(() => dataOn(client, 1).length > bytes.length, 'the rest')
      const { frames } = readFrames(dataOn(client, 1))
      assert.ok(frames[0]?.payload.equals(bytes))
      await client.socket.destroy()
    })

    test('PRIORITY, of streams that are and that are not, changes nothing', { timeout }, async (t) => {
      const server = await serve(t)
      const client = await connected(t, server)
      for (const [stream, on] of [
        [1, 0],
        [1, 3],
        [9, 1],
        [99, 101],
      ] as const) {
        client.write(frame(PRIORITY, 0, stream, Buffer.concat([number(on), Buffer.from([255])])))
      }
      await lives(client, 11)
      await client.socket.destroy()
    })

    test('trailers are the end of the peer, and DATA behind them is an error', { timeout }, async (t) => {
      const codes: number[] = []
      const server = await serve(t, { pauseTimeout: 300, close: (_, code) => codes.push(code) })
      const client = await connected(t, server)
      client.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, field('x-trailer', 'y')))
      await eventually(() => codes.length === 1, 'the end')
      assert.deepEqual(codes, [1006])
      await lives(client, 3)
      client.write(frame(DATA, END_STREAM, 3), frame(DATA, 0, 3, masked(TEXT, 'late')))
      await eventually(() => codes.length === 2, 'the second end')
      assert.deepEqual(codes, [1006, 1006])
      assert.equal(await client.ended(), STREAM_CLOSED)
    })

    test('a client that says GOAWAY goes on with what it has', { timeout }, async (t) => {
      const server = await serve(t)
      const client = await connected(t, server)
      client.write(frame(GOAWAY, 0, 0, Buffer.concat([number(0), number(NO_ERROR)])))
      client.write(frame(DATA, 0, 1, masked(TEXT, 'after')))
      await eventually(() => textOn(client, 1) === 'after', 'the echo')
      client.write(frame(RST_STREAM, 0, 1, number(CANCEL)))
      await eventually(() => server.connections.size === 0, 'the end of the connection')
      await client.socket.destroy()
    })

    test('streams that are reset while `upgrade` waits leave nothing behind', { timeout }, async (t) => {
      const answers: (() => void)[] = []
      const server = await serve(t, {
        maxStreams: 20,
        upgrade: () => new Promise<void>((resolve) => answers.push(resolve)),
      })
      const client = await dial(t, server)
      for (let round = 0; round < 5; round++) {
        const streams = Array.from({ length: 20 }, (_, at) => 1 + 2 * (20 * round + at))
        client.write(...streams.map((stream) => frame(HEADERS, END_HEADERS, stream, asked({}))))
        await eventually(() => answers.length === 20 * (round + 1), 'all handlers')
        client.write(...streams.map((stream) => frame(RST_STREAM, 0, stream, number(CANCEL))))
        if (round % 2 === 0) for (const answer of answers) answer()
      }
      for (const answer of answers) answer()
      client.write(frame(HEADERS, END_HEADERS, 1001, asked({})))
      await eventually(() => answers.length === 101, 'the last handler')
      answers[100]?.()
      client.write(frame(DATA, 0, 1001, masked(TEXT, 'last')))
      await eventually(() => textOn(client, 1001) === 'last', 'the echo')
      assert.equal(server.connections.size, 1)
      const neighbour = await sessionTo(t, `${secure ? 'https' : 'http'}://127.0.0.1:${server.port}`)
      const opening = open(neighbour)
      await eventually(() => answers.length === 102, 'the handler of the neighbour')
      answers[101]?.()
      assert.equal((await opening).status, 200)
      await client.socket.destroy()
    })
  })
}

function on(client: FrameClient, type: number, stream: number): Buffer | undefined {
  return client.of(type).find((one) => one.stream === stream)?.payload
}

function dataOn(client: FrameClient, stream: number): Buffer {
  const all = client.of(DATA).filter((one) => one.stream === stream)
  return Buffer.concat(all.map(({ payload }) => payload))
}

function textOn(client: FrameClient, stream: number): string | undefined {
  return readFrames(dataOn(client, stream)).frames[0]?.payload.toString()
}

function givenOn(client: FrameClient, stream: number): number {
  const updates = client.of(WINDOW_UPDATE).filter((one) => one.stream === stream)
  return updates.reduce((sum, { payload }) => sum + payload.readUInt32BE(0), 0)
}
