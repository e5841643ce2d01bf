// What holds for topics also where somebody comes back, where a handler ends its connection, and where the application's own
// functions fail.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createPresence, createServer, serveTopics } from '../../src/index.js'
import type { Broker } from '../../src/topics/broker.js'
import { connections } from '../support/connections.js'
import { serving } from '../support/serving.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

/** Topics that a process remembers. */
const MOST_TOPICS = 65_536

/** A broker that notes what it is asked for, and carries nothing. */
function notes(): { readonly asked: string[]; readonly broker: Broker } {
  const asked: string[] = []
  const statistics = { connected: true, published: 0, dropped: 0, received: 0, missed: 0 }
  const broker: Broker = {
    attach() {},
    subscribe: (topic) => void asked.push(`+${topic}`),
    unsubscribe: (topic) => void asked.push(`-${topic}`),
    publish() {},
    statistics,
    close: async () => undefined,
  }
  return { asked, broker }
}

test('topics that clients are on their way back to count for maxTopics, each once', async () => {
  const { shared, connect } = connections({ maxTopics: 3, topics: { history: {} } })
  const { topics } = shared
  const first = connect()
  const { position: after = '' } = await first.peer.subscribe('a', {})
  first.peer.unsubscribe('a')
  for (const topic of ['a', 'b', 'c', 'd']) topics.publish(topic, 'missed')
  const [one, other] = [connect(), connect()]
  one.peer.subscribe('c')
  for (const { peer } of [one, other]) for (const topic of ['a', 'b']) peer.subscribe(topic, { after })
  assert.throws(() => one.peer.subscribe('d', { after }), { code: 'ERR_MAX_TOPICS' })
  assert.throws(() => other.peer.subscribe('d'), { code: 'ERR_MAX_TOPICS' })
  other.peer.subscribe('c') // has a place already
  for (const { peer } of [one, other]) peer.unsubscribe('a')
  const again = other.peer.subscribe('d', { after })
  assert.throws(() => other.peer.subscribe('a', { after }), { code: 'ERR_MAX_TOPICS' })
  for (let turns = 0; turns < 20; turns++) await settle()
  assert.equal((await again).resumed, true)
  assert.throws(() => other.peer.subscribe('a'), { code: 'ERR_MAX_TOPICS' })
  for (const { peer } of [one, other]) peer.unsubscribe('b')
  other.peer.subscribe('a')
  for (const { peer } of [one, other]) peer.terminate()
  await settle()
  const last = connect()
  for (const topic of ['x', 'y', 'z']) last.peer.subscribe(topic)
  last.peer.terminate()
})

for (const end of ['close', 'terminate'] as const) {
  test(`after a leftOut handler that calls ${end}, no other one of its kind is called, and no drain`, async () => {
    const calls: string[] = []
    const { shared, connect } = connections({
      outputPolicy: 'drop',
      outputLimit: 1000,
      leftOut: (connection) => {
        calls.push('leftOut')
        connection[end]()
      },
      drain: () => void calls.push('drain'),
      close: () => void calls.push('close'),
    })
    const { peer, wire } = connect()
    for (const topic of ['a', 'b']) peer.subscribe(topic)
    wire.stuck = true
    for (let count = 0; count < 10; count++) {
      for (const topic of ['a', 'b']) shared.topics.publish(topic, 'x'.repeat(500))
      await settle()
    }
    assert.ok(peer.leftOut('a') > 0 && peer.leftOut('b') > 0)
    wire.stuck = false
    for (let count = 0; count < 5; count++) {
      wire.finish()
      await settle()
    }
    peer.terminate()
    await settle()
    assert.deepEqual(calls, ['leftOut', 'close'])
  })
}

test('a broker is asked for a topic with a history, however somebody here comes to follow it', () => {
  const { asked, broker } = notes()
  const { connect } = connections({ broker, topics: { history: {} } })
  const { peer } = connect()
  peer.subscribe('plain')
  peer.subscribe('with', {})
  const server = createServer({ broker, topics: { history: {} } })
  server.subscribe('listened', () => undefined)
  assert.throws(() => server.subscribe('never', Reflect.get({}, 'nothing')), TypeError)
  assert.deepEqual(asked, ['+plain', '+with', '+listened'])
  peer.terminate()
})

