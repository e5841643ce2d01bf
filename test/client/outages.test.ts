// What an outage must not take with it: messages that a busy loop has not read, data, the errors of handlers and of callers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect } from '../../src/client.js'
import { createServer } from '../../src/index.js'
import { serving } from '../support/serving.js'
import { cut, lasting, until } from './lasting.js'

test('data that is set while an attempt is under way is kept', async (t) => {
  let set: (() => void) | undefined
  const server = await serving(t, {})
  const client = await connect<string>(`ws://127.0.0.1:${server.address?.port}`, {
    data: 'first',
    upgrade: () => set?.(),
    reconnect: { delay: 10 },
  })
  t.after(() => client.terminate())
  set = () => {
    client.data = 'second'
  }
  cut(server)
  await until(() => !client.isOpen)
  await until(() => client.isOpen)
  assert.equal(client.data, 'second')
})

/** A connection is not read from while its loop is busy, so that it has ended shows after this time only. */
const unread = { pauseTimeout: 200, message: () => assert.fail('it went to the handler') }

for (const outages of [1, 3]) {
  test(`a loop that is busy during ${outages} outages misses nothing of the newest connection`, async (t) => {
    const { server, client } = await lasting(t, unread)
    const messages = client.messages()
    assert.equal((await messages.next()).value?.text(), 'welcome')
    for (let outage = 0; outage < outages; outage++) {
      const { id } = client
      cut(server)
      await until(() => client.isOpen && client.id !== id)
    }
    // Longer than it takes until messages are let in.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.equal((await messages.next()).value?.text(), 'welcome')
    for (const connection of server.connections) connection.send('news')
    const later: (string | undefined)[] = []
    while (later.at(-1) !== 'news') later.push((await messages.next()).value?.text())
    assert.ok(later.length <= 2, 'no message comes twice')
    const waiting = messages.next()
    client.close()
    assert.equal((await waiting).done, true)
  })
}

test('who waits for a message amid an outage gets none when the loop is left, and the next loop misses nothing', async (t) => {
  const { server, client } = await lasting(t)
  const messages = client.messages()
  assert.equal((await messages.next()).value?.text(), 'welcome')
  const waiting = messages.next()
  cut(server)
  await until(() => !client.isOpen)
  await messages.return?.()
  assert.equal((await waiting).done, true)
  assert.equal((await client.messages().next()).value?.text(), 'welcome')
})

test('a loop that was left takes the messages of the next connection up when it is entered again', async (t) => {
  const { server, client, got } = await lasting(t, unread)
  for await (const message of client.messages()) {
    assert.equal(message.text(), 'welcome')
    break
  }
  cut(server)
  await until(() => !client.isOpen)
  await until(() => client.isOpen)
  client.send('I am here')
  await until(() => got.length === 1)
  for await (const message of client.messages()) {
    assert.equal(message.text(), 'welcome')
    break
  }
})

test('what can not be sent is refused at once, also while there is no connection, and options are copied', async (t) => {
  const { server, client, got } = await lasting(t)
  cut(server)
  await until(() => !client.isOpen)
  const compress = { compress: true }
  assert.throws(() => client.send('x', { compress: 'yes' } as never), { code: 'ERR_OPTION_KIND' })
  assert.throws(() => client.send('x', { zip: true } as never), { code: 'ERR_OPTION_UNKNOWN' })
  assert.throws(() => client.send(1 as never), { code: 'ERR_ARGUMENT_KIND' })
  assert.equal(client.send('kept', compress), 'buffered')
  Object.assign(compress, { compress: 'changed' })
  await until(() => got.length === 1)
  assert.deepEqual(got, ['kept'])
})

test('what handlers throw amid an outage goes to the handler `error`', async (t) => {
  const told: string[] = []
  const server = createServer({})
  await server.listen({ host: '127.0.0.1' })
  const client = await connect(`ws://127.0.0.1:${server.address?.port}`, {
    reconnect: { delay: 5, maxDelay: 5 },
    reconnecting(_, { attempt }) {
      if (attempt === 2) throw new Error('thrown')
      if (attempt === 3) return Promise.reject(new Error('rejected'))
      return undefined
    },
    error: (_, error) => void told.push(Object(error).message),
    close() {
      throw new Error('at the end')
    },
  })
  t.after(() => client.terminate())
  await server.close()
  await until(() => told.length === 2)
  client.close()
  await until(() => told.length === 3)
  assert.deepEqual(told, ['thrown', 'rejected', 'at the end'])
})
