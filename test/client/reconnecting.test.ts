// A connection that lasts: what ends it, what does not, and what becomes of the messages that are sent meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pauseBefore, reconnectSettings } from '../../src/client/backOff.js'
import { type ClientOptions, type Connection, connect, prepare } from '../../src/client.js'
import { createServer, type Server } from '../../src/index.js'
import { serving } from '../support/serving.js'
import { cut, lasting, until } from './lasting.js'

test('it is opened again, what was sent meanwhile follows, and handlers are given the same object', async (t) => {
  const told: unknown[] = []
  const seen = new Set<Connection>()
  let open = 0
  const { server, client, got } = await lasting(t, {
    open: (connection) => {
      seen.add(connection)
      open++
    },
    message: (connection) => void seen.add(connection),
    reconnecting(connection, { attempt, code }) {
      seen.add(connection)
      told.push(attempt, code)
      const prepared = prepare('three')
      assert.equal(connection.send('one'), 'buffered')
      assert.equal(connection.send(Buffer.from('two')), 'buffered')
      assert.equal(connection.send(prepared), 'buffered')
      prepared.release()
      assert.equal(connection.bufferedAmount, 11)
      assert.equal(connection.isOpen, false)
    },
    reconnected(connection, kept) {
      seen.add(connection)
      told.push(kept)
    },
  })
  cut(server)
  await until(() => got.length === 3)
  assert.deepEqual(got, ['one', 'two', 'three'])
  assert.deepEqual(told, [1, 1006, { sent: 3, dropped: 0 }])
  assert.deepEqual([...seen], [client])
  assert.equal(open, 1, '`open` is called once')
})

test('what finds no room is dropped, and counted', async (t) => {
  let kept: unknown
  const { server, got } = await lasting(t, {
    reconnect: { delay: 5, buffer: 400 },
    reconnecting(connection) {
      const results = ['a'.repeat(200), 'b'.repeat(200), 'c'].map((text) => connection.send(text))
      assert.deepEqual(results, ['buffered', 'dropped', 'dropped'])
    },
    reconnected: (_, told) => {
      kept = told
    },
  })
  cut(server)
  await until(() => kept !== undefined)
  assert.deepEqual(kept, { sent: 1, dropped: 2 })
  await until(() => got.length === 1)
})

for (const [name, end] of [
  ['this side has closed it', (_: Server, client: Connection) => client.close(3000)],
  ['this side has terminated it', (_: Server, client: Connection) => client.terminate()],
  ['the server has said 1000', (server: Server) => [...server.connections].map((one) => one.close(1000))],
] as const) {
  test(`there is no other attempt where ${name}`, async (t) => {
    const closes: number[] = []
    let attempts = 0
    const { server, client } = await lasting(t, {
      close: (_, code) => void closes.push(code),
      reconnecting: () => void attempts++,
    })
    end(server, client)
    await until(() => closes.length > 0)
    await new Promise((resolve) => setTimeout(resolve, 50))
    assert.deepEqual([closes.length, attempts, server.connections.size], [1, 0, 0])
    assert.equal(client.send('late'), 'closed')
  })
}

test('closing between two connections ends it, once, and the process needs no more timers', async (t) => {
  const closes: number[] = []
  const { server, client } = await lasting(t, {
    reconnect: { delay: 60_000, maxDelay: 60_000 },
    close: (_, code) => void closes.push(code),
    reconnecting: (connection) => queueMicrotask(() => connection.close()),
  })
  cut(server)
  await until(() => closes.length > 0)
  client.close()
  client.terminate()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.deepEqual(closes, [1006])
})

test('attempts that fail are counted, and after the last of them it is given up', async (t) => {
  const server = createServer({ message: () => undefined })
  await server.listen({ host: '127.0.0.1' })
  const attempts: unknown[] = []
  const closed = new Promise<number>((resolve) => {
    void connect(`ws://127.0.0.1:${server.address?.port}`, {
      reconnect: { delay: 5, attempts: 3 },
      reconnecting: (_, { attempt, error }) => void attempts.push([attempt, Object(error).code]),
      close: (_, code) => resolve(code),
    })
  })
  await until(() => server.connections.size === 1)
  await server.close(1012)
  assert.equal(await closed, 1012)
  const failed = 'ERR_CONNECT_UNREACHABLE'
  assert.deepEqual(attempts, [
    [1, undefined],
    [2, failed],
    [3, failed],
  ])
  t.diagnostic('the code is that of the connection, not of the attempts')
})

test('the loop over messages goes on with the next connection, and ends with the last', async (t) => {
  const { server, client } = await lasting(t)
  const seen: string[] = []
  for await (const message of client.messages()) {
    seen.push(message.text())
    if (seen.length < 3) cut(server)
    else client.close()
  }
  assert.deepEqual(seen, ['welcome', 'welcome', 'welcome'])
})

test('a pause outlives the connection', async (t) => {
  const seen: string[] = []
  let again = false
  const { server, client } = await lasting(t, {
    message: (_, message) => void seen.push(message.text()),
    reconnecting: (connection) => connection.pause(),
    reconnected: () => {
      again = true
    },
  })
  await until(() => seen.length === 1)
  cut(server)
  await until(() => again)
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(seen.length, 1)
  client.resume()
  await until(() => seen.length === 2)
})

test('pauses grow for a server that opens connections and ends them at once, and not for one that lets them last', async (t) => {
  for (const lasts of [false, true]) {
    const server = await serving(t, {
      open: (connection) => void setTimeout(() => connection.terminate(), lasts ? 300 : 0),
    })
    const delays: number[] = []
    const client = await connect(`ws://127.0.0.1:${server.address?.port}`, {
      reconnect: { delay: 40, maxDelay: 1000 },
      reconnecting: (_, { attempt, delay }) => {
        assert.equal(attempt, 1)
        delays.push(delay)
      },
    })
    await until(() => delays.length === 5)
    client.close()
    // The fifth step of a growing pause is at least half of 40 ms doubled four times.
    if (lasts) assert.ok(Math.max(...delays) <= 40, `${delays}`)
    else assert.ok((delays[4] ?? 0) >= 320, `${delays}`)
  }
})

test('pauses grow to the ceiling, and differ by chance', () => {
  const settings = { ...reconnectSettings(true), delay: 100, maxDelay: 1000 }
  for (const [attempt, most] of [
    [1, 100],
    [2, 200],
    [4, 800],
    [5, 1000],
    [500, 1000],
  ] as const) {
    const pauses = Array.from({ length: 200 }, () => pauseBefore(attempt, settings))
    assert.ok(Math.max(...pauses) <= most && Math.min(...pauses) >= most / 2)
    assert.ok(new Set(pauses).size > 10)
  }
})

test('a handler that is set later is called, as with a server', async (t) => {
  const options: { message?: ClientOptions['message'] } & ClientOptions = { reconnect: { delay: 10 } }
  const server = await serving(t, {})
  const client = await connect(`ws://127.0.0.1:${server.address?.port}`, options)
  const got = new Promise<string>((resolve) => {
    Object.assign(options, { message: (_: Connection, message: { text(): string }) => resolve(message.text()) })
  })
  for (const connection of server.connections) connection.send('late')
  assert.equal(await got, 'late')
  client.terminate()
})
