// Whether compression is agreed on: by server, route and `upgrade`, in both lanes, and only as long as there is memory for
// windows. Nothing about it ever costs a client the handshake.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type DeflateOptions, route, type ServerOptions } from '../../src/index.js'
import { DeflateClient } from '../support/deflateClient.js'
import { upgradeRequest } from '../support/httpRequests.js'
import { transports } from '../support/places.js'
import { type Ending, serving } from '../support/serving.js'
import { SocketClient } from '../support/socketClient.js'

/** What a server of these options answers to an offer: the extension, or an empty string. */
async function answers(
  test: Ending,
  options: ServerOptions,
  offers: string | readonly string[],
  line?: string,
): Promise<string> {
  const server = await serving(test, { closeTimeout: 500, ...options })
  const client = await SocketClient.open(server.port ?? 0)
  const [first = '', ...more] = [offers].flat()
  const request = upgradeRequest({ 'Sec-WebSocket-Extensions': first }, line)
  client.write(
    request.replace(/\r\n\r\n$/, `\r\n${more.map((one) => `Sec-WebSocket-Extensions: ${one}\r\n`).join('')}\r\n`),
  )
  const { status, head } = await client.response()
  assert.equal(status, 101, head)
  await client.destroy()
  assert.ok((head.match(/sec-websocket-extensions/gi) ?? []).length <= 1)
  return /^sec-websocket-extensions: (.*)\r$/im.exec(head)?.[1] ?? ''
}

const OFFER = 'permessage-deflate; client_max_window_bits'
const LIMITED = `permessage-deflate; client_max_window_bits=12`

for (const { transport, publicApi } of transports) {
  describe(`compression over ${transport}`, () => {
    const rows: readonly (readonly [deflate: boolean | DeflateOptions | undefined, answer: string])[] = [
      [undefined, ''],
      [false, ''],
      [true, LIMITED],
      [{}, LIMITED],
      [{ windowBits: { client: 9 } }, 'permessage-deflate; client_max_window_bits=9'],
      [{ windowBits: { client: 15 } }, 'permessage-deflate'],
      [
        { contextTakeover: false },
        `permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits=12`,
      ],
      [
        { contextTakeover: { server: false } },
        `permessage-deflate; server_no_context_takeover; client_max_window_bits=12`,
      ],
    ]
    for (const [deflate, answer] of rows) {
      test(`of a server with deflate: ${JSON.stringify(deflate)}`, async (t) => {
        const options = deflate === undefined ? {} : { deflate }
        assert.equal(await answers(t, { ...options, publicApi }, OFFER), answer)
        assert.equal(await answers(t, { ...options, publicApi }, 'foo'), '')
      })
    }

    test('is offered in several lines, and with a mistake in one of them', async (t) => {
      const offers = [
        'permessage-deflate; server_max_window_bits=7',
        'foo, permessage-deflate; server_max_window_bits="10"',
      ]
      assert.equal(
        await answers(t, { deflate: true, publicApi }, offers),
        'permessage-deflate; server_max_window_bits=10',
      )
      assert.equal(await answers(t, { deflate: true, publicApi }, 'permessage-deflate; foo="'), '')
    })

    test('is for a route to have otherwise than the server', async (t) => {
      const routes = {
        '/off': route({ deflate: false }),
        '/own': route({ deflate: { windowBits: { client: 10 } } }),
        '/same': route({}),
      }
      const options: ServerOptions = { deflate: { contextTakeover: { server: false } }, routes, publicApi }
      const asked = (path: string): Promise<string> => answers(t, options, OFFER, `GET ${path} HTTP/1.1`)
      assert.equal(await asked('/off'), '')
      assert.equal(await asked('/own'), 'permessage-deflate; server_no_context_takeover; client_max_window_bits=10')
      assert.equal(await asked('/same'), 'permessage-deflate; server_no_context_takeover; client_max_window_bits=12')
    })

    test('is for upgrade to have otherwise for one connection', async (t) => {
      for (const isLater of [false, true]) {
        const asked = (deflate: boolean | DeflateOptions, base: boolean): Promise<string> =>
          answers(
            t,
            { deflate: base, upgrade: () => (isLater ? Promise.resolve({ deflate }) : { deflate }), publicApi },
            OFFER,
          )
        assert.equal(await asked(true, false), LIMITED)
        assert.equal(await asked(false, true), '')
        assert.equal(await asked({ windowBits: { client: 8 } }, true), 'permessage-deflate; client_max_window_bits=8')
      }
    })

    test('is no longer agreed on when the memory for windows is used up, and again when it is free', async (t) => {
      const options: ServerOptions = {
        deflate: { memory: 12_000 },
        closeTimeout: 500,
        message: (connection, message) => void connection.send(message),
        publicApi,
      }
      const server = await serving(t, options)
      const connect = async (): Promise<DeflateClient> =>
        DeflateClient.upgraded(await SocketClient.open(server.port ?? 0), { offer: OFFER, windowBits: 12 })
      const text = 'the same again, '.repeat(20)
      const [one, two] = [await connect(), await connect()]
      assert.equal(one.extensions, LIMITED)
      assert.equal(two.extensions, LIMITED)
      const three = await connect()
      assert.equal(three.extensions, '')
      // There is no room for a window of what the server sends, so each message stands alone, and is compressed all the same.
      for (let round = 0; round < 3; round++) {
        await one.send(text)
        const answer = await one.next()
        assert.equal(answer.data, text)
        assert.ok(answer.compressed && answer.wire > 15)
      }
      for (const { client } of [two, three]) await client.destroy()
      while (server.connections.size > 1) await new Promise((resolve) => setTimeout(resolve, 10))
      const four = await connect()
      assert.equal(four.extensions, LIMITED)
      for (const { client } of [one, four]) await client.destroy()
    })
  })
}

test('a wrong answer of upgrade is refused, as others are', async (t) => {
  const errors: unknown[] = []
  const server = await serving(t, {
    upgrade: () => JSON.parse('{"deflate":"yes"}'),
    upgradeFailed: (_request, error) => errors.push(error),
  })
  const client = await SocketClient.open(server.port ?? 0)
  client.write(upgradeRequest())
  assert.equal((await client.response()).status, 500)
  assert.match(String(errors[0]), /the answer of upgrade: deflate must be true or false, or an object/)
  await client.destroy()
})
