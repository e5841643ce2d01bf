// A process hears what it serves: its own publications and those of others, in the order in which its connections are sent
// them, whatever the listeners do.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turns } from 'node:timers/promises'
import { Hub } from '../../src/brokers/hub.js'
import { LinkBroker } from '../../src/brokers/linkBroker.js'
import { prepare } from '../../src/connection/sending/prepared.js'
import { createServer } from '../../src/index.js'
import type { TopicMessage } from '../../src/topics/listeners.js'
import { connections } from '../support/connections.js'
import { duplexPair } from '../support/duplexPair.js'
import { Random, seed } from '../support/random.js'
import { settle } from '../support/settle.js'
import { eventually } from '../support/socketClient.js'

const plain = ({ topic, data, origin }: TopicMessage): string =>
  `${topic} ${typeof data === 'string' ? data : `<${Buffer.from(data)}>`} ${origin}`

/** What standard error is told until the test ends. */
function complaints(t: TestContext): unknown[] {
  const told: unknown[] = []
  t.mock.method(console, 'error', (error: unknown) => told.push(error))
  return told
}

test('a listener hears what its process publishes, before publish returns, until it ends that', () => {
  const server = createServer()
  const heard: TopicMessage[] = []
  const unsubscribe = server.subscribe('x', (message) => heard.push(message))
  const bytes = Buffer.from('bytes')
  assert.equal(server.publish('x', 'text'), 0, 'a listener is no subscriber')
  server.publish('y', 'elsewhere')
  server.publish('x', bytes)
  const prepared = prepare('prepared')
  server.publish('x', prepared)
  prepared.release()
  bytes.fill(0)
  assert.deepEqual(heard.map(plain), ['x text local', 'x <bytes> local', 'x prepared local'])
  unsubscribe()
  unsubscribe()
  server.publish('x', 'late')
  assert.equal(heard.length, 3)
})

test('the same function may listen twice, and each ends by itself', () => {
  const server = createServer()
  const heard: unknown[] = []
  const listener = ({ data }: TopicMessage): void => void heard.push(data)
  const [first, second] = [server.subscribe('x', listener), server.subscribe('x', listener)]
  server.publish('x', '1')
  first()
  server.publish('x', '2')
  second()
  server.publish('x', '3')
  assert.deepEqual(heard, ['1', '1', '2'])
})

test('all listeners and connections get one order, also of what listeners publish', async () => {
  const place = connections({})
  const { topics } = place.shared
  const member = place.connect()
  member.peer.subscribe('x')
  const heard: string[] = []
  assert.ok('listen' in topics && topics.listen instanceof Function)
  topics.listen('x', ({ data }: TopicMessage) => {
    heard.push(`a ${data}`)
    if (data === '1') topics.publish('x', '2')
    if (data === '2') topics.publish('x', '3')
  })
  topics.listen('x', ({ data }: TopicMessage) => heard.push(`b ${data}`))
  topics.publish('x', '1')
  assert.deepEqual(heard, ['a 1', 'b 1', 'a 2', 'b 2', 'a 3', 'b 3'])
  await settle()
  assert.deepEqual(
    [...member.wire.frames()].map(({ payload }) => `${payload}`),
    ['1', '2', '3'],
  )
  member.peer.terminate()
})

test('what a listener throws or rejects with is printed, and disturbs nobody', async (t) => {
  const told = complaints(t)
  const server = createServer()
  const heard: unknown[] = []
  server.subscribe('x', () => {
    throw new Error('thrown')
  })
  server.subscribe('x', async () => {
    await turns()
    throw new Error('rejected')
  })
  server.subscribe('x', ({ data }) => heard.push(data))
  server.publish('x', 'hello')
  assert.deepEqual(heard, ['hello'])
  await eventually(() => told.length === 2, 'both are printed')
  assert.deepEqual(told.map(String), ['Error: thrown', 'Error: rejected'])
})

test('a listener that another one has ended hears nothing any more', () => {
  const server = createServer()
  const heard: unknown[] = []
  server.subscribe('x', () => end())
  const end = server.subscribe('x', ({ data }) => heard.push(data))
  server.publish('x', 'hello')
  assert.deepEqual(heard, [])
})