const failing = {
  throws: () => {
    throw new Error('no history')
  },
  'returns a promise that rejects': async () => {
    throw new Error('no history')
  },
} as const

for (const [what, history] of Object.entries(failing)) {
  test(`where the function history ${what}, nobody follows the topic, and the caller is told`, async () => {
    const { asked, broker } = notes()
    const topics = { history: history as () => undefined }
    const { connect } = connections({ broker, topics })
    const { peer } = connect()
    const wrong = { message: /no history|must answer at once, not by a promise/ }
    assert.throws(() => peer.subscribe('x'), wrong)
    assert.throws(() => peer.subscribe('x', {}), wrong)
    assert.throws(() => peer.publish('x', 'text'), wrong)
    const server = createServer({ broker, topics })
    assert.throws(() => server.subscribe('x', () => assert.fail('it is heard')), wrong)
    assert.equal(peer.isSubscribed('x'), false)
    assert.deepEqual(asked, [])
    await turn() // a rejection that nobody handles would end the process
    peer.terminate()
  })

  test(`where the function history ${what}, a client that asks for the topic is told by 1011`, async (t) => {
    const errors: unknown[] = []
    const server = await serving(t, {
      topics: { history: history as () => undefined, envelope: true },
      message: (connection, message) => void serveTopics(connection, message, () => true),
      error: (_, error) => void errors.push(error),
    })
    const client = new WebSocket(`ws://127.0.0.1:${server.port}`)
    client.on('message', (data) => assert.fail(`${data}`))
    await once(client, 'open')
    client.send('{"subscribe":"news"}\n')
    const [code] = await once(client, 'close')
    assert.equal(code, 1011)
    assert.equal(errors.length, 1)
  })
}

test('a function envelope that returns a promise is a mistake of the caller of publish', () => {
  const envelope = (async () => true) as unknown as () => boolean
  const { shared } = connections({ topics: { history: {}, envelope } })
  assert.throws(() => shared.topics.publish('x', 'text'), { code: 'ERR_OPTION_KIND' })
})

test('a topic that is forgotten while clients come back to it is begun again without the function history', async () => {
  let fails = false
  const history = (topic: string): object => {
    if (fails && topic === 'a') throw new Error('no history')
    return {}
  }
  const { shared, connect } = connections({ topics: { history } })
  const { peer } = connect()
  const { position: after = '' } = await peer.subscribe('a', {})
  peer.unsubscribe('a')
  for (let count = 0; count < 10; count++) shared.topics.publish('a', 'missed')
  const back = [connect(), connect()]
  const answers = back.map((one) => one.peer.subscribe('a', { after }))
  fails = true
  for (let topic = 0; topic < MOST_TOPICS; topic++) shared.topics.publish(`${topic}`, '')
  for (const answer of await Promise.all(answers))
    assert.equal(answer.resumed ? undefined : answer.gap.reason, 'forgotten')
  assert.equal(shared.topics.publish('a', 'heard'), 2)
  await settle()
  for (const one of back) assert.deepEqual(one.wire.texts(), ['heard'])
  for (const one of [peer, ...back.map((other) => other.peer)]) one.terminate()
})

test('what is thrown that is no object is thrown on by serveTopics', async (t) => {
  const errors: unknown[] = []
  const history = (): never => {
    throw undefined
  }
  const server = await serving(t, {
    topics: { history, envelope: true },
    message: (connection, message) => void serveTopics(connection, message, () => true),
    error: (_, error) => void errors.push(error),
  })
  const client = new WebSocket(`ws://127.0.0.1:${server.port}`)
  await once(client, 'open')
  client.send('{"subscribe":"news"}\n')
  assert.equal((await once(client, 'close'))[0], 1011)
  assert.deepEqual(errors, [undefined])
})

test('presence outlives functions of the application that fail: they are printed', async (t) => {
  const printed = t.mock.method(console, 'error', () => undefined)
  let fails = false
  const envelope = (): boolean => {
    if (fails) throw new Error('no envelope')
    return false
  }
  const server = createServer({ topics: { history: {}, envelope } })
  const presence = createPresence(server, { lease: 30 })
  fails = true
  await eventually(() => printed.mock.callCount() > 1, 'it is said twice that this process lives')
  presence.close()
})
