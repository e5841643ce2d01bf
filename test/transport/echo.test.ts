// Whatever a server listens on, and whichever transport it uses, a connection must behave the same: every length comes
// back, early frames are not lost, codes travel, a slow reader loses nothing, and the end is noticed.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { tiers } from '../../bench/support/tiers.js'
import type { Connection } from '../../src/index.js'
import { assertSame, binary, payloads } from '../clients/payloads.js'
import type { Ending } from '../clients/recorder.js'
import { WsClient } from '../clients/wsClient.js'
import { effort } from '../support/effort.js'
import { BINARY, CLOSE, close, closeStatus, masked, PING, PONG, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { Listening, places, transports } from '../support/places.js'
import { delay, eventually, type SocketClient } from '../support/socketClient.js'

const options = { timeout: 60_000 }
const LONGEST = effort({ quick: 65_536, full: 1024 * 1024 })
const lengths = tiers.map(({ length }) => length).filter((length) => length <= LONGEST)

for (const place of places) {
  for (const { transport, publicApi } of transports) {
    describe(`${place.name}, over ${transport}`, options, () => {
      let listening: Listening
      let connections: Connection[]
      let endings: Ending[]
      let drains = 0

      before(async () => {
        connections = []
        endings = []
        listening = await Listening.start(place, {
          publicApi,
          closeTimeout: 3000,
          open: (connection) => connections.push(connection),
          message: (connection, message) => connection.send(message),
          drain: () => drains++,
          close: (_, code, reason) => endings.push({ code, reason }),
          request: ({ url }, response) => response.end(`you asked for ${url}`),
        })
      })
      after(() => listening.server.close())

      async function ended(): Promise<Ending | undefined> {
        await eventually(() => endings.length > 0, 'the end')
        return endings.shift()
      }

      /** A client whose handshake is done, and the server's side of it. */
      async function meet(early: Uint8Array = Buffer.alloc(0)): Promise<[SocketClient, Connection]> {
        const client = await listening.dial()
        const before = connections.length
        client.write(Buffer.concat([latin1(upgradeRequest()), early]))
        assert.equal((await client.response()).status, 101)
        const connection = connections[before]
        assert.ok(connection)
        return [client, connection]
      }

      test('every length comes back, as text and as bytes', options, async () => {
        const client = await WsClient.open(`${listening.url}/chat`, listening.wsOptions)
        for (const length of lengths) {
          for (const payload of payloads(length)) {
            client.socket.send(payload)
            assertSame(await client.messages.next(), payload)
          }
        }
        const sent = Array.from({ length: effort({ quick: 150, full: 500 }) }, (_, at) => binary((at * 331) % 9000, at))
        for (const payload of sent) client.socket.send(payload)
        for (const payload of sent) assertSame(await client.messages.next(), payload)
        assert.deepEqual(await client.close(4321, 'enough'), { code: 4321, reason: '' })
        assert.deepEqual(await ended(), { code: 4321, reason: 'enough' })
      })

      test("the server's code and reason reach the client", options, async () => {
        const opened = connections.length
        const client = await WsClient.open(listening.url, listening.wsOptions)
        connections[opened]?.close(1013, 'try again later')
        assert.deepEqual(await client.ended, { code: 1013, reason: 'try again later' })
        assert.equal((await ended())?.code, 1013)
      })

      test('frames that come with the request are not lost', options, async () => {
        const large = binary(300_000)
        const [client] = await meet(Buffer.concat([masked(TEXT, 'first'), masked(BINARY, large), masked(PING, 'p')]))
        client.write(masked(TEXT, 'later'))
        const frames = await client.frames(4)
        // The pong does not wait for anything, but nothing overtakes either.
        assert.deepEqual(
          frames.map(({ opcode, payload }) => [opcode, payload.length]),
          [
            [TEXT, 5],
            [BINARY, large.length],
            [PONG, 1],
            [TEXT, 5],
          ],
        )
        assert.ok(frames[1]?.payload.equals(large))
        await client.destroy()
        assert.equal((await ended())?.code, 1006)
      })

      test('a request and a frame in pieces of a few bytes', options, async () => {
        const client = await listening.dial()
        const bytes = Buffer.concat([latin1(upgradeRequest()), masked(TEXT, 'in pieces')])
        const pieces = [0, 1, 40, 41, 120, bytes.length - 12, bytes.length - 3, bytes.length]
        await client.writePieces(pieces.slice(1).map((end, at) => bytes.subarray(pieces[at], end)))
        const [frame] = await client.frames(1)
        assert.equal(frame?.payload.toString(), 'in pieces')
        await client.destroy()
        await ended()
      })

      test('who the peer is, and how it came', options, async () => {
        const [client, connection] = await meet()
        assert.equal(connection.remoteAddress, place.unix ? undefined : '127.0.0.1')
        assert.equal(connection.request.remoteAddress, place.unix ? undefined : '127.0.0.1')
        assert.equal(connection.request.secure, place.secure)
        assert.equal(connection.request.path, '/chat')
        await client.destroy()
        await ended()
        assert.equal(connection.remoteAddress, undefined)
      })

      test('ordinary requests are answered by `request`, and can be followed by an upgrade', options, async () => {
        const client = await listening.dial()
        client.write('GET /page HTTP/1.1\r\nHost: x\r\n\r\n')
        await client.until(() => client.text.includes('you asked for /page'), 'the answer')
        client.write(upgradeRequest())
        await client.until(() => client.text.includes('101 Switching'), 'the upgrade')
        await client.destroy()
        await ended()
      })

      test('a reader that is slow gets every byte, and the connection is told when all has left', options, async () => {
        const [client, connection] = await meet()
        client.socket.pause()
        drains = 0
        const sent = Array.from({ length: 40 }, (_, at) => binary(250_000 + at, at))
        const results = sent.map((payload) => connection.send(payload))
        assert.equal(results.at(-1), 'buffered')
        assert.ok(connection.bufferedAmount > 1024 * 1024)
        await delay(100)
        assert.equal(drains, 0)
        client.socket.resume()
        const frames = await client.frames(sent.length, 30_000)
        for (const [at, payload] of sent.entries()) assert.ok(frames[at]?.payload.equals(payload), `message ${at}`)
        await eventually(() => drains === 1, 'drain')
        assert.equal(connection.bufferedAmount, 0)
        await client.destroy()
        await ended()
      })

      test('a peer that half-closes still gets what it was sent before', options, async () => {
        const [client, connection] = await meet()
        client.socket.pause()
        const payload = binary(8_000_000)
        connection.send(payload)
        connection.send('and this')
        client.socket.end()
        await delay(100)
        client.socket.resume()
        const frames = await client.frames(2)
        assert.ok(frames[0]?.payload.equals(payload))
        assert.equal(frames[1]?.payload.toString(), 'and this')
        await client.end()
        assert.equal((await ended())?.code, 1006)
        await client.destroy()
      })

      test(
        'messages that were read before a pause are delivered after it, although the peer has left',
        options,
        async () => {
          const received: string[] = []
          const other = await Listening.start(place, {
            publicApi,
            message(connection, message) {
              received.push(message.text())
              if (received.length > 1) return
              connection.pause()
              setTimeout(() => connection.resume(), 150)
            },
          })
          const client = await other.dial()
          client.write(Buffer.concat([latin1(upgradeRequest())]))
          await client.response()
          client.socket.end(Buffer.concat(['1', '2', '3'].map((text) => masked(TEXT, text))))
          await client.end()
          await eventually(() => other.server.connections.size === 0, 'the end')
          assert.deepEqual(received, ['1', '2', '3'])
          await client.destroy()
          await other.server.close()
        },
      )

      test('server.close: Close to everyone, and back when they have ended', options, async () => {
        const other = await Listening.start(place, { publicApi })
        const client = await WsClient.open(other.url, other.wsOptions)
        const idle = await other.dial()
        await other.server.close(1012, 'restart')
        assert.deepEqual(await client.ended, { code: 1012, reason: 'restart' })
        await idle.end()
        await idle.destroy()
      })

      test('a Close frame is answered, and then the connection ends', options, async () => {
        const [client] = await meet()
        client.write(close(3456, 'bye'))
        const [frame] = await client.frames(1)
        assert.equal(frame?.opcode, CLOSE)
        assert.deepEqual(closeStatus(frame), { code: 3456, reason: '' })
        await client.end()
        await client.destroy()
        assert.deepEqual(await ended(), { code: 3456, reason: 'bye' })
      })
    })
  }
}