test('other processes are heard without a subscriber here, and the broker is asked for no more than that', async (t) => {
  const hub = new Hub()
  const make = () => {
    const [inside, outside] = duplexPair()
    hub.join(inside)
    return createServer({ broker: new LinkBroker(outside) })
  }
  const [here, there] = [make(), make()]
  t.after(() => Promise.all([here.close(), there.close()]))
  const heard: string[] = []
  const ends = [1, 2].map((which) => here.subscribe('x', (message) => heard.push(`${which} ${plain(message)}`)))
  await eventually(() => hub.statistics.subscriptions === 1, 'the hub knows')
  there.publish('x', 'hello')
  here.publish('x', 'own')
  await eventually(() => heard.length === 4, 'all is heard')
  assert.deepEqual(heard.toSorted(), ['1 x hello broker', '1 x own local', '2 x hello broker', '2 x own local'])
  for (const end of ends) end()
  await eventually(() => hub.statistics.subscriptions === 0, 'the hub knows')
})

test('what a broker knows to be missing is told with the next publication', () => {
  let receive: (topic: string, payload: Uint8Array, isText: boolean, missed?: number) => void = () => undefined
  const statistics = { connected: true, published: 0, dropped: 0, received: 0, missed: 0 }
  const server = createServer({
    broker: {
      attach: (call) => {
        receive = call
      },
      subscribe() {},
      unsubscribe() {},
      publish() {},
      statistics,
      close: async () => undefined,
    },
  })
  const heard: unknown[] = []
  server.subscribe('x', ({ data, missed }) => heard.push([data, missed]))
  receive('x', Buffer.from('1'), true)
  receive('x', Buffer.from('5'), true, 3)
  assert.deepEqual(heard, [
    ['1', 0],
    ['5', 3],
  ])
})

test('bytes are the own of each listener', () => {
  const server = createServer()
  const heard: unknown[] = []
  for (let at = 0; at < 3; at++) {
    server.subscribe('x', ({ data }) => {
      assert.ok(typeof data !== 'string')
      heard.push(data[0])
      data[0] = 0
    })
  }
  const published = Buffer.from([7])
  server.publish('x', published)
  assert.deepEqual([heard, published[0]], [[7, 7, 7], 7])
})

test('functions of topics that throw for what a broker brings do not end its reader', (t) => {
  const printed = t.mock.method(console, 'error', () => undefined)
  let receive: (topic: string, payload: Uint8Array, isText: boolean) => void = () => undefined
  const heard: string[] = []
  const server = createServer({
    topics: {
      history: (topic) => (topic.startsWith('kept') ? { messages: topic === 'kept wrong' ? -1 : 5 } : undefined),
      envelope: (topic) => {
        if (topic === 'kept') throw new Error('no envelope')
        return false
      },
    },
    broker: {
      attach: (call) => {
        receive = call
      },
      subscribe() {},
      unsubscribe() {},
      publish() {},
      statistics: { connected: true, published: 0, dropped: 0, received: 0, missed: 0 },
      close: async () => undefined,
    },
  })
  server.subscribe('x', ({ data }) => heard.push(`${data}`))
  receive('kept wrong', Buffer.from('1'), true)
  receive('kept', Buffer.from('2'), true)
  receive('x', Buffer.from('3'), true)
  assert.deepEqual(heard, ['3'])
  assert.equal(printed.mock.callCount(), 2)
  assert.throws(() => server.publish('kept wrong', '4'), { code: 'ERR_OPTION_RANGE' })
})

test('a snapshot of what was heard, and what follows, are never one change apart', async () => {
  const place = connections({})
  const { topics } = place.shared
  const random = new Random(seed)
  let state = 0
  assert.ok('listen' in topics && topics.listen instanceof Function)
  topics.listen('count', ({ data }: TopicMessage) => {
    state = Number(data)
  })
  const members: ReturnType<typeof place.connect>[] = []
  for (let step = 1; step <= 400; step++) {
    topics.publish('count', `${step}`)
    if (random.chance(0.2)) {
      const member = place.connect()
      member.peer.subscribe('count')
      member.peer.send(`${state}`)
      members.push(member)
    }
    if (random.chance(0.3)) await settle()
  }
  await settle()
  for (const { wire, peer } of members) {
    const [first = 0, ...rest] = [...wire.frames()].map(({ payload }) => Number(`${payload}`))
    assert.deepEqual(
      rest,
      Array.from({ length: 400 - first }, (_, at) => first + 1 + at),
    )
    peer.terminate()
  }
})

test('what is no topic, or no function, throws at once', () => {
  const server = createServer()
  assert.throws(() => server.subscribe('', () => undefined), { code: 'ERR_TOPIC_NAME' })
  assert.throws(() => Reflect.apply(server.subscribe, server, ['x', {}]), { code: 'ERR_ARGUMENT_KIND' })
  assert.equal(server.publish('x', 'hello'), 0)
})
