// Most applications have an HTTP server already (Express, Fastify, Next). What it did with a socket before it hands it
// over, and what it does afterwards, must neither lose a byte nor cut a connection nor keep the server from closing.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { Connection } from '../../src/index.js'
import { binary } from '../clients/payloads.js'
import type { Ending } from '../clients/recorder.js'
import { effort } from '../support/effort.js'
import { BINARY, masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { delay, eventually, openSockets, type SocketClient } from '../support/socketClient.js'
import { type Upgraded, UserServer } from '../support/userServer.js'

const options = { timeout: 60_000 }
const linux = process.platform === 'linux'
/** Bytes behind the request, and milliseconds of thought. */
const BEHIND = effort<readonly (readonly [length: number, wait: number])[]>({
  quick: [
    [10, 100],
    [70_000, 0],
    [1_000_000, 100],
  ],
  full: [10, 70_000, 1_000_000].flatMap((length) => [0, 100].map((wait) => [length, wait] as const)),
})
const users: UserServer[] = []

afterEach(async () => {
  await Promise.all(users.splice(0).map((user) => user.end()))
})

for (const secure of [false, true]) {
  for (const { transport, publicApi } of transports) {
    describe(`handleUpgrade of an ${secure ? 'https' : 'http'} server, over ${transport}`, options, () => {
      let endings: Ending[] = []
      let connections: Connection[] = []

      async function start(upgraded?: Upgraded): Promise<UserServer> {
        endings = []
        connections = []
        const user = await UserServer.start(
          secure,
          {
            publicApi,
            closeTimeout: 500,
            open: (connection) => connections.push(connection),
            message: (connection, message) => connection.send(message),
            close: (_, code, reason) => endings.push({ code, reason }),
          },
          upgraded,
        )
        users.push(user)
        return user
      }

      async function connected(user: UserServer): Promise<SocketClient> {
        const client = await user.dial()
        client.write(upgradeRequest())
        assert.equal((await client.response()).status, 101)
        return client
      }

      async function echoes(client: SocketClient, text = 'still here'): Promise<void> {
        client.write(masked(TEXT, text))
        await client.until(() => client.text.includes(text) || client.over, 'the echo')
        assert.ok(client.text.includes(text))
      }

      async function ended(code: number): Promise<void> {
        await eventually(() => endings.length > 0, 'the close handler')
        assert.deepEqual(
          endings.map((ending) => ending.code),
          [code],
        )
        assert.equal(users[0]?.server.connections.size, 0)
      }

      test('the connection works, and so does the application', options, async () => {
        const user = await start()
        const client = await connected(user)
        await echoes(client)
        assert.equal(connections[0]?.request.secure, secure)
        assert.equal(connections[0]?.remoteAddress, '127.0.0.1')
        const other = await user.dial()
        other.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
        await other.until(() => other.text.includes('the application'), 'the answer')
      })

      for (const [length, wait] of BEHIND) {
        test(`${length} bytes after the request, and more, after ${wait} ms of thought`, options, async () => {
          const user = await start((request, socket, head, server) => {
            // A middleware that waits: what comes meanwhile stays in the socket, and in the system.
            if (wait === 0) server.handleUpgrade(request, socket, head)
            else setTimeout(() => server.handleUpgrade(request, socket, head), wait)
          })
          const client = await user.dial()
          const payloads = [binary(length), binary(5000, 1), binary(length, 2)]
          client.write(Buffer.concat([latin1(upgradeRequest()), masked(BINARY, payloads[0])]))
          await delay(30)
          client.write(masked(BINARY, payloads[1]))
          client.write(masked(BINARY, payloads[2]))
          const frames = await client.frames(3)
          for (const [at, payload] of payloads.entries()) assert.ok(frames[at]?.payload.equals(payload), `${at}`)
        })
      }

      test('bytes that a middleware made the socket read ahead are not lost', options, async () => {
        const user = await start((request, socket, head, server) => {
          socket.resume()
          socket.pause()
          setTimeout(() => server.handleUpgrade(request, socket, head), 100)
        })
        const client = await user.dial()
        const payload = binary(40_000)
        await client.writePieces([latin1(upgradeRequest()), masked(BINARY, payload), masked(TEXT, 'last')], 20)
        const frames = await client.frames(2)
        assert.ok(frames[0]?.payload.equals(payload))
        assert.equal(frames[1]?.payload.toString(), 'last')
      })

      test('what the application wrote before comes first', options, async () => {
        const before = 'HTTP/1.1 103 Early Hints\r\n'.padEnd(6_000_000, 'Link: </a>\r\n')
        const user = await start((request, socket, head, server) => {
          socket.write(before)
          server.handleUpgrade(request, socket, head)
        })
        const client = await user.dial()
        client.socket.pause()
        client.write(Buffer.concat([latin1(upgradeRequest()), masked(TEXT, 'an echo')]))
        await delay(50)
        client.socket.resume()
        await client.until(() => client.received.includes('an echo'), 'the echo')
        assert.equal(client.text.indexOf('HTTP/1.1 101'), before.length)
      })

      test('a peer that left while the application thought', options, async () => {
        const user = await start((request, socket, head, server) => {
          setTimeout(() => server.handleUpgrade(request, socket, head), 150)
        })
        for (const leave of ['destroy', 'end'] as const) {
          const client = await user.dial()
          client.write(upgradeRequest())
          await delay(30)
          client.socket[leave]()
        }
        await eventually(() => user.sockets.length === 2 && user.sockets.every(({ closed }) => closed), 'both end')
        assert.equal(user.server.connections.size, 0)
        await user.closeHttp()
      })

      test("the application's server closes when our connections have ended, not before", options, async () => {
        const user = await start()
        const client = await connected(user)
        let closed = false
        const closing = user.closeHttp().then(() => {
          closed = true
        })
        await delay(100)
        assert.equal(closed, false)
        await echoes(client)
        await user.server.close()
        await closing
        await ended(1006) // the client did not answer
      })

      test('closeAllConnections: told of the end, or not ended', options, async () => {
        const user = await start()
        const client = await connected(user)
        user.http.closeAllConnections()
        await delay(50)
        // Node.js leaves upgraded sockets alone; if it ever does not, the handlers must hear of it.
        if (endings.length > 0) await ended(1006)
        else await echoes(client)
      })

      for (const error of [undefined, new Error('its own reasons')]) {
        test(
          `the socket destroyed by the application${error === undefined ? '' : ' with an error'}`,
          options,
          async () => {
            const user = await start()
            const baseline = linux ? openSockets() : 0
            const client = await connected(user)
            connections[0]?.send(binary(8_000_000)) // a write is under way
            await delay(20)
            user.sockets[0]?.destroy(error)
            assert.notEqual(connections[0]?.send('to nobody'), undefined)
            await ended(1006)
            await client.end()
            await client.destroy()
            if (linux) await eventually(() => openSockets() === baseline, 'nothing is left')
            await user.closeHttp()
          },
        )
      }

      test("the timeouts of the application's server cut nothing later", options, async () => {
        const user = await start()
        user.http.timeout = 80
        user.http.keepAliveTimeout = 80
        user.http.headersTimeout = 80
        user.http.requestTimeout = 80
        user.http.setTimeout(80)
        const client = await connected(user)
        await delay(400)
        await echoes(client)
        assert.deepEqual(endings, [])
      })

      test('after server.close it is refused with 503', options, async () => {
        const user = await start()
        await user.server.close()
        const client = await user.dial()
        client.write(upgradeRequest())
        assert.equal((await client.response()).status, 503)
        await client.end()
        await client.destroy()
        await user.closeHttp()
      })

      test('a request that is wrong is refused, also from a peer that never closes', options, async () => {
        const user = await start()
        const client = await user.dial()
        client.write(upgradeRequest({ 'Sec-WebSocket-Version': '8' }))
        assert.equal((await client.response()).status, 426)
        await eventually(() => user.sockets[0]?.closed === true, 'the socket is closed')
        await user.closeHttp()
      })

      test('handed over when it is destroyed already, wrong or right', options, async () => {
        const user = await start((request, socket, head, server) => {
          socket.destroy()
          socket.once('close', () => setImmediate(() => server.handleUpgrade(request, socket, head)))
        })
        for (const version of ['13', '8']) {
          const client = await user.dial()
          client.write(upgradeRequest({ 'Sec-WebSocket-Version': version }))
          await client.end()
        }
        await delay(50)
        await eventually(() => user.server.connections.size === 0, 'no connection')
        assert.equal(connections.length, endings.length)
        await user.closeHttp()
      })

      test('an error of the socket ends its connection, not the process', options, async () => {
        const user = await start()
        const client = await connected(user)
        user.sockets[0]?.emit('error', new Error('from somewhere'))
        await ended(1006)
        await client.end()
      })
    })
  }
}
