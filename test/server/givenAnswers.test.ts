// A framework has middleware and routes of its own: it has decided on an upgrade before it hands it over. Its answer must count
// as if `upgrade` had given it, and what is no answer must be told to whoever gave it, while the request can still be answered.
import assert from 'node:assert/strict'
import { afterEach, describe, test } from 'node:test'
import type { Acceptance, Rejection, Server, ServerOptions } from '../../src/index.js'
import { masked, TEXT } from '../support/frames.js'
import { latin1, upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { delay, type SocketClient } from '../support/socketClient.js'
import { UserServer } from '../support/userServer.js'

const offering = upgradeRequest({ 'Sec-WebSocket-Protocol': 'chat, superchat' })
const users: UserServer[] = []

afterEach(async () => {
  await Promise.all(users.splice(0).map((user) => user.end()))
})

/** Gives handleUpgrade what its types forbid. */
function wrongly(server: Server, ...args: readonly unknown[]): unknown {
  return Reflect.apply(server.handleUpgrade, server, args)
}

for (const { transport, publicApi } of transports) {
  describe(`an answer that handleUpgrade is given, over ${transport}`, () => {
    let seen: unknown[] = []

    const recording: ServerOptions<unknown> = {
      publicApi,
      closeTimeout: 500,
      upgrade: () => void seen.push('upgrade'),
      upgradeFailed: (_, error) => void seen.push(error instanceof Error ? error.message : error),
      open: (connection) => void seen.push(['open', connection.data, connection.protocol]),
      message: (connection, message) => void seen.push([connection.data, message.text()]),
    }

    async function start(
      answer: () => Acceptance<unknown> | Rejection | undefined,
      options: ServerOptions<unknown> = {},
    ): Promise<UserServer> {
      seen = []
      const user = await UserServer.start(
        false,
        { ...recording, ...options } as ServerOptions,
        async (request, socket, head, server) => {
          await delay(10)
          server.handleUpgrade(request, socket, head, answer())
        },
      )
      users.push(user)
      return user
    }

    async function sends(user: UserServer, ...parts: (string | Buffer)[]): Promise<SocketClient> {
      const client = await user.dial()
      client.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? latin1(part) : part))))
      return client
    }

    test('accepts with its data, headers and protocol, and upgrade is not asked', async () => {
      const user = await start(() => ({
        data: 'ann',
        headers: new Headers([
          ['set-cookie', 'a=1'],
          ['set-cookie', 'b=2'],
        ]),
        protocol: 'superchat',
      }))
      const client = await sends(user, offering, masked(TEXT, 'hi'))
      const { status, head } = await client.response()
      assert.equal(status, 101)
      assert.match(head, /\r\nSec-WebSocket-Protocol: superchat\r\n.*set-cookie: a=1\r\nset-cookie: b=2\r\n/s)
      await client.until(() => seen.length === 2, 'the handlers')
      assert.deepEqual(seen, [
        ['open', 'ann', 'superchat'],
        ['ann', 'hi'],
      ])
    })

    test('refuses with its status, headers and body', async () => {
      const user = await start(() => ({ status: 402, headers: { 'X-Price': '1' }, body: 'pay first' }))
      const client = await sends(user, offering)
      const { status, head } = await client.response()
      assert.equal(status, 402)
      assert.match(head, /\r\nX-Price: 1\r\n/)
      await client.until(() => client.text.endsWith('pay first'), 'the body')
      assert.deepEqual(seen, [])
    })

    test('where there is none, upgrade is asked', async () => {
      const user = await start(() => undefined)
      assert.equal((await (await sends(user, offering)).response()).status, 101)
      assert.deepEqual(seen, ['upgrade', ['open', undefined, '']])
    })

    test('with a protocol that the client does not offer, it fails as that of upgrade does', async () => {
      const user = await start(() => ({ protocol: 'soap' }))
      assert.equal((await (await sends(user, offering)).response()).status, 500)
      assert.deepEqual(seen, ['the client does not offer the subprotocol "soap"'])
    })

    test('what the server refuses by itself, it refuses before', async () => {
      const user = await start(() => ({ data: 1 }), { origins: ['self'], maxConnections: 1 })
      const elsewhere = upgradeRequest({ Origin: 'http://evil.example' })
      assert.equal((await (await sends(user, elsewhere)).response()).status, 403)
      assert.equal((await (await sends(user, upgradeRequest())).response()).status, 101)
      assert.equal((await (await sends(user, upgradeRequest())).response()).status, 503)
      assert.equal((await (await sends(user, upgradeRequest({ 'Sec-WebSocket-Version': '8' }))).response()).status, 426)
    })

    test('that is none is thrown at once, and the request can still be answered', async () => {
      const errors: unknown[] = []
      const wrong = [null, true, { status: 200 }, { statusCode: 401 }, { headers: { Upgrade: 'x' } }, new Response()]
      const user = await UserServer.start(false, { publicApi }, (request, socket, head, server) => {
        for (const answer of [...wrong, Promise.resolve({})]) {
          assert.throws(
            () => wrongly(server, request, socket, head, answer),
            (error) => errors.push(error) > 0 && error instanceof TypeError,
          )
        }
        assert.throws(() => wrongly(server, request, socket, head, {}, 1), { code: 'ERR_ARGUMENT_SURPLUS' })
        assert.match(String(errors.at(-1)), /await answer/)
        server.handleUpgrade(request, socket, head, { headers: { 'X-At': 'last' } })
      })
      users.push(user)
      const { status, head } = await (await sends(user, offering)).response()
      assert.equal(status, 101)
      assert.match(head, /\r\nX-At: last\r\n/)
      assert.equal(errors.length, wrong.length + 1)
    })
  })
}
