// The client against a server of this project, over both transports: it is the same connection in the other role.
import assert from 'node:assert/strict'
import { Buffer } from 'node:buffer'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, type TestContext, test } from 'node:test'
import { WebSocketServer } from 'ws'
import { type ClientOptions, type Connection, connect, prepare } from '../../src/client.js'
import type { ListenOptions, Server, ServerOptions } from '../../src/index.js'
import { cert, key } from '../support/certificate.js'
import { serving } from '../support/serving.js'

/** Everything that a server says, in order, as text or the number of bytes. */
function collector() {
  const got: (string | number)[] = []
  const waiting: (() => void)[] = []
  return {
    got,
    message: (_: Connection, message: { isText: boolean; text(): string; byteLength: number }): void => {
      got.push(message.isText ? message.text() : message.byteLength)
      for (const resolve of waiting.splice(0)) resolve()
    },
    async until(count: number): Promise<void> {
      while (got.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

const echo: ServerOptions = { message: (connection, message) => void connection.send(message) }

function addressOf(server: Server, path = ''): string {
  return `ws://127.0.0.1:${server.address?.port}${path}`
}

async function pair(
  t: TestContext,
  options: ClientOptions = {},
  serverOptions: ServerOptions = echo,
  listen: ListenOptions = {},
): Promise<{ server: Server; client: Connection }> {
  const server = await serving(t, serverOptions, listen)
  const scheme = listen.tls === undefined ? 'ws' : 'wss'
  const client = await connect(`${scheme}://127.0.0.1:${server.address?.port}`, options)
  t.after(() => client.terminate())
  return { server, client }
}

for (const publicApi of [false, true]) {
  describe(publicApi ? 'by the public API' : 'by the private API', () => {
    for (const deflate of [false, true]) {
      test(`messages of every tier come back, ${deflate ? 'compressed' : 'plain'}`, async (t) => {
        const { got, message, until } = collector()
        const { client } = await pair(t, { publicApi, deflate, message }, { ...echo, deflate: true })
        const sent = ['', 'short', 'é'.repeat(300), 'x'.repeat(70_000)]
        for (const text of sent) client.send(text)
        client.send(Buffer.alloc(3))
        client.send(new Uint8Array(1_500_000))
        client.send('last')
        await until(7)
        assert.deepEqual(got, [...sent, 3, 1_500_000, 'last'])
      })
    }

    test('fragments, streams and prepared messages', async (t) => {
      const { got, message, until } = collector()
      const { client } = await pair(t, { publicApi, message, streamThreshold: 10 })
      client.sendFragment('a', false)
      client.sendFragment('b', true)
      await client.sendStream(Readable.from(['one ', 'two ', 'three']))
      const prepared = prepare('prepared')
      client.send(prepared)
      client.send(prepared)
      await until(4)
      assert.deepEqual(got, ['ab', 'one two three', 'prepared', 'prepared'])
    })

    test('over TLS', async (t) => {
      const { got, message, until } = collector()
      const tls = { ca: cert }
      const { client } = await pair(t, { publicApi, message, tls }, echo, { tls: { key, cert } })
      client.send('secret')
      client.send(Buffer.alloc(100_000))
      await until(2)
      assert.deepEqual(got, ['secret', 100_000])
      assert.equal(client.request.secure, true)
    })

    test('over a Unix socket', async (t) => {
      const path = join(tmpdir(), `millrace-client-${process.pid}-${publicApi}.sock`)
      const { got, message, until } = collector()
      const server = await serving(t, echo, { path })
      assert.ok(server)
      const client = await connect('ws://inside/x', { unix: path, publicApi, message })
      client.send('hello')
      await until(1)
      client.close()
      assert.deepEqual([got, client.request.headers['host']], [['hello'], 'inside'])
    })

    test('the close code and reason of either side arrive', async (t) => {
      for (const closes of ['client', 'server'] as const) {
        const told: Record<string, unknown> = {}
        await new Promise<void>((resolve) => {
          const said = (side: string) => (_: unknown, code: number, reason: string) => {
            told[side] = [code, reason]
            if (Object.keys(told).length === 2) resolve()
          }
          void pair(t, { publicApi, close: said('client') }, { close: said('server') }).then(({ server, client }) => {
            const [one] = [...server.connections]
            ;(closes === 'client' ? client : one)?.close(3001, 'enough')
          })
        })
        const [mine, theirs] = closes === 'client' ? ['client', 'server'] : ['server', 'client']
        assert.deepEqual(
          [told[mine ?? ''], told[theirs ?? '']],
          [
            [3001, ''],
            [3001, 'enough'],
          ],
        )
      }
    })
  })
}

test('what a server sends at once is delivered after `connect` has resolved, and the loop misses nothing', async (t) => {
  const { client } = await pair(
    t,
    {},
    { open: (connection) => void ['a', 'b', 'c'].map((text) => connection.send(text)) },
  )
  const seen: string[] = []
  for await (const message of client.messages()) {
    seen.push(message.text())
    if (seen.length === 3) break
  }
  assert.deepEqual(seen, ['a', 'b', 'c'])
})

test('headers, cookies, origin, subprotocols and credentials of the address reach the server', async (t) => {
  const seen: Record<string, unknown> = {}
  const server = await serving(t, {
    protocols: ['two'],
    upgrade(request) {
      const { headers, cookies, origin, protocols, path } = request
      Object.assign(seen, {
        cookies: { ...cookies },
        origin,
        protocols,
        path,
        authorization: headers['authorization'],
        a: headers['x-a'],
      })
      return { headers: { 'X-Answer': 'yes' } }
    },
  })
  const answers: unknown[] = []
  const client = await connect(`ws://ada:l%C3%B6ve@127.0.0.1:${server.address?.port}/p%20q?x=1`, {
    headers: { 'X-A': ['1', '2'], Cookie: 'first=0' },
    cookies: { second: '1' },
    origin: 'https://example.com',
    protocols: ['one', 'two'],
    data: undefined,
    upgrade: ({ status, headers }) => void answers.push(status, headers['x-answer']),
  })
  client.close()
  assert.deepEqual(seen, {
    cookies: { first: '0', second: '1' },
    origin: 'https://example.com',
    protocols: ['one', 'two'],
    path: '/p%20q',
    authorization: `Basic ${Buffer.from('ada:löve').toString('base64')}`,
    a: '1, 2',
  })
  assert.deepEqual([client.protocol, answers], ['two', [101, 'yes']])
  assert.equal(client.request.target, '/p%20q?x=1')
})

test('the handlers of one object are told of each of its connections, with data of their own', async (t) => {
  const server = await serving(t, echo)
  const opened: number[] = []
  const options = { open: (connection: Connection<number>) => void opened.push(connection.data) }
  const clients = await Promise.all([1, 2, 3].map((data) => connect<number>(addressOf(server), { ...options, data })))
  assert.deepEqual(opened.toSorted(), [1, 2, 3])
  for (const client of clients) client.terminate()
})

test('limits hold: a message that is too long ends the connection with 1009', async (t) => {
  const errors: unknown[] = []
  const ended = new Promise<number>((resolve) => {
    const options: ClientOptions = {
      maxMessage: 10,
      error: (_, error) => void errors.push(error),
      close: (_, code) => resolve(code),
    }
    void pair(t, options, { open: (connection) => void connection.send('x'.repeat(11)) })
  })
  assert.equal(await ended, 1009)
  assert.equal(Reflect.get(Object(errors[0]), 'code'), 'MESSAGE_TOO_LONG')
})

test('a frame that a server has masked fails the connection with 1002 (section 5.1)', async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  await once(server, 'listening')
  server.on('connection', (socket) => {
    Reflect.get(socket, '_socket').write(Buffer.from([0x81, 0x81, 1, 2, 3, 4, 0x60]))
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const code = await new Promise<number>((resolve, reject) => {
    connect(`ws://127.0.0.1:${port}`, { close: (_, closed) => resolve(closed) }).catch(reject)
  })
  assert.equal(code, 1002)
})

test('a ping is answered, and topics belong to servers', async (t) => {
  const { client } = await pair(t)
  assert.ok((await client.ping('now')) >= 0)
  assert.throws(() => client.subscribe('news'), { code: 'ERR_CLIENT_TOPICS' })
  assert.throws(() => client.publish('news', 'x'), { code: 'ERR_CLIENT_TOPICS' })
  assert.equal(client.isSubscribed('news'), false)
})

test('a thousand connections share one codec, and leave nothing behind', async (t) => {
  const server = await serving(t, echo)
  let closes = 0
  let got = 0
  const done = new Promise<void>((resolve) => {
    const options: ClientOptions = {
      message(connection) {
        got++
        connection.close()
      },
      close: () => void (++closes === 1000 && resolve()),
    }
    const dial = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) (await connect(addressOf(server), options)).send('hello')
    }
    void Promise.all(Array.from({ length: 20 }, dial))
  })
  await done
  assert.equal(got, 1000)
})
